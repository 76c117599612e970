"""What a channel may be told, under C-core's names for it."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import grpc

from laura_fast.limits.units import MIB
from laura_fast.wire.grpc.compression import DEFLATE, GZIP

if TYPE_CHECKING:
    from collections.abc import Iterable

    from laura_fast.wire.grpc.compression import Codec

_UNLIMITED: Final = sys.maxsize
_DEFAULT_RECEIVE_BYTES: Final = 4 * MIB
_NEVER_MS: Final = 2**31 - 1
"""C-core's default of the keep-alive time: no pings."""

CODECS: Final[dict[grpc.Compression, Codec | None]] = {
    grpc.Compression.NoCompression: None,
    grpc.Compression.Gzip: GZIP,
    grpc.Compression.Deflate: DEFLATE,
}


@dataclass(frozen=True, slots=True)
class ChannelOptions:
    """Options of one channel. C-core's other ones have no meaning here and are passed over, as C-core itself does.

    Attributes:
        max_receive_bytes: Longest answer; a longer one ends its call with RESOURCE_EXHAUSTED.
        max_send_bytes: Longest request, likewise.
        keepalive_s: A PING after so long without a byte; None = never. Too short, and servers end the connection with
            "too_many_pings".
        keepalive_timeout_s: Silence for so long behind a PING ends the connection.
        keepalive_idle: Pings also while there is no call.
        connect_s: Longest time for connecting, the TLS handshake and the server's first bytes together.
        first_back_off_s: Wait behind the first failed attempt; each further wait is 1.6 times the last (gRPC
            connection-backoff.md), within one fifth of dice.
        longest_back_off_s: End of that growth.
        server_name: Name that the server's certificate must have; empty = the host dialled.
        authority: Value of `:authority`; empty = the target's.
        user_agent: Put in front of our own.
    """

    max_receive_bytes: int = _DEFAULT_RECEIVE_BYTES
    max_send_bytes: int = _UNLIMITED
    keepalive_s: float | None = None
    keepalive_timeout_s: float = 20.0
    keepalive_idle: bool = False
    connect_s: float = 20.0
    first_back_off_s: float = 1.0
    longest_back_off_s: float = 120.0
    server_name: str = ""
    authority: str = ""
    user_agent: str = ""

    @classmethod
    def of(cls, arguments: Iterable[tuple[str, Any]] | None) -> ChannelOptions:
        """Reads `grpc.*` channel arguments."""
        given = {key.removeprefix("grpc."): value for key, value in arguments or ()}
        keepalive_ms = given.get("keepalive_time_ms", _NEVER_MS)
        return cls(
            max_receive_bytes=_bytes(given.get("max_receive_message_length", _DEFAULT_RECEIVE_BYTES)),
            max_send_bytes=_bytes(given.get("max_send_message_length", -1)),
            keepalive_s=None if keepalive_ms >= _NEVER_MS else keepalive_ms / 1000,
            keepalive_timeout_s=given.get("keepalive_timeout_ms", 20_000) / 1000,
            keepalive_idle=bool(given.get("keepalive_permit_without_calls", 0)),
            connect_s=given.get("min_reconnect_backoff_ms", 20_000) / 1000,
            first_back_off_s=given.get("initial_reconnect_backoff_ms", 1_000) / 1000,
            longest_back_off_s=given.get("max_reconnect_backoff_ms", 120_000) / 1000,
            server_name=given.get("ssl_target_name_override", ""),
            authority=given.get("default_authority", ""),
            user_agent=given.get("primary_user_agent", ""),
        )


def _bytes(length: int) -> int:
    """-1 stands for no limit."""
    return _UNLIMITED if length < 0 else length
