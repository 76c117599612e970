"""The sending half of a connection: header blocks at once, DATA as windows and the socket allow, streams in turn."""

from __future__ import annotations

from typing import TYPE_CHECKING

from laura_fast.errors import ProtocolError
from laura_fast.limits import http2 as limits
from laura_fast.wire.http2 import constants as h2
from laura_fast.wire.http2 import frames
from laura_fast.wire.http2.errors import ErrorCode
from laura_fast.wire.http2.settings import PeerSettings
from laura_fast.wire.http2.stream import Input, State

if TYPE_CHECKING:
    from laura_fast.wire.http2.stream import Stream


_pack_head = frames.HEAD.pack


class Sender:
    """What goes out.

    Attributes:
        out: Pieces to write, in order; whoever writes them clears the list and calls `written`.
        streams: Open streams by id.
        peer: The peer's settings.
        window: Bytes of DATA the peer still takes on this connection.
        blocked: True while the socket takes no more; nothing is moved from the outboxes meanwhile.
        queued: Bytes of DATA in all outboxes.
        data_frames: DATA frames that moved either way outside the fast path: the measure of progress.
        strikes: Pings that came too early since we last sent HEADERS or DATA.
        block_prefix: What the next header block must begin with.
    """

    def __init__(self) -> None:
        self.out: list[bytes | memoryview] = []
        self.streams: dict[int, Stream] = {}
        self.peer = PeerSettings()
        self.window = h2.DEFAULT_WINDOW
        self.blocked = False
        self.queued = 0
        self.data_frames = 0
        self.strikes = 0
        self.block_prefix = b""
        self._turn_bytes = 0
        self._waiting: dict[int, Stream] = {}  # streams with queued DATA and an open window, next turn first

    def send_headers(self, stream: Stream, block: bytes, *, end_stream: bool = False) -> None:
        """Sends a header block; with `end_stream` it is a trailers-only answer."""
        self.strikes = 0
        if self.block_prefix:
            block, self.block_prefix = self.block_prefix + block, b""
        self.out.append(
            frames.headers(stream.stream_id, block, end_stream=end_stream, frame_bytes=self.peer.frame_bytes)
        )
        if end_stream:
            self._ended(stream)

    def send_data(self, stream: Stream, data: bytes) -> bool:
        """Sends `data`, or queues it. True while the stream has room for more; else wait for `stream.on_room`."""
        size = len(data)
        self._turn_bytes += size + limits.SEND_TURN_MESSAGE_BYTES
        if (
            not stream.queued
            and size <= stream.send_window
            and size <= self.window
            and size <= self.peer.frame_bytes
            and not self.blocked
            and self._turn_bytes <= limits.SEND_TURN_BYTES
        ):
            self._emit(stream, data, 0)
            return True
        stream.enqueue(data)
        self.queued += size
        self._waiting[stream.stream_id] = stream
        return stream.queued <= limits.STREAM_QUEUE_BYTES and self._turn_bytes <= limits.SEND_TURN_BYTES

    def send_trailers(self, stream: Stream, block: bytes) -> None:
        """Ends the stream behind what is queued, with a trailer block or, where it is empty, an empty DATA frame."""
        if stream.queued:
            stream.trailers = block
        elif block:
            self.send_headers(stream, block, end_stream=True)
        else:
            self._emit(stream, b"", h2.END_STREAM)
            self._ended(stream)

    def send_whole(self, stream: Stream, answer: bytes, size: int) -> None:
        """Sends a whole answer, frames and all, of which `size` bytes count as DATA."""
        self.window -= size
        self.strikes = 0
        self.out.append(answer)
        self._ended(stream)

    def send_body(self, stream: Stream, body: bytes) -> None:
        """Ends an answer that has no trailers: an HTTP client's. What its window can't take waits like any DATA."""
        self.send_data(stream, body)
        self.send_trailers(stream, b"")

    def pump(self) -> bool:
        """Moves queued DATA to `out`, at most `SEND_TURN_BYTES` of it. True when another turn could move more."""
        waiting, budget = self._waiting, limits.SEND_TURN_BYTES
        while waiting and budget > 0 and self.window > 0 and not self.blocked:
            stream_id, stream = next(iter(waiting.items()))
            del waiting[stream_id]
            size = min(stream.send_window, self.window, self.peer.frame_bytes)
            if size <= 0:
                continue  # WINDOW_UPDATE puts it back
            piece = stream.dequeue(size)
            self.queued -= len(piece)
            self._emit(stream, piece, 0)
            budget -= len(piece) + limits.SEND_TURN_MESSAGE_BYTES
            self._moved(stream)
        return bool(waiting) and self.window > 0 and not self.blocked

    def written(self) -> None:
        """A new turn of the loop begins; handlers that had used up the last one go on."""
        self._turn_bytes = 0

    def reset_stream(self, stream_id: int, error_code: int) -> None:
        """Sends RST_STREAM and forgets the stream."""
        self.out.append(frames.rst_stream(stream_id, error_code))
        self._remember_reset(stream_id)
        stream = self.streams.get(stream_id)
        if stream is not None:
            self._close(stream, Input.RESET)

    def _emit(self, stream: Stream, piece: bytes | memoryview, flags: int) -> None:
        size = len(piece)
        stream.send_window -= size
        self.window -= size
        self.data_frames += 1
        self.strikes = 0
        self.out += _pack_head(size << 8, flags, stream.stream_id), piece  # the type of DATA is 0

    def _moved(self, stream: Stream) -> None:
        """Continues with what follows the piece just sent: more DATA, trailers, or a handler that waits for room."""
        if stream.queued:
            self._waiting[stream.stream_id] = stream
        elif stream.trailers is not None:
            self.send_trailers(stream, stream.trailers)
        if stream.on_room is not None and stream.queued <= limits.STREAM_QUEUE_BYTES // 2:
            on_room, stream.on_room = stream.on_room, None
            on_room()

    def _ended(self, stream: Stream) -> None:
        """END_STREAM was sent. A peer that is still sending is told to stop (RFC 9113 §8.1)."""
        self._close(stream, Input.END_SENT)
        if stream.state is State.HALF_CLOSED_LOCAL:
            self.reset_stream(stream.stream_id, ErrorCode.NO_ERROR)

    def _close(self, stream: Stream, event: Input) -> None:
        stream.step(event)
        if stream.state is State.CLOSED:
            self.streams.pop(stream.stream_id, None)
            self._waiting.pop(stream.stream_id, None)
            self.queued -= stream.queued
            stream.clear()

    def _remember_reset(self, stream_id: int) -> None:
        raise NotImplementedError

    def _widen(self, stream_id: int, increment: int) -> None:
        """WINDOW_UPDATE (RFC 9113 §6.9)."""
        if not stream_id:
            self.window += increment
            if self.window > h2.MAX_WINDOW:
                raise ProtocolError("connection window overflow", ErrorCode.FLOW_CONTROL_ERROR)
            return
        stream = self.streams.get(stream_id)
        if stream is not None:
            stream.widen(increment)
            self._resume(stream)

    def _resume(self, stream: Stream) -> None:
        if stream.queued and stream.send_window > 0:
            self._waiting[stream.stream_id] = stream

    def _change_initial_window(self, change: int) -> None:
        """Applies a new SETTINGS_INITIAL_WINDOW_SIZE to the open streams (RFC 9113 §6.9.2)."""
        for stream in self.streams.values():
            stream.send_window += change
            if stream.send_window > h2.MAX_WINDOW:
                raise ProtocolError("SETTINGS overflow a stream window", ErrorCode.FLOW_CONTROL_ERROR)
            self._resume(stream)
