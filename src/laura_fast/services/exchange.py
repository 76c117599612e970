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
        task = asyncio.current_task()
        errors: list[RpcError] = []
        assert task is not None, "a streaming handler runs in a task"  # noqa: S101  # transports promise it

        def end(error: RpcError) -> None:
            errors.append(error)
            task.cancel()

        one = opener(context, end)
        try:
            async for request in requests:
                yield one.answer(request)
        except asyncio.CancelledError:
            if not errors:
                raise
            task.uncancel()
            raise errors[0] from None
        finally:
            one.close()

    return behaviour
