"""What of the log is kept for members that copy everything, and for how long."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from laura_fast.limits.replication import SYNC_PIN_S

if TYPE_CHECKING:
    from collections.abc import Callable


class Pins:
    """Entries by member. A member that is silent for too long loses its own. Belongs to one event loop."""

    def __init__(self, pin: Callable[[str, int | None], None]) -> None:
        self._pin = pin
        self._timers: dict[str, asyncio.TimerHandle] = {}

    def hold(self, member: str, op_id: int) -> None:
        """Keeps the log from an entry on."""
        self.release(member)
        self._pin(member, op_id)
        self._timers[member] = asyncio.get_running_loop().call_later(SYNC_PIN_S, self.release, member)

    def move(self, member: str, op_id: int) -> None:
        """The member has come so far, if it is one of those."""
        if member in self._timers:
            self.hold(member, op_id)

    def release(self, member: str) -> None:
        """It needs nothing more."""
        if timer := self._timers.pop(member, None):
            timer.cancel()
            self._pin(member, None)

    def release_all(self) -> None:
        """Nobody is served here any more."""
        for member in list(self._timers):
            self.release(member)
