"""A timer that is exact to microseconds: uvloop's own are whole milliseconds, as long as many calls take altogether."""

from __future__ import annotations

import asyncio
import ctypes
import os
import struct
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

_libc = ctypes.CDLL(None, use_errno=True)  # os.timerfd_create is there from Python 3.13 on
_CLOCK_MONOTONIC: Final = 1
_FLAGS: Final = os.O_NONBLOCK | os.O_CLOEXEC  # TFD_NONBLOCK and TFD_CLOEXEC are the same numbers
_ABSOLUTE: Final = 1
_ITIMERSPEC: Final = struct.Struct("@qqqq")
"""Interval and first expiry, each as seconds and nanoseconds (timerfd_create(2))."""

_SECOND_NS: Final = 1_000_000_000
_EXPIRIES_BYTES: Final = 8


class Ticker:
    """Calls back at `first_ns`, and each `interval_ns` after it, until it is closed.

    Args:
        first_ns: On the clock of `time.monotonic_ns`.
        interval_ns: More than 0. Ticks that nobody had time for become one.
        on_tick: Called on the event loop that runs now.
    """

    def __init__(self, first_ns: int, interval_ns: int, on_tick: Callable[[], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._on_tick = on_tick
        self._timer = _checked(_libc.timerfd_create(_CLOCK_MONOTONIC, _FLAGS))
        setting = _ITIMERSPEC.pack(*divmod(interval_ns, _SECOND_NS), *divmod(first_ns, _SECOND_NS))
        _checked(_libc.timerfd_settime(self._timer, _ABSOLUTE, setting, None))
        self._loop.add_reader(self._timer, self._expired)

    def close(self) -> None:
        """No more ticks."""
        if self._timer >= 0:
            self._loop.remove_reader(self._timer)
            os.close(self._timer)
            self._timer = -1

    def _expired(self) -> None:
        os.read(self._timer, _EXPIRIES_BYTES)
        self._on_tick()


def _checked(result: int) -> int:
    if result < 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
    return result
