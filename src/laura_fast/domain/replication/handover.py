"""A primary that steps down for a better one: MongoDB's conditional step-down.

It takes no more writes and waits until a majority has its last entry and one of those that have it may lead. That one
is told to run at once, so the set is without a primary for one round of votes only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from laura_fast.domain.replication.members import BEGINNING

if TYPE_CHECKING:
    from laura_fast.domain.replication.events import StepDownAsked
    from laura_fast.domain.replication.members import Configuration, Position


class HandOver:
    """One attempt."""

    def __init__(self, me: str, asked: StepDownAsked) -> None:
        """Begins it.

        Args:
            me: The primary.
            asked: By when, for whom, and what if nobody is ready then.
        """
        self.asked = asked
        self._me = me
        self._durable: dict[str, Position] = {}

    def heard(self, member: str, durable: Position) -> None:
        """A member reported how far it is."""
        self._durable[member] = max(durable, self._durable.get(member, BEGINNING))

    def ready(self, configuration: Configuration, last: Position) -> str:
        """Who is to run now; "" while nobody can."""
        equal = [member for member, durable in self._durable.items() if durable >= last and member != self._me]
        if not configuration.is_majority([*equal, self._me]):
            return ""
        candidates = [member for member in map(configuration.get, equal) if member and member.electable]
        if self.asked.successor:
            candidates = [member for member in candidates if member.id == self.asked.successor]
        best = max(candidates, key=lambda member: (member.priority, member.id), default=None)
        return best.id if best else ""
