"""What the shell needs of the world, so that tests can bring their own."""

from __future__ import annotations

from typing import Protocol


class Clock(Protocol):
    """Two times: one to measure with, one to tell others."""

    def monotonic(self) -> float:
        """Seconds since an arbitrary moment; never goes back."""

    def wall_ms(self) -> int:
        """Milliseconds since 1970 UTC; may jump. Never used to decide that time has passed."""
