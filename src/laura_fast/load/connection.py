"""The protocol of a load generator's connection: the client's machine with a fast path for whole unary calls.

Theory: under load nearly all requests are the same two frames with another stream id, and nearly all answers the same
header block, one message and the same trailers. Such a request is one `pack`; such an answer is recognised by
comparing it with the layout of an earlier one, and no stream object is made. Everything else (errors, split frames,
changed tables, closed windows) takes the machine's general way, which a call can join at any time.
`python -m bench.generator` is what paid for it; `tests/properties/test_load_connection.py` holds both ways equal.
"""

from __future__ import annotations

from itertools import islice
from struct import Struct
from typing import TYPE_CHECKING, Final, NamedTuple

from laura_fast.errors import Code
from laura_fast.limits import http2 as limits
from laura_fast.load.answer import Answer
from laura_fast.wire.grpc.request_blocks import RequestBlocks
from laura_fast.wire.grpc.response import ResponseBlock
from laura_fast.wire.http2 import constants as h2
from laura_fast.wire.http2 import frames
from laura_fast.wire.http2.answer_blocks import UNANSWERED
from laura_fast.wire.http2.client import ClientConnection
from laura_fast.wire.http2.stream import State, Stream

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from laura_fast.load.calls import Call, Method
    from laura_fast.wire.http2.answer_blocks import Block

_WHOLE: Final = h2.END_HEADERS | h2.END_STREAM
_HEAD: Final = frames.HEAD
_LONGEST_DATA: Final = limits.MAX_FRAME_BYTES << 8


class _Request(NamedTuple):
    """A call whose frames differ in nothing but the stream id."""

    pack: Callable[..., bytes]
    head: int
    block: bytes
    data_head: int
    body: bytes
    size: int
    method: Method


class _Layout(NamedTuple):
    """What an answer looks like while the server's header table stays as it is."""

    generation: int
    front: Struct
    back: Struct
    same: tuple[int, int, bytes, int, int, int, bytes]
    """Head and flags and block of the first frame, flags of the DATA, the same three of the trailers."""


class LoadConnection(ClientConnection):
    """One connection under load. Time is in seconds of the monotonic clock."""

    def __init__(self) -> None:
        super().__init__(ResponseBlock)
        self._blocks = RequestBlocks(self.encoder)
        self._requests: dict[Call, _Request] = {}
        self._generation = -1  # of the encoder, for which `_requests` hold
        self._bare: dict[int, tuple[float, Method]] = {}  # calls without a stream object, by stream id
        self._layout: _Layout | None = None

    @property
    def room(self) -> int:
        """Calls that may be begun now."""
        return self.limit - self.in_flight

    @property
    def in_flight(self) -> int:
        """Calls that are not over."""
        return len(self._bare) + len(self.streams)

    def abandon(self, status: str) -> None:
        """Ends all calls that are not over with this status."""
        self._join_all()
        for stream in self.streams.values():
            stream.call.fail(status)
        self.streams.clear()

    # --- requests ------------------------------------------------------------------------------------------------

    def send(self, calls: Iterator[Call], count: int, intended: float) -> None:
        """Sends the next `count` calls, at most `room`; their latency counts from `intended`."""
        if self._generation != self.encoder.generation:
            self._requests.clear()
            self._generation = self.encoder.generation
        ready, bare, out = self._requests, self._bare, self.out
        for call in islice(calls, count):
            request = ready.get(call)
            if request is None or request.size > self.window or self.blocked:
                self._send_generally(call, intended)
                continue
            pack, head, block, data_head, body, size, method = request
            self.last_stream_id = stream_id = self.last_stream_id + 1 | 1
            self.window -= size
            out.append(pack(head, h2.END_HEADERS, stream_id, block, data_head, h2.END_STREAM, stream_id, body))
            bare[stream_id] = intended, method

    def _send_generally(self, call: Call, intended: float) -> None:
        before, route = self.encoder.generation, call.method.route
        answer = Answer(self, call.method, intended)
        answer.stream = self.request(answer, self._blocks.block(route, None, ()), call.body)
        if before == self.encoder.generation:
            # Asked for again, because the one that was sent may have begun with an update of the table's size.
            self._prepare_request(call, self._blocks.block(route, None, ()))

    def _prepare_request(self, call: Call, block: bytes) -> None:
        size, peer = len(call.body), self.peer
        if size <= min(peer.frame_bytes, peer.initial_window) and len(block) <= peer.frame_bytes:
            pack = Struct(f">IBI{len(block)}sIBI{size}s").pack
            head = len(block) << 8 | h2.HEADERS
            self._requests[call] = _Request(pack, head, block, size << 8, call.body, size, call.method)

    # --- answers -------------------------------------------------------------------------------------------------

    def _take_frames(self, data: bytes) -> tuple[int, bool]:
        position = self._take_alike(data)
        if position == len(data):
            return position, False
        taken, more = super()._take_frames(data[position:] if position else data)
        return position + taken, more

    def _take_alike(self, data: bytes) -> int:
        """Takes whole answers that look like the last one: where the first other frame begins."""
        layout = self._layout_for(data)
        if layout is None:
            return 0
        (_, front, back, same), bare = layout, self._bare
        position, seen, size = 0, 0, len(data)
        while size - position >= front.size + back.size:
            head, flags, stream_id, block, data_head, data_flags, data_id = front.unpack_from(data, position)
            start = position + front.size
            end = start + (data_head >> 8)
            if data_head & 0xFF or data_head > _LONGEST_DATA or end + back.size > size:
                break
            last_head, last_flags, last_id, last_block = back.unpack_from(data, end)
            if (head, flags, block, data_flags, last_head, last_flags, last_block) != same:
                break
            if not stream_id == data_id == last_id or stream_id not in bare:
                break
            intended, method = bare.pop(stream_id)
            if method.is_right(data[start:end]):
                method.done.append(intended)
            else:
                method.wrong()
            seen += end - start
            position = end + back.size
        self._count_answers(position, seen)
        return position

    def _count_answers(self, size: int, content: int) -> None:
        """Tells the machine's accounts of answers that it did not see: `content` of `size` bytes were DATA."""
        if size:
            self.data_frames += 1
            self._credit(content)

    def _layout_for(self, data: bytes) -> _Layout | None:
        layout = self._layout
        if self._block_of is not None or not self._bare:
            return None
        if layout is None or layout.generation != self._decoder.generation:
            layout = self._layout = self._learn(data)
        return layout

    def _learn(self, data: bytes) -> _Layout | None:
        """The layout of the answer that the data begin with, if its blocks are known to say OK."""
        size, heads, position = len(data), list[tuple[int, int, int]](), 0
        for _ in range(3):
            if size - position < _HEAD.size:
                return None
            heads.append(_HEAD.unpack_from(data, position))
            position += _HEAD.size + (heads[-1][0] >> 8)
        (first, first_flags, _), (middle, middle_flags, _), (last, last_flags, _) = heads
        block = data[_HEAD.size : _HEAD.size + (first >> 8)]
        last_block = data[position - (last >> 8) : position]
        kinds = first & 0xFF, first_flags, middle & 0xFF, middle_flags, last & 0xFF, last_flags
        if kinds != (h2.HEADERS, h2.END_HEADERS, h2.DATA, 0, h2.HEADERS, _WHOLE):
            return None
        if not (_begins(self._memo.get(block)) and _ends_well(self._memo.get(last_block))):
            return None
        front, back = Struct(f">IBI{len(block)}sIBI"), Struct(f">IBI{len(last_block)}s")
        same = first, first_flags, block, middle_flags, last, last_flags, last_block
        return _Layout(self._decoder.generation, front, back, same)

    # --- the general way -----------------------------------------------------------------------------------------

    def _dispatch(self, kind: int, flags: int, stream_id: int, payload: bytes) -> None:
        if stream_id in self._bare:
            self._join(stream_id)
        elif kind in (h2.SETTINGS, h2.GOAWAY):  # they concern all streams
            self._join_all()
            self._requests.clear()
        super()._dispatch(kind, flags, stream_id, payload)

    def _join_all(self) -> None:
        for stream_id in tuple(self._bare):
            self._join(stream_id)

    def _join(self, stream_id: int) -> None:
        """Gives a call its stream object, as if it had been sent the general way."""
        intended, method = self._bare.pop(stream_id)
        stream = self.streams[stream_id] = Stream(stream_id, UNANSWERED, self.peer.initial_window, self.now)
        stream.state = State.HALF_CLOSED_LOCAL
        stream.call = Answer(self, method, intended)
        stream.call.stream = stream


def _begins(block: Block | None) -> bool:
    return isinstance(block, ResponseBlock) and block.status is not None and not (block.problem or block.content_length)


def _ends_well(block: Block | None) -> bool:
    return isinstance(block, ResponseBlock) and block.status is None and bool(block.outcome) and _code(block) is Code.OK


def _code(block: ResponseBlock) -> Code:
    assert block.outcome is not None  # noqa: S101  # the caller saw to it
    return block.outcome[0]
