"""Which elections a member has seen, and why each of them happened."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, NamedTuple

from laura_fast.limits import MAX_ELECTIONS_KEPT

if TYPE_CHECKING:
    from collections.abc import Sequence


class ElectionRecord(NamedTuple):
    """One election that was won.

    Attributes:
        term: That it began.
        primary: Who won it.
        at_ms: When, by the clock of who won it.
        reason: Why it ran, and who voted for it.
    """

    term: int
    primary: str
    at_ms: int
    reason: str


class History:
    """The last elections, as far as this member lived through them."""

    def __init__(self) -> None:
        self._records: deque[ElectionRecord] = deque(maxlen=MAX_ELECTIONS_KEPT)

    @property
    def newest_first(self) -> Sequence[ElectionRecord]:
        """All that are kept."""
        return tuple(self._records)

    def add(self, record: ElectionRecord) -> None:
        """Keeps a newer election than all before; any other is known, or too late to matter."""
        if not self._records or record.term > self._records[0].term:
            self._records.appendleft(record)
