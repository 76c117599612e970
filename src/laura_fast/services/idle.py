"""A time limit on the gaps of a request stream that costs one store per message instead of a timer per message."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from laura_fast.errors import DeadlineError

if TYPE_CHECKING:
    from laura_fast.transport.marks import End


class IdleLimit:
    """Ends a stream that brings nothing for `idle_s`.

    One timer runs per stream and looks, when it fires, at how long the current gap really is.
    """

    __slots__ = ("_end", "_heard_at", "_idle_s", "_loop", "_timer", "now")

    def __init__(self, idle_s: float, end: End) -> None:
        self._loop = asyncio.get_running_loop()
        self.now = self._loop.time
        self._idle_s = idle_s
        self._end = end
        self._heard_at = self.now()
        self._timer = self._loop.call_later(idle_s, self._check)

    def heard(self) -> None:
        """A message came."""
        self._heard_at = self.now()

    def close(self) -> None:
        """The stream is over."""
        self._timer.cancel()

    def _check(self) -> None:
        due = self._heard_at + self._idle_s
        if self.now() < due:
            self._timer = self._loop.call_at(due, self._check)
        else:
            self._end(DeadlineError(f"no message for {self._idle_s:g} s", "STREAM_IDLE"))
