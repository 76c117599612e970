"""Bidirectional methods that answer each request at once, written once for every transport."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, TypeVar

from laura_fast.services.status import explain
from laura_fast.transport.marks import EXCHANGE, Exchanges

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable

    from laura_fast.errors import RpcError
    from laura_fast.transport.marks import Context

Opener = TypeVar("Opener", bound="Callable[..., Any]")


def exchange(opener: Opener) -> Opener:
    """Marks a servicer's method that takes (context, end) and returns the `Exchange` of one stream."""
    setattr(opener, EXCHANGE, True)
    return opener


def is_exchange(behaviour: object) -> bool:
    """Whether it was marked."""
    return getattr(behaviour, EXCHANGE, False) is True


def exchanges(opener: Callable[..., Any]) -> Exchanges:
    """What a transport needs to run its streams without a task."""
    return Exchanges(opener, explain)


def in_task(opener: Callable[..., Any]) -> Callable[..., AsyncGenerator[Any]]:
    """The same streams as an async generator, for transports that know nothing else."""

    async def behaviour(requests: AsyncIterator[Any], context: Context) -> AsyncGenerator[Any]:
        waiting = _Waiting(requests)
        one = opener(context, waiting.end)
        try:
            async for request in waiting:
                yield one.answer(request)
        finally:
            one.close()

    return behaviour


class _Waiting:
    """Iterates over requests until `end` is called, which interrupts a wait for the next one and nothing else.

    A task that is cancelled while it writes an answer would leave its call without a status on grpc.aio.
    """

    def __init__(self, requests: AsyncIterator[Any]) -> None:
        self._next = requests.__anext__
        self._task = asyncio.current_task()
        self._error: RpcError | None = None
        self._interruptible = False

    def end(self, error: RpcError) -> None:
        if self._error is None:
            self._error = error
            if self._interruptible and self._task is not None:
                self._task.cancel()

    def __aiter__(self) -> _Waiting:
        return self

    async def __anext__(self) -> Any:
        if self._error is not None:
            raise self._error
        self._interruptible = True
        try:
            return await self._next()
        except asyncio.CancelledError:
            if self._error is None or self._task is None:
                raise
            self._task.uncancel()
            raise self._error from None
        finally:
            self._interruptible = False
