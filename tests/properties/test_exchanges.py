"""Answers taken whole and answers taken frame by frame are the same to whoever called, whatever the server sends."""

from __future__ import annotations

import itertools
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from laura_fast.wire.grpc.framing import frame_message
from laura_fast.wire.grpc.response import ResponseBlock
from laura_fast.wire.http2 import constants as h2
from laura_fast.wire.http2 import frames
from laura_fast.wire.http2.client import ClientConnection
from laura_fast.wire.http2.hpack_encoder import HeaderEncoder
from tests.unit.wire.http2.test_client import BLOCK, Caller

HEAD = ((b":status", b"200"), (b"content-type", b"application/grpc"))
OTHER_HEAD = ((b":status", b"200"), (b"content-type", b"application/grpc+proto"))
KINDS = (
    *("plain",) * 12,
    *("other head", "other trailers", "error", "split", "two messages", "compressed", "wrong length", "padded"),
    *("empty", "reset", "ping", "indexed", "silent", "headers elsewhere", "body elsewhere", "trailers elsewhere"),
    "ended before",
)


class Peer:
    """What a server answers, with a header table of its own."""

    def __init__(self) -> None:
        self.encoder = HeaderEncoder()
        self.extra = itertools.count()

    def answer(self, kind: str, stream_id: int, message: bytes) -> bytes:
        if kind == "silent":
            return b""
        if kind == "ping":
            return frames.ping(b"12345678")
        if kind == "reset":
            return frames.rst_stream(stream_id, 8)
        ids = {part: stream_id + 2 * (kind == f"{part} elsewhere") for part in ("headers", "body", "trailers")}
        more = ((b"x-number", b"%d" % next(self.extra)),) if kind == "indexed" else ()
        head = self._headers(
            ids["headers"], (OTHER_HEAD if kind == "other head" else HEAD) + more, ended=kind == "ended before"
        )
        code = b"8" if kind == "error" else b"0"
        text = ((b"grpc-message", b"fine"),) if kind == "other trailers" else ()
        return (
            head
            + self._body(kind, ids["body"], frame_message(message))
            + self._headers(ids["trailers"], ((b"grpc-status", code), *text), ended=True)
        )

    def _body(self, kind: str, stream_id: int, body: bytes) -> bytes:
        flags = 0
        if kind == "empty":
            return b""
        if kind == "two messages":
            body *= 2
        if kind == "compressed":
            body = b"\1" + body[1:]
        if kind == "wrong length":
            body += b"x"
        if kind == "padded":
            body, flags = b"\2" + body + b"\0\0", h2.PADDED
        pieces = (body[:3], body[3:]) if kind == "split" else (body,)
        return b"".join(frames.head(len(piece), h2.DATA, flags, stream_id) + piece for piece in pieces)

    def _headers(self, stream_id: int, fields: tuple[tuple[bytes, bytes], ...], *, ended: bool = False) -> bytes:
        block = self.encoder.encode(fields)
        return frames.headers(stream_id, block, end_stream=ended, frame_bytes=16_384)


def told(heard: list[Any]) -> list[Any]:
    """A whole answer as what it would have been in pieces; pieces of a body put together."""
    body = b"".join(each[1] for each in heard if each[0] == "data")
    events = [each for each in heard if each != "opened" and each[0] != "data"]
    if events and events[0][0] == "whole":
        _, status, message, code = events[0]
        return [("head", status), ("end", code, False), frame_message(message)]
    return [*events, body]


def drive(answers: list[tuple[str, bytes]], cuts: list[int], *, whole: bool) -> tuple[object, ...]:
    """Everything that can be seen of a connection which gets these answers in pieces of these lengths."""
    machine, peer, sizes, callers = ClientConnection(ResponseBlock), Peer(), itertools.cycle(cuts), list[Caller]()
    machine.receive(frames.settings({3: 100}), 0.0)
    for turn in (answers[start : start + 5] for start in range(0, len(answers), 5)):
        begun = [(Caller(takes_whole=whole), *each) for each in turn]
        ids = [machine.exchange(caller, BLOCK, b"") for caller, _, _ in begun]
        callers += [caller for caller, _, _ in begun]
        data = b"".join(
            peer.answer(kind, stream_id, message)
            for stream_id, (_, kind, message) in zip(ids, begun, strict=True)
            if stream_id
        )
        while data:
            size = next(sizes)
            machine.receive(data[:size], 1.0)
            data = data[size:]
    written = b"".join(machine.out)
    heard = [told(caller.heard) for caller in callers]
    return heard, written, machine.closed, machine.closed or machine._receive_window, len(machine.receivers)


@settings(deadline=None)
@given(
    answers=st.lists(st.tuples(st.sampled_from(KINDS), st.binary(max_size=20)), min_size=1, max_size=30),
    cuts=st.lists(st.integers(1, 600), min_size=1, max_size=4),
)
def test_nobody_can_tell_whole_answers_from_pieces(answers: list[tuple[str, bytes]], cuts: list[int]) -> None:
    kinds = ("plain", "error", "other head", "other trailers", "plain")
    known = [(kind, b"first") for kind in kinds * 2]  # only header blocks that came before are taken whole
    assert drive(known + answers, cuts, whole=True) == drive(known + answers, cuts, whole=False)


def test_whole_answers_are_taken() -> None:
    """Or the property above would compare the general way with itself."""
    machine, peer = ClientConnection(ResponseBlock), Peer()
    machine.receive(frames.settings({}), 0.0)
    for _ in range(2):  # the second time a header block comes as it will come again
        machine.receive(peer.answer("plain", machine.exchange(Caller(), BLOCK, b""), b""), 0.0)
    callers = [Caller() for _ in range(9)]
    ids = [machine.exchange(caller, BLOCK, b"") for caller in callers]
    machine.receive(b"".join(peer.answer("plain", stream_id, b"x" * stream_id) for stream_id in ids), 0.0)
    assert [caller.heard for caller in callers] == [[("whole", 200, b"x" * stream_id, 0)] for stream_id in ids]
