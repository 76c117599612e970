"""Unary calls without a stream: a whole request there, a whole answer back.

Theory: a unary request is one piece of bytes, HEADERS and DATA with END_STREAM; its answer is mostly HEADERS, DATA and
trailers in one read. Such a call is an entry in `pending` until its answer is taken in one step. Any other frame on it,
or an answer that is not that simple, makes it a `Stream` first. Paid for by bench.channel.
"""

from __future__ import annotations

import struct
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from laura_fast import limits
from laura_fast.wire.http2 import constants as h2
from laura_fast.wire.http2 import frames
from laura_fast.wire.http2.answer_blocks import UNANSWERED, AnswerBlocks
from laura_fast.wire.http2.errors import ErrorCode
from laura_fast.wire.http2.stream import State, Stream

if TYPE_CHECKING:
    from collections.abc import Callable

    from laura_fast.wire.http2.answer_blocks import Block, Receiver
    from laura_fast.wire.http2.hpack_table import Fields

_read_head = frames.HEAD.unpack_from
LONGEST: Final = limits.MAX_FRAME_BYTES << 8 | 0xFF
"""The greatest first word of a frame head that we allow: length and type."""

_LAST: Final = h2.END_HEADERS | h2.END_STREAM
_PREFIX_BYTES: Final = 5


class Exchanges(AnswerBlocks):
    """The part of a client's connection that has no streams.

    Attributes:
        goaway_code: Error code of the peer's GOAWAY; None before one.
        limit: How many streams and pending requests there may be; 0 once the peer or we are about to close.
        pending: Who waits for the answer to a request that went out whole and needs no stream, by stream id.
    """

    def __init__(self, prepare: Callable[[Fields], Block]) -> None:
        super().__init__(prepare)
        self.goaway_code: int | None = None
        self.pending: dict[int, Receiver] = {}
        self._set_limits()

    @property
    def receivers(self) -> list[Receiver]:
        """Everyone who waits for an answer, or for the rest of one."""
        return [*self.pending.values(), *(stream.call for stream in self.streams.values())]

    def exchange(self, receiver: Receiver, block: bytes, message: bytes) -> int:
        """Sends a request of one message, whose prefix is put in front here.

        The stream id; 0 = nothing is sent, as it does not fit: `request` must do it.
        """
        size, block_size = len(message), len(block)
        length = size + _PREFIX_BYTES
        if length > self._whole_bytes or length > self.window or block_size > h2.DEFAULT_FRAME_BYTES or self.blocked:
            return 0
        self.last_stream_id = stream_id = self.last_stream_id + 1 | 1
        if stream_id > limits.LAST_STREAM_ID_BEFORE_DRAIN:
            self._set_limits()
        self.pending[stream_id] = receiver
        self.window -= length
        self.strikes = 0
        head = _pack_request(block_size)(
            block_size << 8 | 1, h2.END_HEADERS, stream_id, block, length << 8, h2.END_STREAM, stream_id, 0, size
        )
        self.out += head, message
        return stream_id

    def withdraw(self, stream_id: int) -> None:
        """Gives an `exchange` up."""
        if self.pending.pop(stream_id, None) is not None:
            self.reset_stream(stream_id, ErrorCode.CANCEL)

    def _set_limits(self) -> None:
        ending = self.closed or self.goaway_code is not None
        ending = ending or self.last_stream_id > limits.LAST_STREAM_ID_BEFORE_DRAIN
        self.limit = 0 if ending else self.peer.max_concurrent_streams
        self._whole_bytes = min(self.peer.frame_bytes, self.peer.initial_window)

    def _take_answers(self, data: bytes, start: int, most: int) -> tuple[int, int]:
        """Takes whole ordinary answers, `most` of them: where the first other frame begins, and how many were taken.

        They are alike, so what is in front of the first one's body says how long that of the others is. Their header
        blocks were seen before, so they leave the decoder's table alone.
        """
        pending, first_of, last_of = self.pending, self._firsts.get, self._lasts.get
        size, taken, received = len(data), 0, 0
        front, front_bytes = _front(int.from_bytes(data[start : start + 3], "big"))
        while size - start >= front_bytes + h2.FRAME_HEAD_BYTES and taken < most:
            first_head, first_flags, stream_id, block, head, flags, body_id = front(data, start)
            first = first_of(block)
            body = start + front_bytes
            trailers = body + (head >> 8)
            if (
                first is None
                or first_head != len(block) << 8 | h2.HEADERS
                or first_flags != h2.END_HEADERS
                or head & 0xFF != h2.DATA
                or flags
                or head > LONGEST
                or trailers + h2.FRAME_HEAD_BYTES > size
            ):
                break
            last_head, last_flags, last_id = _read_head(data, trailers)
            end: int = trailers + h2.FRAME_HEAD_BYTES + (last_head >> 8)
            last = last_of(data[trailers + h2.FRAME_HEAD_BYTES : end])
            receiver = pending.get(stream_id)
            if (
                last is None
                or last_head & 0xFF != h2.HEADERS
                or last_flags != _LAST
                or end > size
                or receiver is None
                or not body_id == last_id == stream_id
                or not receiver.answered(first, data, body, trailers, last)
            ):
                break
            pending.pop(stream_id, None)
            start = end
            taken += 1
            received += head >> 8
        self.data_frames += taken
        if received:
            self._credit(received)
        return start, taken

    def _open_pending(self, stream_id: int) -> None:
        """Makes a pending request a stream. Everything was sent on it, so its window does not matter."""
        receiver = self.pending.pop(stream_id)
        stream = self.streams[stream_id] = Stream(stream_id, UNANSWERED, 0, self.now)
        stream.state = State.HALF_CLOSED_LOCAL
        stream.call = receiver
        receiver.opened(stream)


@lru_cache(maxsize=limits.MAX_MEMOISED_BLOCKS)
def _pack_request(block_bytes: int) -> Callable[..., bytes]:
    """Packs HEADERS with a block of this length, the head of DATA behind it, and a message's prefix."""
    return struct.Struct(f">IBI{block_bytes}sIBIBI").pack


@lru_cache(maxsize=limits.MAX_MEMOISED_BLOCKS)
def _front(block_bytes: int) -> tuple[Callable[..., Any], int]:
    """Reads HEADERS with a block of this length and the head of DATA behind it; and how long they are."""
    front = struct.Struct(f">IBI{block_bytes}sIBI")
    return front.unpack_from, front.size
