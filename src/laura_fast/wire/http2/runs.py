"""Unary requests that are alike, taken in runs.

Theory: under load one read brings many calls of one method, and what is in front of their messages differs in nothing
but the stream id: the same header block in HEADERS, one plain message in DATA behind it. So the first one says where to
look in the others, and each is read in one step, its message's prefix included. The host gets them together, and what
it needs to look up, it looks up once. Whatever differs ends the run and takes the usual way, which means the same: held
equal by tests/properties/test_runs.py. Paid for by bench/test_heartbeat.py.
"""

from __future__ import annotations

import struct
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from laura_fast.limits import http2 as limits
from laura_fast.wire.http2 import constants as h2
from laura_fast.wire.http2.header_blocks import HeaderBlocks

if TYPE_CHECKING:
    from collections.abc import Callable

    from laura_fast.wire.http2.header_blocks import Host, Request

_PREFIX_BYTES: Final = 5
_BODY_FRONT: Final = struct.Struct(">IBIBI")
"""The head of DATA and a message's prefix."""

_read_body_front = _BODY_FRONT.unpack_from
_KIND_BYTES: Final = 5
"""A frame head but for the stream: length, type and flags."""


class Runs(HeaderBlocks):
    """The part of a server's connection that has no streams.

    Attributes:
        longest_in_run: Bytes of the longest message that the host takes in a run.
    """

    def __init__(self, host: Host, max_streams: int, min_ping_interval_s: float) -> None:
        super().__init__(host, max_streams, min_ping_interval_s)
        self.longest_in_run = limits.MAX_FRAME_BYTES - _PREFIX_BYTES

    def _take_run(self, data: bytes, start: int, block: bytes, request: Request, most: int) -> tuple[int, int]:
        """Takes requests with this header block, `most` of them: where the first other frame begins, and how many.

        The block was seen before, so it leaves the decoder's table alone. There is room for `most` streams.
        """
        read, front_bytes = _front(len(block))
        begun, size, run = start, len(data), list[tuple[int, bytes]]()
        alike, stream_id = data[start : start + _KIND_BYTES], self.last_stream_id
        longest, last_start = self.longest_in_run, size - front_bytes
        for _ in range(most):
            if start > last_start:
                break
            head, next_id, its_block, body_head, flags, body_id, packed, length = read(data, start)
            body = start + front_bytes
            end = body + length
            if (
                head != alike
                or its_block != block
                or body_head != length + _PREFIX_BYTES << 8  # the type of DATA is 0
                or flags != h2.END_STREAM
                or packed
                or length > longest
                or end > size
                or not next_id == body_id == stream_id + 2
            ):
                break
            stream_id, start = next_id, end
            run.append((stream_id, data[body:end]))
        if run:
            self.last_stream_id = stream_id
            self._host.run(request, run)
            self._credit(start - begun - len(run) * (front_bytes - _PREFIX_BYTES))
        return start, len(run)

    def _take_bodies(self, data: bytes, start: int, most: int) -> tuple[int, int]:
        """Takes DATA frames that complete pending requests of one kind: as `_take_run`.

        nghttp2's clients write the HEADERS of all the calls they begin before the first DATA.
        """
        begun, size, pending, run = start, len(data), self._pending, list[tuple[int, bytes]]()
        longest, last_start, request = self.longest_in_run, size - _BODY_FRONT.size, None
        for _ in range(most):
            if start > last_start:
                break
            head, flags, stream_id, packed, length = _read_body_front(data, start)
            body = start + _BODY_FRONT.size
            end = body + length
            its_request = pending.get(stream_id)
            if (
                (its_request is not request and request is not None)
                or its_request is None
                or head != length + _PREFIX_BYTES << 8  # the type of DATA is 0
                or flags != h2.END_STREAM
                or packed
                or length > longest
                or end > size
                or its_request.content_length is not None
            ):
                break
            request = its_request
            del pending[stream_id]
            run.append((stream_id, data[body:end]))
            start = end
        if run:
            self._host.run(request, run)
            self._credit(start - begun - len(run) * h2.FRAME_HEAD_BYTES)
        return start, len(run)


@lru_cache(maxsize=limits.MAX_MEMOISED_BLOCKS)
def _front(block_bytes: int) -> tuple[Callable[..., Any], int]:
    """Reads HEADERS with a block of this length, the head of DATA and a message's prefix; and how long they are."""
    front = struct.Struct(f">{_KIND_BYTES}sI{block_bytes}sIBIBI")
    return front.unpack_from, front.size
