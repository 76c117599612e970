"""Time that passes as fast as the code under test sleeps."""

from __future__ import annotations

import asyncio
from itertools import repeat
from typing import TYPE_CHECKING

from laura_fast.client.timing import Timing

if TYPE_CHECKING:
    from collections.abc import Iterable


class VirtualTime:
    """`sleeps` holds each wait in order. `dice` are thrown in order, then one half for ever."""

    def __init__(self, dice: Iterable[float] = ()) -> None:
        self.now = 1000.0
        self.sleeps: list[float] = []
        self._last: tuple[int, Exception] | None = None
        thrown, rest = iter(dice), repeat(0.5)
        self.timing = Timing(
            monotonic=lambda: self.now,
            wall=lambda: 1_700_000_000.0 + self.now,
            sleep=self._sleep,
            random=lambda: next(thrown, next(rest)),
        )

    def stop_after(self, sleeps: int, error: Exception) -> None:
        """Makes the sleep of that number raise, to end what runs for ever."""
        self._last = sleeps, error

    async def _sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        if self._last and len(self.sleeps) >= self._last[0]:
            raise self._last[1]
        self.now += seconds
        await asyncio.sleep(0)
