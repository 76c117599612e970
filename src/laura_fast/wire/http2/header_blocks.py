"""From header blocks to requests: decoding, limits, opening and refusing streams."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from laura_fast.errors import ProtocolError
from laura_fast.limits import http2 as limits
from laura_fast.wire.http2 import constants as h2
from laura_fast.wire.http2 import frames
from laura_fast.wire.http2.errors import ErrorCode, RefusedFieldsError
from laura_fast.wire.http2.header_assembly import HeaderAssembly
from laura_fast.wire.http2.hpack_decoder import HeaderDecoder
from laura_fast.wire.http2.request import check_fields
from laura_fast.wire.http2.stream import Input, Stream

if TYPE_CHECKING:
    from collections.abc import Sequence

    from laura_fast.wire.http2.hpack_table import Fields


class Request(Protocol):
    """What the host made of a header block; the connection only needs to know two things."""

    content_length: int | None
    takes_whole: bool
    """The host wants the request through `Host.whole` if it arrives in one read."""


class Host(Protocol):
    """Who serves the requests. No method may raise or block."""

    def prepare(self, common: Fields, own: Fields) -> Request:
        """Judges a header block, given in the two parts of `HeaderDecoder.split`.

        Raises:
            RefusedFieldsError: The request is malformed; its stream is reset.
        """

    def whole(self, stream_id: int, request: Any, body: bytes) -> None:
        """A request with `takes_whole` arrived with its whole body. There is no `Stream`: see `adopt`."""

    def run(self, request: Any, run: Sequence[tuple[int, bytes]]) -> None:
        """Several such requests in order: the stream and the one plain message of each, without its prefix.

        They were prepared as one, and state no content-length.
        """

    def opened(self, stream: Stream) -> None:
        """A request began; its body follows."""

    def received(self, stream: Stream, data: bytes) -> None:
        """A piece of the body. Give its bytes back with `consume` when they are done with."""

    def ended(self, stream: Stream) -> None:
        """The body is complete."""

    def aborted(self, stream: Stream, error_code: int) -> None:
        """The stream was reset, by the peer or for the peer's fault."""


class HeaderBlocks(HeaderAssembly):
    """The part of a server's connection that turns header blocks into streams.

    Attributes:
        running: Handlers still at work for streams that are gone: they count against the limit of streams.
    """

    def __init__(self, host: Host, max_streams: int, min_ping_interval_s: float) -> None:
        super().__init__(min_ping_interval_s)
        self.running = 0
        self._host = host
        self._max_streams = max_streams
        self._decoder = HeaderDecoder()
        self._pending: dict[int, Request] = {}  # headers seen, body not yet; empty between reads
        self._early_room: dict[int, int] = {}  # by how much their windows were widened; empty between reads
        self._memo: dict[bytes, Request] = {}  # valid for one generation of the decoder
        self._skipped = range(0)  # stream ids that the client passed over last

    def adopt(self, stream_id: int, request: Request) -> Stream:
        """Makes a stream for a request that came to `Host.whole`, for an answer that can't be sent at once."""
        stream = self._new_stream(stream_id, request)
        stream.step(Input.END_RECEIVED)
        return stream

    def refuse(self, stream: Stream, error_code: int) -> None:
        """Resets a stream whose request is malformed (RFC 9113 §8.1.1)."""
        self._abort(stream.stream_id, error_code)

    def _take_block(self, stream_id: int, block: bytes, *, ended: bool) -> None:
        if stream_id <= self.last_stream_id:
            self._take_trailers(stream_id, block, ended=ended)
            return
        skipped = range(self.last_stream_id + 1 | 1, stream_id, 2)
        if skipped:
            self._skipped = skipped
            self._passed_over += len(skipped)
        self.last_stream_id = stream_id
        request = self._memo.get(block)
        if request is None:
            request = self._prepare(stream_id, block)
        if self._has_room(stream_id):
            self._admit(stream_id, request, ended=ended)

    def _admit(self, stream_id: int, request: Request, *, ended: bool) -> None:
        if request.takes_whole and not ended:
            self._pending[stream_id] = request
            return
        stream = self._open(stream_id, request)
        if ended and stream_id in self.streams:
            stream.count_content(0, ended=True)
            self._end(stream)

    def _prepare(self, stream_id: int, block: bytes) -> Request:
        """Decodes a block even where the stream is then refused, because it changes the table (RFC 9113 §4.3)."""
        decoder, memo = self._decoder, self._memo
        generation = decoder.generation
        try:
            request = self._host.prepare(*decoder.split(block))
        except RefusedFieldsError as error:
            memo.clear()
            raise ProtocolError(str(error), error.error_code, stream_id) from None
        if generation != decoder.generation or len(memo) >= limits.MAX_MEMOISED_BLOCKS:
            memo.clear()
        if generation == decoder.generation and len(block) <= limits.MAX_MEMOISED_BLOCK_BYTES and request.takes_whole:
            memo[block] = request
        return request

    def _has_room(self, stream_id: int) -> bool:
        """Refuses a stream beyond the limit, or behind our last GOAWAY; the client may repeat it (RFC 9113 §8.7)."""
        if self.draining == 2:  # noqa: PLR2004  # see `draining`
            self.out.append(frames.rst_stream(stream_id, ErrorCode.REFUSED_STREAM))
            self._remember_reset(stream_id)
            return False
        if len(self.streams) + len(self._pending) + self.running < self._max_streams:
            return True
        self._count_reset()
        self.reset_stream(stream_id, ErrorCode.REFUSED_STREAM)
        return False

    def _take_trailers(self, stream_id: int, block: bytes, *, ended: bool) -> None:
        """A second header block on a stream: its content has no meaning in gRPC, its form is checked."""
        try:
            fields = self._decoder.decode(block)
            self._memo.clear()
            stream = self.streams.get(stream_id)
            if stream is None:
                self._on_closed(stream_id)
                return
            stream.step(Input.RECEIVED)
            check_fields(fields)
        except RefusedFieldsError as error:
            raise ProtocolError(str(error), error.error_code, stream_id) from None
        if not ended:
            raise ProtocolError("HEADERS inside a body", ErrorCode.PROTOCOL_ERROR, stream_id)
        stream.count_content(0, ended=True)
        self._end(stream)

    def _on_closed(self, stream_id: int) -> None:
        """DATA or HEADERS on a stream that is gone: excused if we ended it, as the peer may not know yet."""
        if stream_id in self._reset_by_us:
            self._glitch()
            return
        if stream_id in self._skipped:
            # RFC 9113 §5.1.1: passing over an id closes it without use.
            raise ProtocolError(f"stream id {stream_id} after a higher one", ErrorCode.PROTOCOL_ERROR)
        raise ProtocolError(f"frame on closed stream {stream_id}", ErrorCode.STREAM_CLOSED)

    def _open(self, stream_id: int, request: Request) -> Stream:
        stream = self._new_stream(stream_id, request)
        self._host.opened(stream)
        return stream

    def _new_stream(self, stream_id: int, request: Request) -> Stream:
        window = self.peer.initial_window + self._early_room.pop(stream_id, 0)
        stream = self.streams[stream_id] = Stream(stream_id, request, window, self.now)
        return stream

    def _open_pending(self) -> None:
        while self._pending:
            self._open(*self._pending.popitem())

    def _widen(self, stream_id: int, increment: int) -> None:
        """Lets a pending request pending: grpcio widens the window of each call between its headers and its body.

        Paid for by bench.transport: as a stream, such a call costs twice as much.
        """
        if stream_id not in self._pending:
            super()._widen(stream_id, increment)
            return
        room = self._early_room[stream_id] = self._early_room.get(stream_id, 0) + increment
        if self.peer.initial_window + room > h2.MAX_WINDOW:
            self._early_room[stream_id] -= increment
            self._open(stream_id, self._pending.pop(stream_id))
            super()._widen(stream_id, increment)

    def _change_initial_window(self, change: int) -> None:
        self._open_pending()  # the sum with what they were widened by must be checked
        super()._change_initial_window(change)

    def _end(self, stream: Stream) -> None:
        self._close(stream, Input.END_RECEIVED)
        self._host.ended(stream)

    def _abort(self, stream_id: int, error_code: int) -> None:
        """Resets a stream for the peer's fault."""
        self._count_reset()
        stream = self.streams.get(stream_id)
        self.reset_stream(stream_id, error_code)
        if stream is not None:
            self._host.aborted(stream, error_code)
