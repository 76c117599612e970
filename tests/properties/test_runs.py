"""Calls taken in runs and calls taken one by one are answered with the same bytes, whatever else the client sends."""

from __future__ import annotations

import asyncio
import itertools
from typing import TYPE_CHECKING, Any, Final

import grpc
from hypothesis import given, settings
from hypothesis import strategies as st

from laura_fast.errors import AbortedError
from laura_fast.limits import http2 as limits
from laura_fast.services.binding import in_coroutine
from laura_fast.transport.native.protocol import ServerProtocol
from laura_fast.transport.native.state import ServerState
from laura_fast.transport.settings import TransportSettings
from laura_fast.wire.grpc.framing import frame_message
from laura_fast.wire.http2 import constants as h2
from laura_fast.wire.http2 import frames
from tests.contract.transport_kit import Recorder

if TYPE_CHECKING:
    from collections.abc import Sequence

    from laura_fast.transport.native.requests import Request

MAX_STREAMS: Final = 8
MAX_MESSAGE_BYTES: Final = 3_000
CANCEL: Final = 8
GREETING: Final = h2.PREFACE + frames.settings({})
PATHS: Final = ("/t.T/Inline", "/t.T/InTask", "/t.T/NoSuch")
"""Of one length, as their header blocks are."""
MESSAGES: Final = (
    b"",
    b"plain",
    b"longer than plain",
    b"!refuse",
    b"?bug",
    b"#parse",
    b"%serialise",
    b"code",
    b"trailer",
)
KINDS: Final = (
    *("call",) * 20,
    *("compressed", "wrong length", "two messages", "open", "padded", "cut", "reset", "skip", "too long"),
    *("update", "early update", "ping", "indexed", "content-length", "window", "no data"),
    *("ended before", "headers elsewhere", "body elsewhere"),
)


def answer(request: bytes, context: Any) -> Any:
    if request == b"!refuse":
        raise AbortedError("as asked", "ASKED", metadata={"k": "v"})
    if request == b"?bug":
        raise ZeroDivisionError
    if request == b"code":
        context.set_code(grpc.StatusCode.DATA_LOSS)
    if request == b"trailer":
        context.set_trailing_metadata((("k", "v"),))
    return bytes(int(request[4:])) if request[:4] == b"size" and request[4:].isdigit() else request * 2


at_once = in_coroutine(answer)


async def in_task(request: bytes, context: Any) -> Any:
    await asyncio.sleep(0)
    return await at_once(request, context)


def refuse(bad: bytes) -> Any:
    def check(raw: bytes) -> bytes:
        if raw.startswith(bad):
            raise ValueError("no such message")
        return raw

    return check


def state(recorder: Recorder, most_rpcs: int) -> ServerState:
    bounds = TransportSettings(
        max_concurrent_rpcs=MAX_STREAMS, max_total_rpcs=most_rpcs, max_message_bytes=MAX_MESSAGE_BYTES
    )
    made = ServerState(bounds, recorder, (), None, None)
    behaviours = {"Inline": at_once, "InTask": in_task}
    handlers = {
        name: grpc.unary_unary_rpc_method_handler(each, refuse(b"#"), refuse(b"%")) for name, each in behaviours.items()
    }
    made.methods.add_generic([grpc.method_handlers_generic_handler("t.T", handlers)])
    return made


class Wire:
    """A transport that keeps what is written."""

    def __init__(self) -> None:
        self.written = b""
        self.closing = False

    def write(self, data: bytes) -> None:
        self.written += data

    def get_extra_info(self, name: str) -> Any:
        return ("127.0.0.1", 50_000) if name == "peername" else None

    def is_closing(self) -> bool:
        return self.closing

    def can_write_eof(self) -> bool:
        return False

    def close(self) -> None:
        self.closing = True

    def pause_reading(self) -> None:
        """Nobody reads."""

    def resume_reading(self) -> None:
        """Nobody reads."""


class Side(ServerProtocol):
    """One server; `runs` are the lengths of those it was given."""

    def __init__(self, loop: asyncio.AbstractEventLoop, *, in_runs: bool = True, most_rpcs: int = 0) -> None:
        self.recorder, self.wire, self.runs = Recorder(), Wire(), list[int]()
        super().__init__(state(self.recorder, most_rpcs), loop, lambda: None)
        if not in_runs:
            self.machine.longest_in_run = -1
        self.connection_made(self.wire)  # type: ignore[arg-type]  # as much of a transport as it uses

    def run(self, request: Request, run: Sequence[tuple[int, bytes]]) -> None:
        self.runs.append(len(run))
        super().run(request, run)
        assert len(self.machine.streams) <= MAX_STREAMS

    def feed(self, data: bytes) -> None:
        self.data_received(data)
        for _ in range(10):  # tasks take their steps, and what is left of the turn's budget is used up
            self.loop.run_until_complete(asyncio.sleep(0))

    def seen(self) -> tuple[object, ...]:
        machine = self.machine
        return (
            self.wire.written,
            self.wire.closing,
            machine.last_stream_id,
            machine.window,
            machine.closed or machine._receive_window,
            sorted(machine.streams),
            sorted(self.recorder.codes),
            len(self.recorder.started),
        )


class Client:
    """Writes requests, some of them odd."""

    def __init__(self) -> None:
        self.stream_id = -1

    def send(self, kind: str, path: str, message: bytes) -> bytes:
        return b"".join(self.parts(kind, path, message))

    def parts(self, kind: str, path: str, message: bytes) -> tuple[bytes, bytes]:
        """What a client may write first, and what it may write when it has begun other calls."""
        if kind == "ping":
            return frames.ping(b"12345678"), b""
        if kind == "update":
            return frames.window_update(0, 1_000), b""
        if kind == "window":
            return frames.settings({4: len(message) * 2}), b""
        self.stream_id += 4 if kind == "skip" else 2
        return self.head(kind, path) + self.between(kind), self.body(kind, message)

    def head(self, kind: str, path: str) -> bytes:
        fields = [(b":method", b"POST"), (b":scheme", b"http"), (b":path", path.encode()), (b":authority", b"a")]
        fields += [(b"te", b"trailers"), (b"content-type", b"application/grpc")]
        if kind == "content-length":
            fields.append((b"content-length", b"10"))
        block = b"".join(b"\0" + _text(name) + _text(value) for name, value in fields)
        if kind == "indexed":
            block += b"\x40" + _text(b"grpc-timeout") + _text(b"10S")
        stream_id = self.stream_id + 2 * (kind == "headers elsewhere")
        return frames.headers(stream_id, block, end_stream=kind in {"no data", "ended before"}, frame_bytes=16_384)

    def between(self, kind: str) -> bytes:
        if kind == "early update":
            return frames.window_update(self.stream_id, 100)
        return frames.rst_stream(self.stream_id, CANCEL) if kind == "reset" else b""

    def body(self, kind: str, message: bytes) -> bytes:
        if kind in {"reset", "no data"}:
            return b""
        if kind == "too long":
            message = bytes(MAX_MESSAGE_BYTES + 1)
        body = frame_message(message)
        if kind == "compressed":
            body = b"\1" + body[1:]
        if kind == "wrong length":
            body += b"x"
        if kind == "two messages":
            body *= 2
        flags = 0 if kind == "open" else h2.END_STREAM
        if kind == "padded":
            body, flags = b"\2" + body + b"\0\0", flags | h2.PADDED
        stream_id = self.stream_id + 2 * (kind == "body elsewhere")
        whole = frames.head(len(body), h2.DATA, flags, stream_id) + body
        return whole[:-1] if kind == "cut" else whole


def _text(value: bytes) -> bytes:
    return bytes((len(value),)) + value


messages = st.sampled_from(MESSAGES) | st.integers(0, 40_000).map(lambda size: b"size%d" % size)
calls = st.tuples(st.sampled_from(KINDS), st.sampled_from((PATHS[0], PATHS[0], *PATHS)), messages)


@settings(max_examples=120, deadline=None)
@given(
    sent=st.lists(calls, min_size=3, max_size=20),
    cuts=st.lists(st.floats(0, 1), max_size=3),
    most_rpcs=st.sampled_from((0, 0, 3)),
    apart=st.booleans(),
)
def test_nobody_can_tell_runs_from_single_calls(
    sent: list[tuple[str, str, bytes]], cuts: list[float], most_rpcs: int, *, apart: bool
) -> None:
    client = Client()
    known = [client.send("call", path, b"") for path in PATHS]  # only header blocks that came before come in runs
    parts = [client.parts(*each) for each in sent]
    order = [*(head for head, _ in parts), *(body for _, body in parts)] if apart else list(itertools.chain(*parts))
    data = GREETING + b"".join(known) + b"".join(order)
    edges = [0, *sorted(int(cut * len(data)) for cut in cuts), len(data)]
    loop = asyncio.new_event_loop()
    try:
        sides = [Side(loop, in_runs=in_runs, most_rpcs=most_rpcs) for in_runs in (True, False)]
        for start, end in itertools.pairwise(edges):
            for side in sides:
                side.feed(data[start:end])
            assert sides[0].seen() == sides[1].seen()
        for side in sides:
            side.connection_lost(None)
        loop.run_until_complete(asyncio.sleep(0))
    finally:
        loop.close()


@settings(max_examples=40, deadline=None)
@given(sent=st.lists(messages, max_size=MAX_STREAMS), window=st.sampled_from((65_535, 100)))
def test_a_run_is_answered_as_tasks_would(sent: list[bytes], window: int) -> None:
    sent = [message for message in sent if message != b"#parse"]  # a task's refusal of it has no details
    seen = []
    loop = asyncio.new_event_loop()
    try:
        for path in PATHS[:2]:
            client, side = Client(), Side(loop)
            side.feed(GREETING + frames.settings({4: window}) + client.send("call", path, b""))
            side.feed(b"".join(client.send("call", path, message) for message in sent))
            side.feed(frames.window_update(0, 100_000))
            seen.append((by_stream(side.wire.written), sorted(side.recorder.codes), side.machine.window))
            side.connection_lost(None)
        loop.run_until_complete(asyncio.sleep(0))
    finally:
        loop.close()
    assert seen[0] == seen[1]


def by_stream(written: bytes) -> dict[int, list[bytes]]:
    """The frames that were sent on each stream."""
    found: dict[int, list[bytes]] = {}
    position = 0
    while position < len(written):
        head, flags, stream_id = frames.HEAD.unpack_from(written, position)
        body = position + frames.HEAD.size
        position = body + (head >> 8)
        found.setdefault(stream_id, []).append(bytes((head & 0xFF, flags)) + written[body:position])
    return found


def test_calls_that_are_alike_come_in_one_run_and_are_all_counted() -> None:
    loop, client = asyncio.new_event_loop(), Client()
    side = Side(loop)
    side.feed(GREETING + client.send("call", PATHS[0], b"first"))  # until then its header block is not known
    side.feed(b"".join(client.send("call", PATHS[0], b"x" * size) for size in range(5)))
    assert side.runs == [1, 5]
    assert (side.recorder.codes, len(side.recorder.started)) == ([0] * 6, 6)
    side.connection_lost(None)
    loop.close()


def test_calls_whose_bodies_come_behind_all_headers_are_one_run() -> None:
    loop, client = asyncio.new_event_loop(), Client()
    side = Side(loop)
    side.feed(GREETING + client.send("call", PATHS[0], b""))
    parts = [client.parts("call", PATHS[0], b"x" * size) for size in range(5)]
    side.feed(b"".join(head for head, _ in parts) + b"".join(body for _, body in parts))
    assert side.runs == [1, 5]
    side.connection_lost(None)
    loop.close()


def test_runs_end_with_the_budget_of_a_turn() -> None:
    loop, client = asyncio.new_event_loop(), Client()
    side = Side(loop)
    side.feed(GREETING + client.send("call", PATHS[0], b""))
    many = b"".join(client.send("call", PATHS[0], b"") for _ in range(limits.MAX_FRAMES_PER_TURN))
    assert [side.machine.receive(data, 1.0) for data in (many, b"", b"")] == [True, False, False]
    assert len(side.recorder.codes) == limits.MAX_FRAMES_PER_TURN + 1
    side.connection_lost(None)
    loop.close()
