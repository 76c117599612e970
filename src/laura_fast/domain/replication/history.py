"""Which elections a member has seen, and why each of them happened."""

from __future__ import annotations

from typing import NamedTuple

from laura_fast.limits.replication import MAX_ELECTIONS_KEPT


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
    """The last elections, as far as this member lived through them.

    Attributes:
        newest_first: All that are kept; a new value with each, so that other threads may read it.
    """

    def __init__(self) -> None:
        self.newest_first: tuple[ElectionRecord, ...] = ()

    def add(self, record: ElectionRecord) -> None:
        """Keeps a newer election than all before; any other is known, or too late to matter."""
        if not self.newest_first or record.term > self.newest_first[0].term:
            self.newest_first = (record, *self.newest_first)[:MAX_ELECTIONS_KEPT]
