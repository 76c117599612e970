"""How much the documents may occupy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from laura_fast.errors import OverloadedError

if TYPE_CHECKING:
    from laura_fast.storage.ordered import Reader

GROWTH = 4
"""How many times its size a document may occupy: the record, the oplog, an old image and pages that are half full."""


class Room:
    """What one job may add. Measured once per job; what the job adds is estimated upwards."""

    __slots__ = ("_left", "_limit")

    def __init__(self, reader: Reader, limit: int) -> None:
        self._limit = limit
        self._left = (limit - reader.used_bytes()) // GROWTH if limit else None

    def take(self, count: int) -> None:
        """Counts a document's bytes in.

        Raises:
            OverloadedError: STORAGE_FULL: it would not fit.
        """
        if self._left is None:
            return
        if count > self._left:
            raise OverloadedError(
                f"the quota of {self._limit} bytes is used up: deletes still work, and free room when old versions "
                "and the oplog let it go",
                "STORAGE_FULL",
            )
        self._left -= count
