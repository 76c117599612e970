"""Unary calls without a stream: a whole request there, a whole answer back.

Theory: a unary request is one piece of bytes, HEADERS and DATA with END_STREAM; its answer is mostly HEADERS, DATA and
trailers in one read. Such a call is an entry in `pending` until its answer is taken in one step. Any other frame on it,
or an answer that is not that simple, makes it a `Stream` first. Paid for by bench.channel.
"""

from __future__ import annotations

import struct
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from laura_fast.limits import http2 as limits
from laura_fast.wire.http2 import constants as h2
from laura_fast.wire.http2 import frames
from laura_fast.wire.http2.answer_blocks import UNANSWERED, AnswerBlocks
from laura_fast.wire.http2.errors import ErrorCode
from laura_fast.wire.http2.stream import State, Stream

if TYPE_CHECKING:
    from collections.abc import Callable

    from laura_fast.wire.http2.answer_blocks import Block, Receiver
    from laura_fast.wire.http2.hpack_table import Fields

LONGEST: Final = limits.MAX_FRAME_BYTES << 8 | 0xFF
"""The greatest first word of a frame head that we allow: length and type."""

_FRAME_BYTES: Final = h2.DEFAULT_FRAME_BYTES
_LAST_ID: Final = limits.LAST_STREAM_ID_BEFORE_DRAIN
_PREFIX_BYTES: Final = 5
_LONGEST_MESSAGE: Final = limits.MAX_FRAME_BYTES - _PREFIX_BYTES
_KIND_BYTES: Final = 5
"""A frame head but for the stream: length, type and flags."""

_FIRST_KIND: Final = bytes((h2.HEADERS, h2.END_HEADERS))
_LAST_KIND: Final = bytes((h2.HEADERS, h2.END_HEADERS | h2.END_STREAM))


class _Around(NamedTuple):
    """What is around the message of an answer: HEADERS and the head of DATA in front of it, trailers behind it."""

    front: Callable[..., Any]
    front_bytes: int
    back: Callable[..., Any]
    back_bytes: int
    head: bytes
    block: bytes
    tail: bytes
    last_block: bytes
    first: Block
    last: Block


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
        size, block_bytes = len(message), len(block)
        length = size + _PREFIX_BYTES
        if length > self._whole_bytes or length > self.window or block_bytes > _FRAME_BYTES or self.blocked:
            return 0
        self.last_stream_id = stream_id = self.last_stream_id + 1 | 1
        if stream_id > _LAST_ID:
            self._set_limits()
        self.pending[stream_id] = receiver
        self.window -= length
        self.strikes = 0
        pack, head = _request(block_bytes)
        self.out += pack(head, stream_id, block, length << 8, h2.END_STREAM, stream_id, 0, size), message
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

        They are alike: what is around the first one's message is around the others' too. The header blocks were seen
        before, so they leave the decoder's table alone.
        """
        around = self._around(data, start)
        if around is None:
            return start, 0
        front, front_bytes, back, back_bytes, head, block, tail, last_block, first, last = around
        pending, longest, begun, taken = self.pending, _LONGEST_MESSAGE, start, 0
        size, last_start = len(data), len(data) - front_bytes
        for taken in range(most):  # noqa: B007  # how many, where it is left early
            if start > last_start:
                break
            its_head, stream_id, its_block, body_head, flags, body_id, packed, length = front(data, start)
            body = start + front_bytes
            end = body + length
            if length > longest or end + back_bytes > size:
                break
            its_tail, last_id, its_last_block = back(data, end)
            if (
                its_block != block
                or its_last_block != last_block
                or its_head != head
                or its_tail != tail
                or body_head != length + _PREFIX_BYTES << 8  # the type of DATA is 0
                or flags
                or packed
                or not body_id == last_id == stream_id
                or (receiver := pending.pop(stream_id, None)) is None
            ):
                break
            if not receiver.answered(first, data[body:end], last):
                pending[stream_id] = receiver
                break
            start = end + back_bytes
        else:
            taken = most
        self.data_frames += taken
        if taken:
            self._credit(start - begun - taken * (front_bytes - _PREFIX_BYTES + back_bytes))
        return start, taken

    def _around(self, data: bytes, start: int) -> _Around | None:
        """What is around the message of the answer that begins at `start`, if its blocks are known and ordinary."""
        block_bytes = int.from_bytes(data[start : start + 3], "big")
        front, front_bytes = _front(block_bytes)
        if len(data) - start < front_bytes:
            return None
        head, _, block, body_head, *_ = front(data, start)
        trailers = start + front_bytes - _PREFIX_BYTES + (body_head >> 8)
        back, back_bytes = _back(int.from_bytes(data[trailers : trailers + 3], "big"))
        if len(data) - trailers < back_bytes:
            return None
        tail, _, last_block = back(data, trailers)
        first, last = self._firsts.get(block), self._lasts.get(last_block)
        if first is None or last is None or head[3:] != _FIRST_KIND or tail[3:] != _LAST_KIND:
            return None
        return _Around(front, front_bytes, back, back_bytes, head, block, tail, last_block, first, last)

    def _open_pending(self, stream_id: int) -> None:
        """Makes a pending request a stream. Everything was sent on it, so its window does not matter."""
        receiver = self.pending.pop(stream_id)
        stream = self.streams[stream_id] = Stream(stream_id, UNANSWERED, 0, self.now)
        stream.state = State.HALF_CLOSED_LOCAL
        stream.call = receiver
        receiver.opened(stream)


@lru_cache(maxsize=limits.MAX_MEMOISED_BLOCKS)
def _request(block_bytes: int) -> tuple[Callable[..., bytes], bytes]:
    """Packs HEADERS with a block of this length, the head of DATA behind it, and a message's prefix; how it begins."""
    head = frames.head(block_bytes, h2.HEADERS, h2.END_HEADERS, 0)[:_KIND_BYTES]
    return struct.Struct(f">{_KIND_BYTES}sI{block_bytes}sIBIBI").pack, head


@lru_cache(maxsize=limits.MAX_MEMOISED_BLOCKS)
def _front(block_bytes: int) -> tuple[Callable[..., Any], int]:
    """Reads HEADERS with a block of this length, the head of DATA and a message's prefix; and how long they are."""
    front = struct.Struct(f">{_KIND_BYTES}sI{block_bytes}sIBIBI")
    return front.unpack_from, front.size


@lru_cache(maxsize=limits.MAX_MEMOISED_BLOCKS)
def _back(block_bytes: int) -> tuple[Callable[..., Any], int]:
    """Reads HEADERS with a block of this length; and how long they are."""
    back = struct.Struct(f">{_KIND_BYTES}sI{block_bytes}s")
    return back.unpack_from, back.size
