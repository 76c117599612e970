"""Whether the generator itself was the bottleneck: then the figures describe it, not the server."""

from __future__ import annotations

from typing import Final

from laura_fast.load.measuring import Histogram

CPU_SHARE: Final = 0.9
"""Of one core. Beyond, calls wait for the generator: the queue of one server is ten times its service at 90 %."""

LATE_US: Final = 2_000
"""A tick that begins later than this was not held up by an answer or two, which take microseconds."""

LATE_SHARE: Final = 0.01
"""Late ticks that are forgiven: below, they touch p99 no more."""


class Saturation:
    """Watches one run.

    Attributes:
        lateness: By how much ticks began after their time, microseconds.
    """

    def __init__(self) -> None:
        self.lateness = Histogram()
        self._late = 0

    def ticked(self, late_us: int) -> None:
        """A tick began so long after its time."""
        self.lateness.record((max(0, late_us),))
        self._late += late_us > LATE_US

    def reasons(self, cpu_s: float, wall_s: float) -> list[str]:
        """Why the result can't be trusted; nothing if it can.

        Args:
            cpu_s: CPU time that the generator used.
            wall_s: In so much time.
        """
        found = []
        if cpu_s > CPU_SHARE * wall_s:
            found.append(f"the generator used {cpu_s / wall_s:.0%} of a core")
        if self._late > LATE_SHARE * self.lateness.count:
            share = self._late / self.lateness.count
            found.append(f"the generator was more than {LATE_US / 1000:.0f} ms late in {share:.1%} of its ticks")
        return found
