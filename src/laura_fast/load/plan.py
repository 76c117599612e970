"""When the calls of an open loop begin: fixed before the first one, whatever the server does.

Theory: a closed loop waits for an answer before it asks again, so a server that stalls is asked less and its stall is
counted once ("coordinated omission"). Here a call that could not be sent in time still counts from its intended time.

Arrivals come in ticks, because a timer per call costs more than the call: all calls of a tick are intended at the
tick's time. Below 2,000 calls a second every call has a tick of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

TICK_NS: Final = 500_000
"""Shortest distance of two ticks. A wake-up costs about 15 µs, so ticks alone take about 3 % of a core."""

_SECOND_NS: Final = 1_000_000_000


class Batch(NamedTuple):
    """Calls that are intended at one time.

    Attributes:
        offset_ns: Their time, from the start of the run.
        calls: How many; at least one.
    """

    offset_ns: int
    calls: int


class Schedule:
    """Evenly spread arrivals.

    Args:
        rate: Calls per second, at least 1.
        seconds: Length of the run.

    Attributes:
        tick_ns: Distance of two ticks.
        total: Calls of the whole run.
    """

    def __init__(self, rate: int, seconds: float) -> None:
        self.tick_ns = max(TICK_NS, -(-_SECOND_NS // rate))
        self.total = round(rate * seconds)
        self._rate = rate
        self._next_tick = 0
        self._planned = 0

    @property
    def exhausted(self) -> bool:
        """All calls were due."""
        return self._planned >= self.total

    @property
    def remaining(self) -> int:
        """Calls that were not due yet."""
        return self.total - self._planned

    def due(self, elapsed_ns: int) -> Iterator[Batch]:
        """The batches of all ticks up to this time that were not asked for before, oldest first."""
        while not self.exhausted and self._next_tick * self.tick_ns <= elapsed_ns:
            tick, self._next_tick = self._next_tick, self._next_tick + 1
            planned = min(self.total, (tick + 1) * self.tick_ns * self._rate // _SECOND_NS)
            calls, self._planned = planned - self._planned, planned
            if calls:
                yield Batch(tick * self.tick_ns, calls)
