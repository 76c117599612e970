"""The header blocks of a client's requests (gRPC over HTTP/2, "Requests")."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from laura_fast.limits.http2 import MAX_MEMOISED_BLOCKS
from laura_fast.limits.rpc import MAX_MEMOISED_TIMEOUTS
from laura_fast.wire.grpc.compression import ACCEPTED
from laura_fast.wire.grpc.timeout import format_timeout
from laura_fast.wire.http2.hpack_encoder import encode_constant

if TYPE_CHECKING:
    from collections.abc import Sequence

    from laura_fast.wire.grpc.compression import Codec
    from laura_fast.wire.http2.hpack_encoder import HeaderEncoder
    from laura_fast.wire.http2.hpack_table import Field, Fields

_GRPC: Final[Fields] = (
    (b"te", b"trailers"),
    (b"content-type", b"application/grpc"),
    (b"grpc-accept-encoding", ACCEPTED),
)

_TIMEOUT_DIGITS: Final = 3


class Route:
    """What all calls of one method over one channel have in common. One object for each, as it is a key by identity.

    Attributes:
        fields: The header fields.
        codec: How request messages are packed.
    """

    __slots__ = ("codec", "fields")

    def __init__(self, path: str, authority: str, scheme: str, user_agent: str, codec: Codec | None = None) -> None:
        self.codec = codec
        fields: list[Field] = [
            (b":method", b"POST"),
            (b":scheme", scheme.encode()),
            (b":path", path.encode()),
            (b":authority", authority.encode()),
            *_GRPC,
            (b"user-agent", user_agent.encode()),
        ]
        if codec is not None:
            fields.append((b"grpc-encoding", codec.name))
        self.fields = tuple(fields)


class RequestBlocks:
    """Makes the blocks of one connection.

    A route's fields go into the table of the peer with its first call; later ones are the same few octets, remembered
    until the table changes. A timeout is a literal that leaves the table alone, so calls with equal timeouts have
    equal blocks, which the server's memo knows too.
    """

    __slots__ = ("_encoder", "_generation", "_routes", "_whole")

    def __init__(self, encoder: HeaderEncoder) -> None:
        self._encoder = encoder
        self._generation = -1  # of the encoder, for which the two below are valid
        self._routes: dict[Route, bytes] = {}
        self._whole: dict[tuple[Route, float | None], bytes] = {}

    def block(self, route: Route, timeout_s: float | None, metadata: Sequence[Field]) -> bytes:
        """The block of the next request on this connection; it must be sent before another one is made."""
        encoder = self._encoder
        block = self._whole.get((route, timeout_s)) if self._generation == encoder.generation else None
        if block is None:
            block = self._make(route, timeout_s)
        return block + encoder.encode(metadata) if metadata else block

    def _make(self, route: Route, timeout_s: float | None) -> bytes:
        block = self._routes.get(route) if self._generation == self._encoder.generation else None
        if block is None:
            block = self._encode(route)
        if timeout_s is not None:
            block += _timeout(_rounded(timeout_s))
        if route in self._routes:
            if len(self._whole) >= MAX_MEMOISED_TIMEOUTS:
                self._whole.clear()
            self._whole[route, timeout_s] = block
        return block

    def _encode(self, route: Route) -> bytes:
        encoder = self._encoder
        updates, before = encoder.size_updates(), encoder.generation
        block = encoder.encode(route.fields)
        if self._generation != encoder.generation or len(self._routes) >= MAX_MEMOISED_BLOCKS:
            self._routes.clear()
            self._whole.clear()
            self._generation = encoder.generation
        if before == encoder.generation and not updates:
            self._routes[route] = block
        return updates + block


def _rounded(timeout_s: float) -> float:
    """Up to three digits of milliseconds, as C-core does, so that what is left of a timeout is often said in one way.

    The server may give up one hundredth later than the client, never earlier.
    """
    milliseconds = math.ceil(timeout_s * 1000)
    step: int = 10 ** max(0, len(str(milliseconds)) - _TIMEOUT_DIGITS)
    return -(-milliseconds // step) * step / 1000


@lru_cache(maxsize=MAX_MEMOISED_TIMEOUTS)
def _timeout(timeout_s: float) -> bytes:
    return encode_constant(((b"grpc-timeout", format_timeout(timeout_s)),))
