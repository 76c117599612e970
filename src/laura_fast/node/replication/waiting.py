"""Writes that wait until enough members have them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from laura_fast.domain.replication.progress import WriteConcern


class Waiters:
    """Futures by op id. Belongs to one event loop."""

    def __init__(self) -> None:
        self._waiting: dict[asyncio.Future[None], tuple[int, WriteConcern]] = {}

    async def wait(self, op_id: int, concern: WriteConcern) -> None:
        """Returns when `settle` finds the concern met.

        Raises:
            Exception: What `fail` was given.
        """
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting[future] = op_id, concern
        try:
            await future
        finally:
            del self._waiting[future]

    def settle(self, reached: Callable[[int, WriteConcern], bool]) -> None:
        """Wakes those whose concern is met now."""
        for future, (op_id, concern) in self._waiting.items():
            if not future.done() and reached(op_id, concern):
                future.set_result(None)

    def fail(self, error: Exception) -> None:
        """Wakes all of them with the error."""
        for future in self._waiting:
            if not future.done():
                future.set_exception(error)
