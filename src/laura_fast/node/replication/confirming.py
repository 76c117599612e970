"""Rounds of beats in which a primary learns that it still was one: what makes a read linearizable without a clock.

A majority that answers in our term had elected nobody else by then, so that nobody else can have acknowledged anything
before the round began (Ongaro 2014, section 6.4). Whoever comes while a round runs shares the next one.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from laura_fast.errors import UnavailableError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from laura_fast.node.replication.tasks import Tasks


class Confirmations:
    """Belongs to one event loop."""

    def __init__(self, ask: Callable[[], Awaitable[bool]], tasks: Tasks) -> None:
        """Prepares.

        Args:
            ask: One round: whether a majority answered in our term.
            tasks: In which rounds are made.
        """
        self._ask = ask
        self._tasks = tasks
        self._running: asyncio.Task[bool] | None = None
        self._next: asyncio.Task[bool] | None = None

    async def confirm(self) -> None:
        """Returns after a round that began after the call.

        Raises:
            UnavailableError: NO_QUORUM.
        """
        if self._next is None:
            self._next = self._tasks.spawn(self._round(self._running))
        if not await asyncio.shield(self._next):
            raise no_quorum()

    async def _round(self, before: asyncio.Task[bool] | None) -> bool:
        if before:
            await asyncio.wait([before])
        self._running, self._next = self._next, None
        return await self._ask()


def no_quorum() -> UnavailableError:
    """What a primary answers that may be none any more."""
    text = "a majority did not confirm that this member still is the primary"
    return UnavailableError(text, "NO_QUORUM", retry_after_ms=100)
