"""The deadlines of a channel's calls: one timer for all of them, so that a call costs none."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from laura_fast.transport.native.channel.call import ClientCall

_NEVER: Final = float("inf")
_TICK_S: Final = 0.0005
"""Half of the millisecond to which event loops round their timers."""

_REST_PER_CALL_S: Final = 2e-6
"""Between two looks; one takes about a tenth of it per call. Ten thousand calls may so end 20 ms late, not starve."""


class Deadlines:
    """Ends the calls whose time is up.

    The timer rings at the earliest deadline there was when it was set; then all calls that are not over are looked
    at. Calls mostly end long before, so one look serves the thousands that began since the last.

    Attributes:
        rings_at: When the timer rings, by the loop's clock. A call with an earlier deadline must `set` it.

    Args:
        calls: All calls that are not over.
    """

    __slots__ = ("_calls", "_rested_at", "_timer", "rings_at")

    def __init__(self, calls: Callable[[], Sequence[ClientCall]]) -> None:
        self.rings_at = _NEVER
        self._calls = calls
        self._rested_at = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def set(self, deadline: float) -> None:
        """Rings at `deadline` or soon after it."""
        self.clear()
        self.rings_at = deadline
        self._timer = asyncio.get_running_loop().call_at(max(deadline, self._rested_at), self._look)

    def clear(self) -> None:
        """Rings no more."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer, self.rings_at = None, _NEVER

    def _look(self) -> None:
        self.clear()
        calls, now = self._calls(), asyncio.get_running_loop().time()
        self._rested_at = now + len(calls) * _REST_PER_CALL_S
        earliest = _NEVER
        for call in calls:
            if call.deadline is None:
                continue
            if call.deadline <= now + _TICK_S:
                call.expire()
            else:
                earliest = min(earliest, call.deadline)
        # What ended above may have begun another call, which has set the timer.
        if earliest < self.rings_at:
            self.set(earliest)
