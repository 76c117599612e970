"""The client's side of a connection, bytes in and bytes out: whole answers, their pieces, and what breaks them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from laura_fast.limits import http2 as limits
from laura_fast.wire.grpc.framing import frame_message
from laura_fast.wire.grpc.response import ResponseBlock
from laura_fast.wire.http2 import constants as h2
from laura_fast.wire.http2 import frames
from laura_fast.wire.http2.client import ClientConnection
from laura_fast.wire.http2.errors import ErrorCode
from laura_fast.wire.http2.hpack_encoder import encode_constant

if TYPE_CHECKING:
    from laura_fast.wire.http2.stream import Stream

HEAD = encode_constant(((b":status", b"200"), (b"content-type", b"application/grpc")))
LAST = encode_constant(((b"grpc-status", b"0"),))
FAILED = encode_constant(((b"grpc-status", b"5"),))
SETTINGS = frames.settings({})
BLOCK, MESSAGE = b"\x83", b"request"


class Caller:
    """Writes down what it hears."""

    def __init__(self, *, takes_whole: bool = True) -> None:
        self.takes_whole = takes_whole
        self.heard: list[Any] = []

    def opened(self, stream: Stream) -> None:
        self.heard.append("opened")

    def answered(self, head: ResponseBlock, message: bytes, last: ResponseBlock) -> bool:
        if self.takes_whole:
            self.heard.append(("whole", head.status, message, last.outcome[0].value))
        return self.takes_whole

    def headed(self, block: ResponseBlock) -> None:
        self.heard.append(("head", block.status))

    def received(self, data: bytes) -> None:
        self.heard.append(("data", data))

    def ended(self, block: ResponseBlock | None, *, only: bool) -> None:
        self.heard.append(("end", block.outcome[0].value if block else None, only))

    def aborted(self, error_code: int, reason: str) -> None:
        self.heard.append(("aborted", error_code))

    def unprocessed(self) -> None:
        self.heard.append("unprocessed")


def headers(stream_id: int, block: bytes, *, end: bool = False) -> bytes:
    return frames.headers(stream_id, block, end_stream=end, frame_bytes=limits.MAX_FRAME_BYTES)


def data(stream_id: int, body: bytes, flags: int = 0) -> bytes:
    return frames.head(len(body), h2.DATA, flags, stream_id) + body


BODY = frame_message(b"body")


def answer(stream_id: int, body: bytes = BODY, last: bytes = LAST) -> bytes:
    return headers(stream_id, HEAD) + data(stream_id, body) + headers(stream_id, last, end=True)


IN_PIECES = ["opened", ("head", 200), ("data", BODY), ("end", 0, False)]
WHOLE = [("whole", 200, b"body", 0)]


@pytest.fixture
def machine() -> ClientConnection:
    """A connection whose server has greeted it, and has answered one call, so that its blocks are known."""
    machine = ClientConnection(ResponseBlock)
    machine.receive(SETTINGS, 0.0)
    first = Caller()
    assert machine.exchange(first, BLOCK, MESSAGE) == 1
    machine.receive(answer(1), 0.0)
    assert first.heard == IN_PIECES
    machine.out.clear()
    return machine


def begin(machine: ClientConnection, **options: bool) -> tuple[Caller, int]:
    caller = Caller(**options)
    stream_id = machine.exchange(caller, BLOCK, MESSAGE)
    assert stream_id
    return caller, stream_id


def test_a_request_leaves_as_headers_and_data(machine: ClientConnection) -> None:
    _, stream_id = begin(machine)
    body = frame_message(MESSAGE)
    assert b"".join(machine.out) == headers(stream_id, BLOCK) + data(stream_id, body, h2.END_STREAM)


def test_answers_in_one_read_are_taken_whole(machine: ClientConnection) -> None:
    calls = [begin(machine) for _ in range(3)]
    machine.receive(b"".join(answer(stream_id) for _, stream_id in reversed(calls)), 0.0)
    assert [caller.heard for caller, _ in calls] == [WHOLE] * 3
    assert not machine.pending
    assert not machine.streams
    assert not machine.closed


@pytest.mark.parametrize("cut", range(1, len(answer(3))))
def test_an_answer_cut_anywhere_gives_the_same(machine: ClientConnection, cut: int) -> None:
    caller, stream_id = begin(machine)
    whole = answer(stream_id)
    machine.receive(whole[:cut], 0.0)
    machine.receive(whole[cut:], 0.0)
    assert caller.heard == (WHOLE if cut <= len(headers(3, HEAD)) - 1 else IN_PIECES)
    assert not machine.closed


@pytest.mark.parametrize(
    ("frames_of", "heard"),
    [
        (lambda i: answer(i, last=FAILED), [*IN_PIECES[:3], ("end", 5, False)]),
        (lambda i: headers(i, FAILED, end=True), ["opened", ("aborted", ErrorCode.PROTOCOL_ERROR)]),
        (lambda i: headers(i, HEAD) + headers(i, LAST, end=True), ["opened", ("head", 200), ("end", 0, False)]),
        (lambda i: headers(i, HEAD) + data(i, BODY, h2.END_STREAM), [*IN_PIECES[:3], ("end", None, False)]),
        (lambda i: frames.rst_stream(i, ErrorCode.CANCEL), ["opened", ("aborted", ErrorCode.CANCEL)]),
        (lambda i: frames.rst_stream(i, ErrorCode.REFUSED_STREAM), ["opened", "unprocessed"]),
        (lambda _: frames.goaway(1, ErrorCode.NO_ERROR), ["opened", "unprocessed"]),
        (lambda i: frames.window_update(i, 9) + answer(i), IN_PIECES),
    ],
    ids=["error", "no status", "no body", "no trailers", "reset", "refused", "goaway", "window"],
)
def test_what_is_not_ordinary_becomes_a_stream(machine: ClientConnection, frames_of: Any, heard: list[Any]) -> None:
    caller, stream_id = begin(machine)
    machine.receive(frames_of(stream_id), 0.0)
    assert caller.heard == heard
    assert not machine.pending
    assert not machine.closed


def test_a_caller_that_declines_gets_the_pieces(machine: ClientConnection) -> None:
    caller, stream_id = begin(machine, takes_whole=False)
    other, other_id = begin(machine)
    machine.receive(answer(stream_id) + answer(other_id), 0.0)
    assert caller.heard == IN_PIECES
    assert other.heard == WHOLE


def test_frames_of_two_answers_that_mix_are_told_apart(machine: ClientConnection) -> None:
    (first, one), (second, two) = begin(machine), begin(machine)
    mixed = headers(one, HEAD) + data(two, BODY)
    machine.receive(headers(two, HEAD) + mixed + data(one, BODY) + headers(one, LAST, end=True), 0.0)
    machine.receive(headers(two, LAST, end=True), 0.0)
    assert first.heard == second.heard == IN_PIECES


def test_a_withdrawn_call_is_reset_and_its_late_answer_passed_over(machine: ClientConnection) -> None:
    caller, stream_id = begin(machine)
    machine.out.clear()
    machine.withdraw(stream_id)
    assert machine.out == [frames.rst_stream(stream_id, ErrorCode.CANCEL)]
    machine.receive(answer(stream_id), 0.0)
    assert not caller.heard
    assert not machine.closed


def test_many_answers_in_one_read_are_spread_over_turns(machine: ClientConnection) -> None:
    calls = [begin(machine) for _ in range(limits.MAX_FRAMES_PER_TURN + 1)]
    assert machine.receive(b"".join(answer(stream_id) for _, stream_id in calls), 0.0)
    assert len(machine.pending) == 1
    assert not machine.receive(b"", 0.0)
    assert all(caller.heard == WHOLE for caller, _ in calls)


def test_answers_are_credited_to_the_connection(machine: ClientConnection) -> None:
    """Half a window of them brings a WINDOW_UPDATE."""
    body, received = frame_message(bytes(16_000)), 0
    while not machine.out or received < limits.CONNECTION_WINDOW_BYTES // 2:
        _, stream_id = begin(machine)
        machine.out.clear()
        machine.receive(answer(stream_id, body), 0.0)
        received += len(body)
    assert [piece[3] for piece in machine.out] == [h2.WINDOW_UPDATE]


@pytest.mark.parametrize("reason", ["window", "blocked", "frame", "block"])
def test_what_does_not_fit_is_left_to_streams(machine: ClientConnection, reason: str) -> None:
    machine.blocked = reason == "blocked"
    size = {"window": h2.DEFAULT_WINDOW, "frame": h2.DEFAULT_FRAME_BYTES}.get(reason, 1)
    block = bytes(h2.DEFAULT_FRAME_BYTES + 1) if reason == "block" else BLOCK
    assert machine.exchange(Caller(), block, bytes(size)) == 0
    assert not machine.out
    assert not machine.pending


def test_nothing_may_begin_once_the_connection_ends(machine: ClientConnection) -> None:
    assert machine.limit > 0
    machine.receive(frames.goaway(1, ErrorCode.NO_ERROR), 0.0)
    machine.receive(SETTINGS, 0.0)
    assert machine.limit == 0


def test_stream_ids_run_out(machine: ClientConnection) -> None:
    machine.last_stream_id = limits.LAST_STREAM_ID_BEFORE_DRAIN
    begin(machine)
    assert machine.limit == 0


@pytest.mark.parametrize("broken", [b"HTTP/1.1 400 Bad Request\r\n\r\n", frames.ping(bytes(8)), data(1, b"x")])
def test_a_server_that_does_not_greet_is_refused(broken: bytes) -> None:
    machine = ClientConnection(ResponseBlock)
    machine.receive(broken, 0.0)
    assert machine.closed
    assert machine.failure
