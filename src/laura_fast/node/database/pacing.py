"""When a read on the reader thread must let others go on."""

from __future__ import annotations

from laura_fast.limits import database as limits


class Pace:
    """Tells a read when its slice is over. Slices are counted in work, so that no test depends on the clock."""

    __slots__ = ("_bytes_left", "_left")

    def __init__(self) -> None:
        self._left = 0
        self._bytes_left = 0
        self._renew()

    def _renew(self) -> None:
        self._left = limits.SLICE_DOCUMENTS
        self._bytes_left = limits.SLICE_BYTES

    def over(self, size: int) -> bool:
        """Counts one document of `size` bytes; whether the read must yield now."""
        self._left -= 1
        self._bytes_left -= size
        if self._left > 0 < self._bytes_left:
            return False
        self._renew()
        return True
