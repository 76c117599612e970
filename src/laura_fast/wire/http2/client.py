"""The client's side of a connection: from requests to bytes, and from bytes to answers.

Theory: most calls are exchanges that never become a `Stream`, see there. Header blocks that change no table are decoded
once, and what the host made of them is remembered for their bytes. A stream of which the peer has sent everything is
over, whatever we still had to send: gRPC's trailers decide the call. So no stream is ever half-closed (remote) between
two reads.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from laura_fast.errors import ProtocolError
from laura_fast.limits import http2 as limits
from laura_fast.wire.http2 import constants as h2
from laura_fast.wire.http2 import frames
from laura_fast.wire.http2.answer_blocks import UNANSWERED
from laura_fast.wire.http2.connection import Connection
from laura_fast.wire.http2.constants import Setting
from laura_fast.wire.http2.errors import ErrorCode
from laura_fast.wire.http2.exchanges import LONGEST, Exchanges
from laura_fast.wire.http2.hpack_encoder import HeaderEncoder
from laura_fast.wire.http2.stream import Input, State, Stream

if TYPE_CHECKING:
    from collections.abc import Callable

    from laura_fast.wire.http2.answer_blocks import Block, Receiver
    from laura_fast.wire.http2.hpack_table import Fields

_read_head = frames.HEAD.unpack_from


class ClientConnection(Exchanges):
    """One connection to a server.

    Attributes:
        encoder: Our side of header compression: blocks must be sent in the order they are made.
        goaway_reason: Its text.
        failure: What the peer did wrong that ended the connection; empty if nothing.

    Args:
        prepare: Judges the fields of a header block; raises `RefusedFieldsError` where they are malformed.
    """

    def __init__(self, prepare: Callable[[Fields], Block]) -> None:
        super().__init__(prepare)
        self.encoder = HeaderEncoder()
        self.goaway_reason = b""
        self.failure = ""
        self._rest = b""
        self.out += _greeting()

    def open(self, receiver: Receiver, block: bytes) -> Stream:
        """Begins a request; its body follows with `send_data` and ends with `send_trailers` of an empty block."""
        stream = self._new_stream(receiver)
        self.send_headers(stream, block)
        return stream

    def request(self, receiver: Receiver, block: bytes, message: bytes) -> Stream:
        """Sends a whole request; `message` has its prefix. What the windows do not take now is queued."""
        size, room = len(message), self.peer.frame_bytes
        stream = self._new_stream(receiver)
        if not (len(block) <= room >= size and stream.send_window >= size <= self.window) or self.blocked:
            self.send_headers(stream, block)
            self.send_data(stream, message)
            self.send_trailers(stream, b"")
            return stream
        stream_id = stream.stream_id
        self.window -= size
        self.strikes = 0
        stream.state = State.HALF_CLOSED_LOCAL
        self.out += (
            frames.HEAD.pack(len(block) << 8 | h2.HEADERS, h2.END_HEADERS, stream_id),
            block,
            frames.HEAD.pack(size << 8, h2.END_STREAM, stream_id),
            message,
        )
        return stream

    def cancel(self, stream: Stream) -> None:
        """Gives a stream up."""
        if stream.state is not State.CLOSED:
            self.reset_stream(stream.stream_id, ErrorCode.CANCEL)

    def fail(self, error: ProtocolError) -> None:
        if not self.closed:
            self.closed = True
            self.failure = str(error)
            self._set_limits()
            self.out.append(frames.goaway(0, error.error_code, str(error).encode()[:200]))

    def receive(self, data: bytes, now: float) -> bool:
        """Handles received bytes. True when the turn's budget ended first: call again, with more bytes or none."""
        self.now = now
        if self.closed:
            return False
        if self._rest:
            data = self._rest + data
        try:
            position, more = self._take_frames(data)
        except ProtocolError as error:
            self._rest = b""
            self.fail(error)
            return False
        self._rest = data[position:] if position < len(data) else b""
        return more

    def _new_stream(self, receiver: Receiver) -> Stream:
        self.last_stream_id = stream_id = self.last_stream_id + 1 | 1
        if stream_id > limits.LAST_STREAM_ID_BEFORE_DRAIN:
            self._set_limits()
        stream = self.streams[stream_id] = Stream(stream_id, UNANSWERED, self.peer.initial_window, self.now)
        stream.call = receiver
        return stream

    # --- from frames to answers ----------------------------------------------------------------------------------

    def _take_frames(self, data: bytes) -> tuple[int, bool]:
        """Handles the complete frames: where the rest begins, and whether the budget ended first.

        The shortcut is paid for by bench.channel.
        """
        size, position, budget, pending = len(data), 0, limits.MAX_FRAMES_PER_TURN, self.pending
        if not self.settings_received and data.startswith(b"HTTP/1."):
            raise ProtocolError("that is an HTTP1.x server", ErrorCode.HTTP_1_1_REQUIRED)
        while size - position >= h2.FRAME_HEAD_BYTES:
            head, flags, stream_id = _read_head(data, position)
            if stream_id in pending and self._block_of is None:
                position, taken = self._take_answers(data, position, budget)
                if taken:
                    budget -= taken
                    continue
            if head > LONGEST and head >> 8 > limits.MAX_FRAME_BYTES:
                raise ProtocolError(f"frame of {head >> 8} bytes", ErrorCode.FRAME_SIZE_ERROR)
            start, end = position + 9, position + 9 + (head >> 8)
            if end > size:
                break
            if not budget:
                return position, True
            budget -= 1
            self._dispatch(head & 0xFF, flags, stream_id & h2.MAX_STREAM_ID, data[start:end])
            position = end
        return position, False

    def _dispatch(self, kind: int, flags: int, stream_id: int, payload: bytes) -> None:
        if self._block_of is not None and (kind != h2.CONTINUATION or stream_id != self._block_of[0]):
            raise ProtocolError("another frame inside a header block", ErrorCode.PROTOCOL_ERROR)
        if not self.settings_received and (kind != h2.SETTINGS or flags & h2.ACK):
            raise ProtocolError("the first frame is not SETTINGS: no HTTP/2 server", ErrorCode.PROTOCOL_ERROR)
        if stream_id in self.pending:
            self._open_pending(stream_id)
        try:
            _FRAMES.get(kind, Connection.on_unknown)(self, flags, stream_id, payload)
        except ProtocolError as error:
            if not error.stream_id:
                raise
            self._break(error.stream_id, error)

    def on_headers(self, flags: int, stream_id: int, payload: bytes) -> None:
        if flags | h2.END_STREAM == h2.END_HEADERS | h2.END_STREAM and stream_id & 1:
            self._take_block(stream_id, payload, ended=bool(flags & h2.END_STREAM))
        else:
            super().on_headers(flags, stream_id, payload)

    def on_data(self, flags: int, stream_id: int, payload: bytes) -> None:
        size = len(payload)
        self._credit(size)
        stream = self.streams.get(stream_id)
        data = frames.strip_padding(payload, flags)
        if not (data or flags & h2.END_STREAM):
            self._count_empty()
        if stream is None:
            self._on_closed(stream_id)
            return
        if stream.request is UNANSWERED:
            raise ProtocolError("DATA before HEADERS", ErrorCode.PROTOCOL_ERROR, stream_id)
        self.data_frames += 1
        stream.take_in(size)
        stream.count_content(len(data), ended=bool(flags & h2.END_STREAM))
        if len(data) < size:
            self.consume(stream, size - len(data))
        if data:
            stream.call.received(data)
        if flags & h2.END_STREAM and stream.state is not State.CLOSED:
            self._end(stream, None, only=False)

    def on_rst_stream(self, _flags: int, stream_id: int, payload: bytes) -> None:
        error_code = frames.number(payload, "RST_STREAM")
        stream = self.streams.get(stream_id)
        if stream is None:
            self._on_closed(stream_id)
            return
        self._close(stream, Input.RESET)
        if error_code == ErrorCode.REFUSED_STREAM:
            stream.call.unprocessed()
        else:
            stream.call.aborted(error_code, f"the server reset the stream: {_name(error_code)}")

    def on_settings(self, flags: int, stream_id: int, payload: bytes) -> None:
        before = self.peer.header_table_size
        super().on_settings(flags, stream_id, payload)
        self._set_limits()
        self.block_prefix = b""  # unlike a server's blocks, ours use the table: the encoder says how much of it
        if self.peer.header_table_size != before:
            self.encoder.limit_table(self.peer.header_table_size)

    def on_ping(self, flags: int, stream_id: int, payload: bytes) -> None:
        self._glitch()
        super().on_ping(flags, stream_id, payload)

    def on_goaway(self, flags: int, stream_id: int, payload: bytes) -> None:
        """RFC 9113 §6.8: streams above the last one were not processed; the others go on."""
        super().on_goaway(flags, stream_id, payload)
        self.goaway_code, self.goaway_reason = int.from_bytes(payload[4:8], "big"), payload[8:]
        self._set_limits()
        last = self.peer_last_stream_id or 0
        for pending_id in tuple(self.pending):
            self._open_pending(pending_id)
        for stream in [stream for stream in self.streams.values() if stream.stream_id > last]:
            self._close(stream, Input.RESET)
            stream.call.unprocessed()


_FRAMES: Final = {
    h2.DATA: ClientConnection.on_data,
    h2.HEADERS: ClientConnection.on_headers,
    h2.PRIORITY: ClientConnection.on_priority,
    h2.RST_STREAM: ClientConnection.on_rst_stream,
    h2.SETTINGS: ClientConnection.on_settings,
    h2.PUSH_PROMISE: ClientConnection.on_push_promise,
    h2.PING: ClientConnection.on_ping,
    h2.GOAWAY: ClientConnection.on_goaway,
    h2.WINDOW_UPDATE: ClientConnection.on_window_update,
    h2.CONTINUATION: ClientConnection.on_continuation,
}


def _name(error_code: int) -> str:
    return ErrorCode(error_code).name if error_code in ErrorCode._value2member_map_ else f"error {error_code}"


def _greeting() -> tuple[bytes, bytes, bytes]:
    """The preface, our SETTINGS, and the connection's window raised to what we mean it to be (RFC 9113 §3.4)."""
    settings: dict[int, int] = {
        Setting.ENABLE_PUSH: 0,
        Setting.MAX_HEADER_LIST_SIZE: limits.MAX_METADATA_BYTES,
        Setting.INITIAL_WINDOW_SIZE: limits.STREAM_WINDOW_BYTES,
    }
    widened = limits.CONNECTION_WINDOW_BYTES - h2.DEFAULT_WINDOW
    return h2.PREFACE, frames.settings(settings), frames.window_update(0, widened)
