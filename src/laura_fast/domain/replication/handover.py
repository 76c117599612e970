"""A primary that steps down for a better one: MongoDB's conditional step-down.

It takes no more writes and waits until a majority has its last entry and one of those that have it may lead. That one
is told to run at once, so the set is without a primary for one round of votes only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from laura_fast.domain.replication.members import BEGINNING

if TYPE_CHECKING:
    from laura_fast.domain.replication.members import Configuration, Position


class HandOver:
    """One attempt."""

    def __init__(self, me: str, until: float, *, force: bool, successor: str) -> None:
        """Begins it.

        Args:
            me: The primary.
            until: When it ends.
            force: Whether the primary steps down then without a successor.
            successor: Who shall follow; "" = whoever is best.
        """
        self.until = until
        self.force = force
        self._me = me
        self._successor = successor
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
        if self._successor:
            candidates = [member for member in candidates if member.id == self._successor]
        best = max(candidates, key=lambda member: (member.priority, member.id), default=None)
        return best.id if best else ""
