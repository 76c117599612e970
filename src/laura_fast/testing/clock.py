"""A clock that moves only when it is told to."""

from __future__ import annotations


class VirtualClock:
    """`Clock` for tests: starts at `start_s`, moves by `advance`."""

    def __init__(self, start_s: float = 1_000.0, wall_ms: int = 1_700_000_000_000) -> None:
        self._now_s = start_s
        self._wall_offset_ms = wall_ms - start_s * 1000

    def monotonic(self) -> float:
        return self._now_s

    def wall_ms(self) -> int:
        return int(self._wall_offset_ms + self._now_s * 1000)

    def advance(self, seconds: float) -> None:
        """Moves both times on."""
        self._now_s += seconds
