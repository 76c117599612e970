"""Header blocks put together from HEADERS and CONTINUATION frames, for either role (RFC 9113 §4.3)."""

from __future__ import annotations

from laura_fast.errors import ProtocolError
from laura_fast.limits import http2 as limits
from laura_fast.wire.http2 import constants as h2
from laura_fast.wire.http2 import frames
from laura_fast.wire.http2.connection import Connection
from laura_fast.wire.http2.errors import ErrorCode


class HeaderAssembly(Connection):
    """The part of a connection that hands over complete header blocks.

    Attributes:
        block_since: When the header block that is still incomplete began, or None.
    """

    def __init__(self, min_ping_interval_s: float) -> None:
        super().__init__(min_ping_interval_s)
        self.block_since: float | None = None
        self._block_of: tuple[int, int] | None = None  # stream and flags of the incomplete header block
        self._fragments: list[bytes] = []

    def on_headers(self, flags: int, stream_id: int, payload: bytes) -> None:
        if not stream_id & 1:
            raise ProtocolError(f"HEADERS on stream {stream_id}", ErrorCode.PROTOCOL_ERROR)
        self._block_of = stream_id, flags
        self.block_since = self.now
        self._add_fragment(frames.strip_priority(frames.strip_padding(payload, flags), flags, stream_id), flags)

    def on_continuation(self, flags: int, _stream_id: int, payload: bytes) -> None:
        if self._block_of is None:
            raise ProtocolError("CONTINUATION without HEADERS", ErrorCode.PROTOCOL_ERROR)
        if len(self._fragments) > limits.MAX_CONTINUATION_FRAMES:
            raise ProtocolError("too many CONTINUATION frames", ErrorCode.ENHANCE_YOUR_CALM)
        self._add_fragment(payload, flags)

    def _add_fragment(self, fragment: bytes, flags: int) -> None:
        assert self._block_of is not None  # noqa: S101  # both callers saw to it
        self._fragments.append(fragment)
        if not fragment:
            self._count_empty()
        if sum(map(len, self._fragments)) > limits.MAX_HEADER_BLOCK_BYTES:
            raise ProtocolError("header block too large", ErrorCode.ENHANCE_YOUR_CALM)
        if flags & h2.END_HEADERS:
            (stream_id, first_flags), block = self._block_of, b"".join(self._fragments)
            self._block_of = self.block_since = None
            self._fragments.clear()
            self._take_block(stream_id, block, ended=bool(first_flags & h2.END_STREAM))

    def _take_block(self, stream_id: int, block: bytes, *, ended: bool) -> None:
        """A block is complete."""
        raise NotImplementedError
