"""Whether a server that takes its time for an answer is still there.

A query may take minutes, so that the time it has taken tells nothing. A server that was stopped, or whose packets get
lost, looks like a busy one until the keep-alive of the connection gives up, most of a minute later; the others of its
replica set have elected somebody else by then. So a server that is silent for a moment is asked for its health on the
same connection, and again from time to time: one that does not answer that either is given up.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, TypeVar

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

if TYPE_CHECKING:
    from typing import Any

Answer = TypeVar("Answer")

QUIET_S: Final = 1.0
"""Silence that is normal, and the pause between two questions."""
PATIENCE_S: Final = 2.0
"""For an answer about health, which needs no disk and no lock: a server that is busier than that is as good as gone."""
_SILENT: Final = frozenset({grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.UNAVAILABLE})


async def answer_of(running: grpc.aio.UnaryUnaryCall[Any, Answer], channel: grpc.aio.Channel) -> Answer:
    """The answer of a call on this channel.

    Raises:
        AioRpcError: As the call ends; UNAVAILABLE also when its server is silent.
    """
    presence = _Presence(running, channel)
    try:
        return await running
    except asyncio.CancelledError:
        task = asyncio.current_task()
        if not presence.over or (task and task.cancelling()):
            raise
        nothing = grpc.aio.Metadata()
        text = "it answers nothing any more"
        raise grpc.aio.AioRpcError(grpc.StatusCode.UNAVAILABLE, nothing, nothing, text) from None
    finally:
        presence.end()


class _Presence:
    """Watches one call.

    Attributes:
        over: The call was given up.
    """

    def __init__(self, running: grpc.aio.UnaryUnaryCall[Any, Any], channel: grpc.aio.Channel) -> None:
        self.over = False
        self._running = running
        self._channel = channel
        self._loop = asyncio.get_running_loop()
        self._timer = self._loop.call_later(QUIET_S, self._doubt)  # a task would cost each call more
        self._asking: asyncio.Task[None] | None = None

    def _doubt(self) -> None:
        self._asking = self._loop.create_task(self._ask())

    async def _ask(self) -> None:
        if await _is_there(self._channel):
            self._timer = self._loop.call_later(QUIET_S, self._doubt)
        else:
            self.over = True
            self._running.cancel()

    def end(self) -> None:
        """The call has ended."""
        self._timer.cancel()
        if self._asking:
            self._asking.cancel()


async def _is_there(channel: grpc.aio.Channel) -> bool:
    try:
        await health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=PATIENCE_S)
    except grpc.aio.AioRpcError as error:
        return error.code() not in _SILENT
    return True
