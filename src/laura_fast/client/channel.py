"""Channels to a server, with the limits and the keep-alive that its settings expect.

Nothing else in the client knows which library makes them: another implementation of the `grpc.aio.Channel` interface,
such as grpcio's own, is passed to `ClusterClient` as `open_channel`. The native channel retries nothing that a server
may have seen (`retry.Caller` is the one retry layer), ignores the shell's proxy and shares no connections.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import grpc

from laura_fast.errors import ConfigError, TlsMaterialError
from laura_fast.limits.rpc import MAX_MESSAGE_BYTES
from laura_fast.transport.native.channel import insecure_channel, secure_channel
from laura_fast.transport.tls_policy import client_context

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Self

OpenChannel = Callable[[str, "ClientTls | None"], grpc.aio.Channel]

KEEPALIVE_INTERVAL_MS: Final = 30_000
"""Twice the shortest ping interval that a server of LauraDB allows by default (15 s): never "too_many_pings"."""
KEEPALIVE_TIMEOUT_MS: Final = 10_000
CONNECT_TIMEOUT_MS: Final = 5_000
"""A host that drops packets is given up after this, and the next seed is tried."""
FIRST_RECONNECT_MS: Final = 100
LAST_RECONNECT_MS: Final = 1_000
"""The channel's own wait between connections; short, because the calls' back-off is the one that paces us."""

_OPTIONS: Final = (
    ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
    ("grpc.keepalive_time_ms", KEEPALIVE_INTERVAL_MS),
    ("grpc.keepalive_timeout_ms", KEEPALIVE_TIMEOUT_MS),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.min_reconnect_backoff_ms", CONNECT_TIMEOUT_MS),
    ("grpc.initial_reconnect_backoff_ms", FIRST_RECONNECT_MS),
    ("grpc.max_reconnect_backoff_ms", LAST_RECONNECT_MS),
)


@dataclass(frozen=True, slots=True)
class ClientTls:
    """How to trust the server, and how to prove who we are. All files are PEM.

    Attributes:
        ca_file: Authorities that may have signed the server's certificate; None = those of the system.
        cert_file: Our certificate chain, for servers that ask for one (mTLS). Needs `key_file`.
        key_file: The private key of `cert_file`.
        server_name: Name expected in the server's certificate, where it is not the address dialled.
    """

    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None
    server_name: str = ""

    def __post_init__(self) -> None:
        if (self.cert_file is None) != (self.key_file is None):
            raise ConfigError("a client certificate needs its key, and a key its certificate: give both or neither")

    @classmethod
    def from_flags(
        cls, *, tls: bool, ca_file: Path | None, cert_file: Path | None, key_file: Path | None, server_name: str
    ) -> Self | None:
        """None (plain text) only where nothing asks for TLS: a flag that has meaning only with TLS turns it on."""
        if not (tls or ca_file or cert_file or key_file or server_name):
            return None
        return cls(ca_file, cert_file, key_file, server_name)

    def context(self) -> ssl.SSLContext:
        """Reads and checks the files.

        Raises:
            TlsMaterialError: A file that can't be read or parsed, or a key of another certificate.
        """
        try:
            return client_context(self.ca_file, self.cert_file, self.key_file)
        except (OSError, ssl.SSLError) as error:
            files = ", ".join(str(path) for path in (self.ca_file, self.cert_file, self.key_file) if path)
            raise TlsMaterialError(f"TLS files {files}: {error}") from error

    def stamp(self) -> tuple[tuple[int, int] | None, ...]:
        """Changes when one of the files is replaced: modification time and size of each, None where there is none."""
        return tuple(_stamp(path) for path in (self.ca_file, self.cert_file, self.key_file))


def _stamp(path: Path | None) -> tuple[int, int] | None:
    try:
        stat = path.stat() if path else None
    except OSError:
        return None
    return (stat.st_mtime_ns, stat.st_size) if stat else None


def open_channel(address: str, tls: ClientTls | None) -> grpc.aio.Channel:
    """A native channel to ``host:port`` that connects at its first call. To be used on one event loop's thread."""
    if tls is None:
        return insecure_channel(address, options=_OPTIONS)
    return secure_channel(
        address, tls.context(), options=(*_OPTIONS, ("grpc.ssl_target_name_override", tls.server_name))
    )
