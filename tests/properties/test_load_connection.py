"""The load generator's fast path and the machine's general way do the same, whatever the server sends."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from laura_fast.load.calls import Workload
from laura_fast.load.connection import LoadConnection
from laura_fast.pb.lauradb.cluster import cluster_pb2 as pb
from laura_fast.wire.grpc.framing import frame_message
from laura_fast.wire.grpc.request_blocks import Route
from laura_fast.wire.http2 import constants as h2
from laura_fast.wire.http2 import frames
from laura_fast.wire.http2.hpack_encoder import HeaderEncoder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from laura_fast.load.calls import Call

HEAD = ((b":status", b"200"), (b"content-type", b"application/grpc"))
OK = ((b"grpc-status", b"0"),)
RIGHT = frame_message(pb.HeartbeatResponse(ack=True, timestamp=1_700_000_000_000).SerializeToString())
WRONG = frame_message(pb.HeartbeatResponse(timestamp=1_700_000_000_000).SerializeToString())

KINDS = ("right", "right", "right", "wrong", "split", "error", "reset", "ping", "indexed", "silent")


class General(LoadConnection):
    """Without the fast path."""

    def _take_alike(self, data: bytes) -> int:  # none of them
        return 0

    def send(self, calls: Iterator[Call], count: int, intended: float) -> None:
        for call in itertools.islice(calls, count):
            self._send_generally(call, intended)


class Watched(LoadConnection):
    """Remembers how far the fast path came in each read."""

    def __init__(self) -> None:
        super().__init__()
        self.taken: list[int] = []

    def _take_alike(self, data: bytes) -> int:
        self.taken.append(super()._take_alike(data))
        return self.taken[-1]


class Peer:
    """What a server answers, with a header table of its own."""

    def __init__(self) -> None:
        self.encoder = HeaderEncoder()
        self.extra = itertools.count()

    def answer(self, kind: str, stream_id: int) -> bytes:
        if kind == "silent":
            return b""
        if kind == "ping":
            return frames.ping(b"12345678")
        if kind == "reset":
            return frames.rst_stream(stream_id, 8)
        if kind == "error":
            return self._headers(stream_id, (*HEAD, (b"grpc-status", b"8")), ended=True)
        more = ((b"x-number", b"%d" % next(self.extra)),) if kind == "indexed" else ()
        body = WRONG if kind == "wrong" else RIGHT
        pieces = (body[:3], body[3:]) if kind == "split" else (body,)
        data = b"".join(frames.head(len(piece), h2.DATA, 0, stream_id) + piece for piece in pieces)
        return self._headers(stream_id, HEAD + more) + data + self._headers(stream_id, OK, ended=True)

    def _headers(self, stream_id: int, fields: tuple[tuple[bytes, bytes], ...], *, ended: bool = False) -> bytes:
        block = self.encoder.encode(fields)
        return frames.headers(stream_id, block, end_stream=ended, frame_bytes=16_384)


def drive(connection: LoadConnection, kinds: list[str], cuts: list[int]) -> tuple[object, ...]:
    """Everything that can be seen of a connection which gets these answers in pieces of these lengths."""
    calls = Workload("heartbeat", lambda path: Route(path, "localhost", "http", "t"), [pb.Node(id="a")], 1)
    (method,), peer, sizes = calls.methods, Peer(), itertools.cycle(cuts)
    written, intended = b"", itertools.count()
    connection.receive(frames.settings({3: 100}), 0.0)
    for turn in _fours(kinds):
        first = connection.last_stream_id
        for _ in turn:
            connection.send(calls.calls, 1, float(next(intended)))
        ids = range(first + 1 | 1, connection.last_stream_id + 1, 2)
        data = b"".join(peer.answer(kind, stream_id) for kind, stream_id in zip(turn, ids, strict=True))
        while data:
            size = next(sizes)
            connection.receive(data[:size], 1.0)
            data = data[size:]
        written += b"".join(connection.out)
        connection.out.clear()
    in_flight = connection.in_flight
    connection.abandon("CANCELLED")
    windows = connection._receive_window, connection.window
    return written, sorted(method.done), method.failures, in_flight, windows, connection.closed


def _fours(kinds: list[str]) -> list[list[str]]:
    return [kinds[start : start + 4] for start in range(0, len(kinds), 4)]


@settings(deadline=None)
@given(
    kinds=st.lists(st.sampled_from(KINDS), min_size=1, max_size=40),
    cuts=st.lists(st.integers(1, 400), min_size=1, max_size=8),
)
def test_both_ways_are_the_same(kinds: list[str], cuts: list[int]) -> None:
    assert drive(LoadConnection(), kinds, cuts) == drive(General(), kinds, cuts)


def test_the_fast_path_is_taken() -> None:
    """Or the property above would compare the general way with itself."""
    connection = Watched()
    _, done, failures, in_flight, _, closed = drive(connection, ["right"] * 40, [1000])
    assert done == [float(number) for number in range(40)]
    assert (failures, in_flight, closed) == ({}, 0, False)
    assert sum(position > 0 for position in connection.taken) >= 8
    assert len(connection._requests) == 1
