"""What the composition root tells a transport: limits, times, key material, and who wants to hear of finished calls."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from laura_fast.limits import transport as limits

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Recorder = Callable[[int, float, str], None]


@dataclass(frozen=True, slots=True)
class TransportSettings:
    """Limits and times of one server. Counts are per server unless said otherwise; times are milliseconds."""

    max_connections: int = 1000
    max_unauthenticated_per_address: int = limits.UNAUTHENTICATED_PER_ADDRESS
    """Connections of one address that are not past their handshake yet; more of them wait their turn."""
    max_concurrent_rpcs: int = 100
    """HTTP/2 streams per connection (SETTINGS_MAX_CONCURRENT_STREAMS)."""
    max_total_rpcs: int = 0
    """RPCs in flight in the process; 0 = no bound. Excess is answered RESOURCE_EXHAUSTED."""
    max_message_bytes: int = 48 * 1024 * 1024
    connection_timeout_ms: int = 10_000
    """TCP accept → complete HTTP/2 (and TLS) handshake. Generous, because all nodes of a cluster that starts at once
    are in their TLS handshakes together; `max_unauthenticated_per_address` bounds what silent sockets gain by it."""
    request_timeout_ms: int = 30_000
    """Longest run of a unary handler; streams have none."""
    keepalive_interval_ms: int = 30_000
    keepalive_timeout_ms: int = 10_000
    min_ping_interval_ms: int = 15_000
    """Pings that arrive faster are abuse: GOAWAY ENHANCE_YOUR_CALM, "too_many_pings". Half of our own interval, so that
    clients configured like us pass whatever their clocks do."""


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """PEM files of one server. With `client_ca_file`, a client certificate signed by it is required (mTLS)."""

    cert_file: Path
    key_file: Path
    client_ca_file: Path | None = None


class RpcObserver(Protocol):
    """Hears of every call, on the event loop thread. Must not block and must not raise."""

    def rpc_started(self, method: str) -> None:
        """A call was accepted. `method` is the full path, `/package.Service/Method`."""

    def rpc_handled(self, method: str, code: int, seconds: float, peer: str) -> None:
        """A call ended with the canonical status `code` after `seconds` on the server."""

    def recorder(self, method: str) -> Recorder:
        """What to call with (calls, seconds, peer) when so many calls of `method` were answered well, one by one.

        It stands for as many of `rpc_started` and of `rpc_handled`, each with its share of the seconds.
        """

        def record(calls: int, seconds: float, peer: str) -> None:
            for _ in range(calls):
                self.rpc_started(method)
                self.rpc_handled(method, 0, seconds / calls, peer)

        return record
