"""A busy server is waited for, a silent one is given up."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, cast

import grpc
import pytest

from laura_fast.client.documents.presence import PATIENCE_S, QUIET_S, answer_of
from laura_fast.testing.sim.loop import VirtualLoop

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator

LONG_S = 600.0
HEALTHY = None


class Server:
    """A channel whose server takes its time, and says of its health what it is told to.

    Attributes:
        asked: How often it was asked for its health.
    """

    def __init__(self, answer_s: float, health: grpc.StatusCode | None) -> None:
        self.asked = 0
        self._answer_s = answer_s
        self._health = health

    def call(self) -> Any:
        """One that takes its time."""
        return asyncio.ensure_future(asyncio.sleep(self._answer_s, "answer"))

    def unary_unary(self, *_: Any, **__: Any) -> Callable[..., Coroutine[Any, Any, None]]:
        return self._check

    unary_stream = unary_unary

    async def _check(self, _request: Any, timeout: float) -> None:  # noqa: ASYNC109 - as gRPC has it
        self.asked += 1
        if self._health is grpc.StatusCode.DEADLINE_EXCEEDED:
            await asyncio.sleep(timeout)
        if self._health:
            raise grpc.aio.AioRpcError(self._health, grpc.aio.Metadata(), grpc.aio.Metadata())


@pytest.fixture
def loop() -> Iterator[VirtualLoop]:
    loop = VirtualLoop()
    yield loop
    loop.close()


async def asked(server: Server) -> str:
    answer: str = await answer_of(server.call(), cast("grpc.aio.Channel", server))
    return answer


@pytest.mark.parametrize("health", [HEALTHY, grpc.StatusCode.UNIMPLEMENTED, grpc.StatusCode.PERMISSION_DENIED])
def test_a_server_that_is_there_may_take_its_time(loop: VirtualLoop, health: grpc.StatusCode | None) -> None:
    server = Server(LONG_S, health)
    assert loop.run_until_complete(asked(server)) == "answer"
    assert server.asked == pytest.approx(LONG_S / QUIET_S, abs=1)


def test_a_quick_answer_costs_no_question(loop: VirtualLoop) -> None:
    server = Server(QUIET_S / 2, HEALTHY)
    assert loop.run_until_complete(asked(server)) == "answer"
    loop.run_until_complete(asyncio.sleep(LONG_S))
    assert server.asked == 0


def test_a_server_that_answers_nothing_is_given_up_within_seconds(loop: VirtualLoop) -> None:
    before = loop.time()
    with pytest.raises(grpc.aio.AioRpcError, match="it answers nothing any more") as given_up:
        loop.run_until_complete(asked(Server(LONG_S, grpc.StatusCode.DEADLINE_EXCEEDED)))
    assert given_up.value.code() is grpc.StatusCode.UNAVAILABLE
    assert loop.time() - before == pytest.approx(QUIET_S + PATIENCE_S)


def test_whoever_cancels_the_call_is_not_told_of_a_silent_server(loop: VirtualLoop) -> None:
    task = loop.create_task(asked(Server(LONG_S, grpc.StatusCode.DEADLINE_EXCEEDED)))
    loop.run_until_complete(asyncio.sleep(QUIET_S))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        loop.run_until_complete(task)
