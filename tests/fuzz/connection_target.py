"""Fuzz target: a server's HTTP/2 machine fed with frames that are right, wrong, or no frames at all."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

from laura_fast.limits import http2 as limits
from laura_fast.wire.grpc.framing import frame_message
from laura_fast.wire.http2.request import request_head
from laura_fast.wire.http2.server import ServerConnection

if TYPE_CHECKING:
    from collections.abc import Sequence

    from laura_fast.wire.http2.hpack_table import Fields
    from laura_fast.wire.http2.stream import Stream

_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes((0, 0, 0, 4, 0, 0, 0, 0, 0))
_REQUEST = b"\x83\x86\x84\x40\x0cgrpc-timeout\x025S"
_MAX_STREAMS = 4
_RST_STREAM = 3
_GOAWAY = 7
_FLOW_CONTROL_ERROR = 3


class Request:
    """What this host makes of a header block."""

    def __init__(self, content_length: int | None, *, takes_whole: bool) -> None:
        self.content_length = content_length
        self.takes_whole = takes_whole


class Host:
    """Answers in every way a real one does."""

    def __init__(self) -> None:
        self.connection = ServerConnection(self, _MAX_STREAMS, 10.0)
        self.open: dict[int, Stream] = {}

    def prepare(self, common: Fields, own: Fields) -> Request:
        head = request_head(common + own)
        return Request(head.content_length, takes_whole=head.content_length is None and not own)

    def whole(self, stream_id: int, request: Any, body: bytes) -> None:
        stream = self.connection.adopt(stream_id, request)
        self.opened(stream)
        self._answer(stream, body)

    def run(self, request: Any, run: Sequence[tuple[int, bytes]]) -> None:
        for stream_id, message in run:
            self.whole(stream_id, request, frame_message(message))

    def opened(self, stream: Stream) -> None:
        assert stream.stream_id not in self.open
        self.open[stream.stream_id] = stream

    def received(self, stream: Stream, data: bytes) -> None:
        assert stream.stream_id in self.open or stream.queued, "answered, and its answer waits for the peer's window"
        if data[:1] != b"\xff":  # a handler that does not read
            self.connection.consume(stream, len(data))
        if data[:1] == b"\xfe" and stream.stream_id in self.open:  # an answer before the request is complete
            self._answer(stream, data)

    def ended(self, stream: Stream) -> None:
        if stream.stream_id in self.open:
            self._answer(stream, b"x" * 300)

    def aborted(self, stream: Stream, error_code: int) -> None:
        assert 0 <= error_code < 2**32
        self.open.pop(stream.stream_id, None)

    def _answer(self, stream: Stream, body: bytes) -> None:
        del self.open[stream.stream_id]
        self.connection.send_headers(stream, b"\x88")
        self.connection.send_data(stream, body)
        self.connection.send_trailers(stream, b"\x00\x0bgrpc-status\x010")


def frames_of(data: bytes) -> bytes:
    """Records of kind, flags, stream, length, payload as frames whose lengths are right; `H` begins a real request."""
    out, position = bytearray(), 0
    while position + 4 <= len(data):
        kind, flags, stream_id, size = data[position : position + 4]
        payload = data[position + 4 : position + 4 + size]
        position += 4 + size
        if kind == 1 and payload[:1] == b"H":
            payload = _REQUEST + payload[1:]
        out += len(payload).to_bytes(3, "big") + struct.pack(">BBI", kind, flags, stream_id) + payload
    return bytes(out) + data[position:]


def run(pieces: list[bytes]) -> tuple[bool, int, bool]:
    """Whether the connection ended, the code of its GOAWAY (-1: none), and whether a window overflowed."""
    host, now = Host(), 0.0
    connection, sent = host.connection, bytearray()
    for piece in pieces:
        now += 0.001
        more = connection.receive(piece, now)
        while more:
            more = connection.receive(b"", now)
        connection.pump()
        sent += b"".join(connection.out)
        connection.out.clear()
        connection.written()
        check(connection)
    frames = parse(bytes(sent))
    codes = [int.from_bytes(payload[4:8], "big") for kind, payload in frames if kind == _GOAWAY]
    resets = {int.from_bytes(payload, "big") for kind, payload in frames if kind == _RST_STREAM}
    assert len(codes) == connection.closed
    return connection.closed, codes[0] if codes else -1, _FLOW_CONTROL_ERROR in resets.union(codes)


def check(connection: ServerConnection) -> None:
    """What a peer can make us hold."""
    assert len(connection.streams) <= _MAX_STREAMS
    assert len(connection._rest) <= limits.MAX_FRAME_BYTES + 9
    assert sum(map(len, connection._fragments)) <= limits.MAX_HEADER_BLOCK_BYTES
    assert len(connection._reset_by_us) <= limits.MAX_REMEMBERED_RESETS
    assert connection.closed or not connection._pending
    for stream_id, stream in connection.streams.items():
        assert stream_id == stream.stream_id
        assert stream.queued == sum(map(len, stream.outbox or ()))


def parse(sent: bytes) -> list[tuple[int, bytes]]:
    """What we sent is whole frames."""
    found, position = [], 0
    while position < len(sent):
        end = position + 9 + int.from_bytes(sent[position : position + 3], "big")
        assert end <= len(sent)
        found.append((sent[position + 3], sent[position + 9 : end]))
        position = end
    return found


def one_input(data: bytes) -> None:
    """Whole or in pieces, the connection ends for the same reason or not at all."""
    control, body = (data[0], data[1:]) if data else (0, b"")
    stream = _PREFACE + (frames_of(body) if control & 1 else body)
    if control & 2:
        stream = stream[len(_PREFACE) - 9 - control % 24 :]
    step = control // 4 % 8 + 1
    whole = run([stream])
    pieces = run([stream[start : start + step] for start in range(0, len(stream), step)])
    # Answers leave between pieces, so a window may overflow in one case and not in the other.
    assert pieces == whole or pieces[2] or whole[2]
