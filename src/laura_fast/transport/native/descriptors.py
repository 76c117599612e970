"""How many file descriptors the process has left: connections stop before storage and logs go without."""

from __future__ import annotations

import resource
import sys
from pathlib import Path
from typing import Final

from laura_fast.limits import transport as limits

_OPEN_FILES: Final = Path("/proc/self/fd")


class Descriptors:
    """The two marks between which accepting pauses.

    Attributes:
        most: What the process may have (the soft RLIMIT_NOFILE when this was made).
    """

    def __init__(self) -> None:
        soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        self.most = sys.maxsize if soft == resource.RLIM_INFINITY else soft
        self._high = int(self.most * limits.DESCRIPTORS_FOR_CONNECTIONS)
        self._low = int(self.most * limits.DESCRIPTORS_TO_ACCEPT_AGAIN)

    def are_short(self, newest: int) -> bool:
        """Whether the high mark is reached, told by the descriptor just made.

        POSIX hands out the lowest free number: `newest` and more are in use. So asking costs nothing at each accept,
        and no connection has a number that is kept for others.
        """
        return newest >= self._high

    def are_plenty(self) -> bool:
        """Whether fewer than the low mark are in use."""
        return in_use() < self._low


def in_use() -> int:
    """Open descriptors of this process. Linux says their number as the size of the directory since 6.2."""
    return _OPEN_FILES.stat().st_size or sum(1 for _ in _OPEN_FILES.iterdir())
