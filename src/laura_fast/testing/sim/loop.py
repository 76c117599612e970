"""An event loop whose time is virtual: it never waits, it moves its clock to the next thing that happens.

The same program with the same seed takes the same steps, whatever the machine does meanwhile.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

WALL_MS = 1_700_000_000_000


class IdleError(Exception):
    """Everything waits for something that will never happen."""


class VirtualLoop(asyncio.BaseEventLoop):
    """A loop without sockets, threads or signals; also the `Clock` of what runs on it."""

    def __init__(self) -> None:
        super().__init__()
        self._selector = self
        self._now = 0.0

    def time(self) -> float:
        return self._now

    def monotonic(self) -> float:
        """`Clock`: seconds since the loop was made."""
        return self._now

    def wall_ms(self) -> int:
        """`Clock`: a date that moves with `time`."""
        return WALL_MS + int(self._now * 1000)

    def select(self, timeout: float | None) -> Sequence[Any]:
        """Stands in for the selector: time passes, nothing arrives.

        Raises:
            IdleError: Nothing is scheduled any more.
        """
        if timeout is None:
            raise IdleError
        self._now += timeout
        return ()

    def _process_events(self, event_list: Sequence[Any]) -> None:
        """There are none."""

    def _write_to_self(self) -> None:
        """Nothing sleeps that would have to be woken."""
