"""An exchange run by the native transport itself, the same in a task there, and on grpcio: the client can't tell."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

import grpc
import pytest
import uvloop
from hypothesis import given, settings
from hypothesis import strategies as st

from laura_fast.errors import AbortedError, UnavailableError
from laura_fast.services.binding import stream_behaviour
from laura_fast.services.exchange import exchange
from laura_fast.transport.marks import EXCHANGE
from laura_fast.transport.settings import TransportSettings
from tests.contract.transport_kit import FACTORIES
from tests.properties.test_transport_differential import Codes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from laura_fast.transport.marks import Context, End

TIMEOUT_S = 10.0
Seen = tuple[list[bytes], grpc.StatusCode, str, tuple[str, ...]]

ENDINGS = (b"!refuse", b"?bug", b"#")
ENDINGS_ALONE = tuple([ending] for ending in ENDINGS)
messages = st.lists(st.one_of(st.binary(max_size=40), st.sampled_from([bytes(70_000), b"*100000"])), max_size=12)


class Shout:
    """Answers each message with itself; some messages end the stream, some get a long answer."""

    open_streams = 0

    def __init__(self, end: End) -> None:
        self._end = end
        Shout.open_streams += 1

    def answer(self, request: bytes) -> bytes:
        if request == b"!refuse":
            raise AbortedError("as asked", "ASKED", metadata={"k": "v"})
        if request == b"?bug":
            raise ZeroDivisionError
        if request == b"+end":
            asyncio.get_running_loop().call_soon(self._end, UnavailableError("told to go", "GONE"))
        return bytes(int(request[1:])) if request[:1] == b"*" and request[1:].isdigit() else request

    def close(self) -> None:
        Shout.open_streams -= 1


@exchange
def shout(_context: Context, end: End) -> Shout:
    return Shout(end)


def parse(raw: bytes) -> bytes:
    if raw == b"#":
        raise ValueError("no such message")
    return raw


def handler() -> grpc.GenericRpcHandler:
    marked = stream_behaviour(shout)

    async def unmarked(requests: Any, context: Any) -> Any:
        async for answer in marked(requests, context):
            yield answer

    assert getattr(marked, EXCHANGE).explain
    make: Any = grpc.stream_stream_rpc_method_handler
    methods = {
        "Marked": make(marked, request_deserializer=parse),
        "Unmarked": make(unmarked, request_deserializer=parse),
    }
    return grpc.method_handlers_generic_handler("test.Shout", methods)


class Sides:
    """Three ways to the same exchange."""

    def __init__(self, runner: asyncio.Runner, calls: list[Any]) -> None:
        self.runner = runner
        self.calls = calls


@pytest.fixture(scope="module")
def sides() -> Iterator[Sides]:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        stack = AsyncExitStack()
        channels = {name: runner.run(_start(name, stack)) for name in ("native", "grpcio")}
        paths = (("native", "Marked"), ("native", "Unmarked"), ("grpcio", "Marked"))
        yield Sides(runner, [channels[name].stream_stream(f"/test.Shout/{method}") for name, method in paths])
        runner.run(stack.aclose())
        assert not Shout.open_streams


async def _start(name: str, stack: AsyncExitStack) -> grpc.aio.Channel:
    server = FACTORIES[name](TransportSettings(), Codes())
    server.add_generic_rpc_handlers((handler(),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    stack.push_async_callback(server.stop, None)
    return await stack.enter_async_context(grpc.aio.insecure_channel(f"127.0.0.1:{port}"))


async def talk(call_method: Any, sent: list[bytes], *, in_turn: bool) -> Seen:
    """Sends all messages, each after the answer to the last one or all at once; what came of it."""
    call = call_method(timeout=TIMEOUT_S)
    answers: list[bytes] = []
    try:
        for message in sent:
            await call.write(message)
            if in_turn and (answer := await call.read()) is not grpc.aio.EOF:
                answers.append(answer)
        if sent[-1:] not in ENDINGS_ALONE:  # grpc.aio reports INTERNAL where a status overtakes what it sends
            await call.done_writing()
        while (answer := await call.read()) is not grpc.aio.EOF:
            answers.append(answer)
    except grpc.aio.AioRpcError:
        pass  # told by the code
    keys = tuple(sorted(key for key, _ in (await call.trailing_metadata()) or ()))
    return answers, await call.code(), await call.details(), keys


@settings(max_examples=60, deadline=None)
@given(sent=messages, ending=st.sampled_from((None, *ENDINGS)), in_turn=st.booleans())
def test_nobody_can_tell_who_runs_an_exchange(
    sides: Sides, sent: list[bytes], ending: bytes | None, in_turn: bool
) -> None:
    sent = [message for message in sent if message not in ENDINGS] + ([] if ending is None else [ending])
    first, *others = [sides.runner.run(talk(call, sent, in_turn=in_turn)) for call in sides.calls]
    for other in others:
        assert other == first
    assert len(first[0]) == len(sent) - (ending is not None)
    assert (first[1] is grpc.StatusCode.OK) == (ending is None)


def test_an_end_from_elsewhere_is_the_status_of_each(sides: Sides) -> None:
    async def told(call_method: Any) -> Seen:
        call = call_method(timeout=TIMEOUT_S)
        await call.write(b"+end")
        answers = [await call.read()]
        keys = tuple(key for key, _ in await call.trailing_metadata())
        return answers, await call.code(), await call.details(), keys

    expected = ([b"+end"], grpc.StatusCode.UNAVAILABLE, "told to go", ("grpc-status-details-bin",))
    assert [sides.runner.run(told(call)) for call in sides.calls] == [expected] * 3


def test_a_stream_may_carry_more_than_its_window(sides: Sides) -> None:
    sent = [bytes(15_000)] * 200
    for call in sides.calls:
        assert sides.runner.run(talk(call, sent, in_turn=True))[:2] == (sent, grpc.StatusCode.OK)


def test_a_client_that_reads_nothing_is_held_up_by_each_and_then_served(sides: Sides) -> None:
    async def late(call_method: Any) -> tuple[int, grpc.StatusCode]:
        call = call_method(timeout=TIMEOUT_S)
        for _ in range(60):
            await call.write(b"*100000")
        await call.done_writing()
        total = 0
        while (answer := await call.read()) is not grpc.aio.EOF:
            total += len(answer)
        return total, await call.code()

    for call in sides.calls:
        assert sides.runner.run(late(call)) == (6_000_000, grpc.StatusCode.OK)
