"""What one request may use: documents examined, memory held, time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from laura_fast.errors import DeadlineError, OverloadedError
from laura_fast.limits import queries as limits

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_EXAMINED: Final = "MAX_EXAMINED"
MEMORY_BUDGET: Final = "MEMORY_BUDGET"
DEADLINE: Final = "DEADLINE"


class Budget:
    """Counts what a request uses and ends it when that is too much.

    Attributes:
        examined: Documents looked at so far.
        held_bytes: Memory held now, as its holders reported it.
    """

    def __init__(self, max_examined: int, deadline: float, max_bytes: int, now: Callable[[], float]) -> None:
        """A budget for one request.

        Args:
            max_examined: Documents that it may look at.
            deadline: When it must be done, in seconds of `now`'s clock.
            max_bytes: Memory that it may hold at once, for sorting and grouping.
            now: A monotonic clock.
        """
        self.examined = 0
        self.held_bytes = 0
        self._max_examined = max_examined
        self._deadline = deadline
        self._max_bytes = max_bytes
        self._now = now
        self._next_look = 0

    def examine(self, number: int = 1) -> None:
        """Counts documents; now and then looks at the clock, too.

        Raises:
            OverloadedError: MAX_EXAMINED.
            DeadlineError: DEADLINE.
        """
        self.examined += number
        if self.examined > self._max_examined:
            raise OverloadedError(
                f"more than {self._max_examined:,} documents examined; an index or a narrower filter is needed",
                MAX_EXAMINED,
            )
        if self.examined >= self._next_look:
            self._next_look = self.examined + limits.EXAMINED_PER_CLOCK_LOOK
            self.check_deadline()

    def check_deadline(self) -> None:
        """Looks at the clock.

        Raises:
            DeadlineError: DEADLINE.
        """
        if self._now() >= self._deadline:
            raise DeadlineError(f"the deadline passed after {self.examined:,} documents were examined", DEADLINE)

    def hold(self, size: int) -> None:
        """Counts `size` bytes of memory as held until they are released.

        Raises:
            OverloadedError: MEMORY_BUDGET; the bytes are not counted then.
        """
        if self.held_bytes + size > self._max_bytes:
            raise OverloadedError(
                f"sorting or grouping needs more than {self._max_bytes:,} bytes of memory", MEMORY_BUDGET
            )
        self.held_bytes += size

    def release(self, size: int) -> None:
        """Gives back memory that was held."""
        self.held_bytes -= size
