"""How much the documents may grow: what the quota leaves, and what the disk does.

Writers are refused while there is still room for what frees some: deletes and collecting, which copy pages, too.
"""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, Final

from laura_fast.errors import OverloadedError

if TYPE_CHECKING:
    from laura_fast.storage.ordered import Reader

GROWTH: Final = 4
"""How many times its size a document may occupy: the record, the oplog, an old image and pages that are half full."""
MEASURED_S: Final = 1.0
"""How long a measurement holds: others use the same disk."""


class Quota:
    """What jobs may still add: measured now and then, counted down in between. For the writer's thread."""

    def __init__(self) -> None:
        self._limit = 0
        self._left = 0
        self._again_at = 0.0
        self._full = ""

    def begin(self, reader: Reader, limit: int) -> None:
        """Measures when the last time was too long ago, or the limit another one.

        Args:
            reader: The state that the job will change.
            limit: Bytes that all tables may occupy; 0 = as many as the disk has.
        """
        if limit != self._limit or monotonic() >= self._again_at:
            self._limit = limit
            self._measure(reader)

    def take(self, reader: Reader, count: int) -> None:
        """Counts a document's bytes in.

        Raises:
            OverloadedError: STORAGE_FULL: it would not fit.
        """
        if count > self._left:
            self._measure(reader)
            if count > self._left:
                raise OverloadedError(
                    f"{self._full}: nothing can be added; deletes work, and make room when old versions and the oplog "
                    "are let go",
                    "STORAGE_FULL",
                )
        self._left -= count

    def _measure(self, reader: Reader) -> None:
        self._again_at = monotonic() + MEASURED_S
        left, self._full = reader.free_bytes(), "the disk is full"
        if self._limit and self._limit - reader.used_bytes() < left:
            left, self._full = self._limit - reader.used_bytes(), f"the quota of {self._limit:,} bytes is used up"
        self._left = left // GROWTH
