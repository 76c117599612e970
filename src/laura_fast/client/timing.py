"""Everything of the client that reads a clock, waits, or throws dice comes through here, so that tests can be exact."""

from __future__ import annotations

import asyncio
import random
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable


@dataclass(frozen=True, slots=True)
class Timing:
    """Clock, sleep and dice of one client."""

    monotonic: Callable[[], float] = time.monotonic
    """Seconds, never stepping back."""
    wall: Callable[[], float] = time.time
    """Seconds since 1970."""
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    random: Callable[[], float] = random.random
    """Uniform in [0, 1)."""

    def wall_ms(self) -> int:
        """Milliseconds since 1970."""
        return int(self.wall() * 1000)
