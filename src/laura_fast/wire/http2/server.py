"""The server's side of a connection: from bytes to requests.

Theory: a gRPC call is nearly always one HEADERS frame and one DATA frame with END_STREAM that arrive in one read. Such
a request never becomes a `Stream`: it is taken in a run, see `Runs`, or it is an entry in `_pending` between its two
frames, and then the host gets it whole. Whatever is left in `_pending` at the end of a read, or is not that simple,
becomes a `Stream`. Header blocks that change no table are decoded once; the host's prepared request is remembered for
the block's bytes.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final

from laura_fast.errors import ProtocolError
from laura_fast.limits import http2 as limits
from laura_fast.wire.http2 import constants as h2
from laura_fast.wire.http2 import frames
from laura_fast.wire.http2.connection import Connection
from laura_fast.wire.http2.constants import Setting
from laura_fast.wire.http2.errors import ErrorCode
from laura_fast.wire.http2.runs import Runs
from laura_fast.wire.http2.stream import Input

if TYPE_CHECKING:
    from laura_fast.wire.http2.header_blocks import Host, Request

_read_head = frames.HEAD.unpack_from
_LONGEST: Final = limits.MAX_FRAME_BYTES << 8 | 0xFF
"""The greatest first word of a frame head that we allow: length and type."""


class ServerConnection(Runs):
    """One client's connection.

    Attributes:
        partial_since: When the first byte of the frame that is still incomplete arrived, or None.
    """

    def __init__(self, host: Host, max_streams: int, min_ping_interval_s: float) -> None:
        super().__init__(host, max_streams, min_ping_interval_s)
        self.partial_since: float | None = None
        self._rest = b""
        self._preface_seen = False
        self.out += _greeting(max_streams)

    def can_answer(self, size: int) -> bool:
        """A request that came whole may be answered at once with `size` bytes of DATA: nothing is in the way."""
        return size <= self.window and size <= self.peer.initial_window and not (self.blocked or self.block_prefix)

    def receive(self, data: bytes, now: float) -> bool:
        """Handles received bytes. True when the turn's budget ended first: call again, with more bytes or none."""
        self.now = now
        if self.closed:
            return False
        if self._rest:
            data = self._rest + data
        try:
            position, more = self._take_frames(data, self._skip_preface(data))
            if self._pending:
                self._open_pending()
            if self._early_room:
                self._early_room.clear()
        except ProtocolError as error:
            self._rest, self.partial_since = b"", None
            self.fail(error)
            return False
        if position < len(data):
            self._rest = data[position:]
            if position or self.partial_since is None:
                self.partial_since = now
        else:
            self._rest, self.partial_since = b"", None
        return more

    def _skip_preface(self, data: bytes) -> int:
        """Position of the first frame; nothing is read before the preface is complete (RFC 9113 §3.4)."""
        if self._preface_seen:
            return 0
        if data.startswith(h2.PREFACE):
            self._preface_seen = True
            return len(h2.PREFACE)
        if not h2.PREFACE.startswith(data):
            raise ProtocolError("no HTTP/2 connection preface", ErrorCode.PROTOCOL_ERROR)
        return 0

    def _take_frames(self, data: bytes, position: int) -> tuple[int, bool]:  # noqa: C901, PLR0912, PLR0915  # shortcuts
        """Handles the complete frames from `position` on: where the rest begins, and whether the budget ended first.

        The shortcuts are paid for by bench/test_heartbeat.py and bench.transport: HEADERS and DATA together are a whole
        unary request, grpcio sends two WINDOW_UPDATE frames with each, and plain DATA are the messages of a stream.
        """
        size, memo, pending, streams = len(data), self._memo, self._pending, self.streams
        whole, piece = self._host.whole, self._host.received
        budget, received, updates, more = limits.MAX_FRAMES_PER_TURN, 0, 0, False
        simple = self._is_simple()
        while self._preface_seen and size - position >= h2.FRAME_HEAD_BYTES:
            head, flags, stream_id = _read_head(data, position)
            if head > _LONGEST and head >> 8 > limits.MAX_FRAME_BYTES:
                raise ProtocolError(f"frame of {head >> 8} bytes", ErrorCode.FRAME_SIZE_ERROR)
            start, end = position + 9, position + 9 + (head >> 8)
            if end > size:
                break
            if not budget:
                more = True
                break
            budget -= 1
            kind = head & 0xFF
            if kind == h2.DATA and flags == h2.END_STREAM and stream_id in pending and simple:
                position, taken = self._take_bodies(data, position, budget + 1)
                if taken:
                    budget -= taken - 1
                    continue
                received += end - start
                whole(stream_id, pending.pop(stream_id), data[start:end])
            elif kind == h2.HEADERS and flags == h2.END_HEADERS and stream_id == self.last_stream_id + 2 and simple:
                block = data[start:end]
                request = memo.get(block)
                room = self._max_streams - len(streams) - len(pending) - self.running
                if request is None or room <= 0:
                    self._take_simple_block(stream_id, block, request)
                else:
                    if end + 3 < size and not data[end + 3] and request.content_length is None:  # DATA is right behind
                        position, taken = self._take_run(data, position, block, request, min(room, budget + 1 >> 1))
                        if taken:
                            budget -= 2 * taken - 1
                            continue
                    self.last_stream_id = stream_id
                    pending[stream_id] = request
            elif (
                kind == h2.DATA
                and not flags
                and simple
                and (stream := streams.get(stream_id)) is not None
                and stream.takes(end - start)
            ):
                received += end - start
                self.data_frames += 1
                piece(stream, data[start:end])
            elif kind == h2.WINDOW_UPDATE and (stream_id == 0 or stream_id in pending) and simple:
                updates += 1
                self._widen_early(stream_id, data[start:end])
            else:
                self._dispatch(kind, flags, stream_id & h2.MAX_STREAM_ID, data[start:end])
                simple = self._is_simple()
            position = end
        if received:
            self._credit(received)
        if updates:
            self._glitch(updates)
        return position, more

    def _take_simple_block(self, stream_id: int, block: bytes, request: Request | None) -> None:
        """The next stream's header block in one frame, not seen before: calls with their own deadlines."""
        if not stream_id & 1:
            raise ProtocolError(f"HEADERS on stream {stream_id}", ErrorCode.PROTOCOL_ERROR)
        self.last_stream_id = stream_id
        try:
            if request is None:
                request = self._prepare(stream_id, block)
            if self._has_room(stream_id):
                self._admit(stream_id, request, ended=False)
        except ProtocolError as error:
            self._end_stream_of(error)

    def _widen_early(self, stream_id: int, payload: bytes) -> None:
        """WINDOW_UPDATE of the connection, or of a stream whose body is not here yet."""
        try:
            self._widen(stream_id, frames.increment(payload))
        except ProtocolError as error:
            self._end_stream_of(error)

    def _end_stream_of(self, error: ProtocolError) -> None:
        if not error.stream_id:
            raise error
        self._abort(error.stream_id, error.error_code)

    def _is_simple(self) -> bool:
        """The connection is in the state in which the shortcuts hold."""
        return self.settings_received and self._block_of is None and self.draining < 2  # noqa: PLR2004  # see `draining`

    def _dispatch(self, kind: int, flags: int, stream_id: int, payload: bytes) -> None:
        if self._block_of is not None and (kind != h2.CONTINUATION or stream_id != self._block_of[0]):
            raise ProtocolError("another frame inside a header block", ErrorCode.PROTOCOL_ERROR)
        if not self.settings_received and (kind != h2.SETTINGS or flags & h2.ACK):
            raise ProtocolError("the first frame is not SETTINGS", ErrorCode.PROTOCOL_ERROR)
        if stream_id in self._pending and kind != h2.WINDOW_UPDATE:
            self._open(stream_id, self._pending.pop(stream_id))
        try:
            _FRAMES.get(kind, Connection.on_unknown)(self, flags, stream_id, payload)
        except ProtocolError as error:
            self._end_stream_of(error)

    def on_data(self, flags: int, stream_id: int, payload: bytes) -> None:
        self._credit(len(payload))
        self._require_not_idle(stream_id, "DATA")
        if not stream_id:
            raise ProtocolError("DATA on stream 0", ErrorCode.PROTOCOL_ERROR)
        ended = bool(flags & h2.END_STREAM)
        data = frames.strip_padding(payload, flags)
        if not (data or ended):
            self._count_empty()
        stream = self.streams.get(stream_id)
        if stream is None:
            self._on_closed(stream_id)
            return
        self.data_frames += bool(data)
        if not stream.receiving:
            stream.step(Input.RECEIVED)
        stream.take_in(len(payload))
        stream.count_content(len(data), ended=ended)
        if len(data) < len(payload):
            self.consume(stream, len(payload) - len(data))
        if data:
            self._host.received(stream, data)
        if ended and stream_id in self.streams:
            self._end(stream)

    def on_rst_stream(self, _flags: int, stream_id: int, payload: bytes) -> None:
        error_code = frames.number(payload, "RST_STREAM")
        self._require_not_idle(stream_id, "RST_STREAM")
        if not stream_id:
            raise ProtocolError("RST_STREAM on stream 0", ErrorCode.PROTOCOL_ERROR)
        stream = self.streams.get(stream_id)
        if stream is None:
            self._glitch()  # crossed our own end of the stream
            return
        self._count_reset()
        self._close(stream, Input.RESET)
        self._host.aborted(stream, error_code)


_FRAMES: Final = {
    h2.DATA: ServerConnection.on_data,
    h2.HEADERS: ServerConnection.on_headers,
    h2.PRIORITY: ServerConnection.on_priority,
    h2.RST_STREAM: ServerConnection.on_rst_stream,
    h2.SETTINGS: ServerConnection.on_settings,
    h2.PUSH_PROMISE: ServerConnection.on_push_promise,
    h2.PING: ServerConnection.on_ping,
    h2.GOAWAY: ServerConnection.on_goaway,
    h2.WINDOW_UPDATE: ServerConnection.on_window_update,
    h2.CONTINUATION: ServerConnection.on_continuation,
}


@cache
def _greeting(max_streams: int) -> tuple[bytes, bytes]:
    """Our SETTINGS, and the connection's window raised to what we mean it to be."""
    settings: dict[int, int] = {
        Setting.MAX_CONCURRENT_STREAMS: max_streams,
        Setting.MAX_HEADER_LIST_SIZE: limits.MAX_METADATA_BYTES,
        Setting.INITIAL_WINDOW_SIZE: limits.STREAM_WINDOW_BYTES,
    }
    widened = limits.CONNECTION_WINDOW_BYTES - h2.DEFAULT_WINDOW
    return frames.settings(settings), frames.window_update(0, widened)
