"""The machine's clocks."""

from __future__ import annotations

import time


class SystemClock:
    """`Clock` of this machine."""

    monotonic = staticmethod(time.monotonic)

    @staticmethod
    def wall_ms() -> int:
        return time.time_ns() // 1_000_000
