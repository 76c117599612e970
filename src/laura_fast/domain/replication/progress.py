"""How far each member is, what is committed, and whether a write concern is met.

An entry is committed when a majority of the voters has it on disk and it is of the primary's own term; older entries
commit with it (Raft, Ongaro 2014, section 3.6.2). A member's report counts only if its last entry is one of ours, which
the term of its position tells: an id alone could belong to a log that will be rolled back.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

from laura_fast.domain.replication.members import BEGINNING, Position
from laura_fast.errors import FailedPreconditionError

if TYPE_CHECKING:
    from laura_fast.domain.replication.members import Configuration


@dataclass(frozen=True, slots=True)
class Reported:
    """The last entry that a member applied, and the last that it has on disk."""

    applied: Position = BEGINNING
    durable: Position = BEGINNING


class Wanted(Enum):
    """Write concerns that are not a number."""

    MAJORITY = "majority"


@dataclass(frozen=True, slots=True)
class WriteConcern:
    """When a write is acknowledged.

    Attributes:
        members: How many data-bearing members must have it; or `Wanted.MAJORITY`; or the name of a tag (a rack, a
            region), and members with more than half of its different values must have it.
        journal: On disk, not only applied. A majority always is.
    """

    members: int | Wanted | str = Wanted.MAJORITY
    journal: bool = True


@dataclass
class Progress:
    """The primary's view of one term. Only grows.

    Attributes:
        configuration: Whose members count.
        term: Of the primary.
        first: Id of its first entry in this term, the no-op; before it is written nothing can be committed.
        commit: Id of the last committed entry.
    """

    configuration: Configuration
    term: int
    first: int
    commit: int = 0
    reported: dict[str, Reported] = field(default_factory=dict)

    def report(self, member_id: str, applied: Position, durable: Position) -> bool:
        """Takes a report; an older one than known changes nothing. Returns whether more is committed now."""
        known = self.reported.get(member_id, Reported())
        self.reported[member_id] = Reported(max(known.applied, applied), max(known.durable, durable))
        return self._advance()

    def reconfigure(self, configuration: Configuration) -> bool:
        """Counts with other members from now on. Returns whether more is committed now."""
        self.configuration = configuration
        return self._advance()

    def durable(self, member_id: str) -> int:
        """Op id up to which a member has our log on disk."""
        return self._ours(self.reported.get(member_id, Reported()).durable)

    def majority_has(self, op_id: int) -> bool:
        """Whether a majority of the present configuration has an entry on disk."""
        return self.configuration.is_majority(each for each in self.reported if self.durable(each) >= op_id)

    def _advance(self) -> bool:
        durable = sorted(map(self.durable, self.configuration.voters), reverse=True)
        reached = durable[self.configuration.majority - 1]
        if reached < self.first or reached <= self.commit:
            return False
        self.commit = reached
        return True

    def _ours(self, position: Position) -> int:
        """The id up to which this log is ours: none when its last entry is of another term.

        A member that follows us has our no-op soon, so waiting for an entry of our term costs nothing but a moment.
        """
        return position.op_id if position.term == self.term else 0

    def reached(self, op_id: int, concern: WriteConcern) -> bool:
        """Whether the entry is as safe as asked."""
        if concern.members is Wanted.MAJORITY:
            return op_id <= self.commit
        have = [each for each in self.reported if self._has(each, op_id, journal=concern.journal)]
        if isinstance(concern.members, int):
            return len(have) >= concern.members
        return len(self._values(str(concern.members), have)) >= self._needed(str(concern.members))

    def _has(self, member_id: str, op_id: int, *, journal: bool) -> bool:
        member, known = self.configuration.get(member_id), self.reported[member_id]
        position = known.durable if journal else known.applied
        return member is not None and not member.arbiter and self._ours(position) >= op_id

    def _values(self, tag: str, ids: list[str]) -> set[str]:
        members = [self.configuration.get(each) for each in ids]
        return {member.tags[tag] for member in members if member and tag in member.tags}

    def _needed(self, tag: str) -> int:
        everyone = [member.id for member in self.configuration.members if not member.arbiter]
        return len(self._values(tag, everyone)) // 2 + 1


def check(configuration: Configuration, concern: WriteConcern) -> None:
    """Refuses, before anything is written, what no state of the members could meet.

    Raises:
        FailedPreconditionError: More members than hold data, or a tag that none of them has.
    """
    bearing = [member for member in configuration.members if not member.arbiter]
    wanted = concern.members
    if isinstance(wanted, int) and wanted > len(bearing):
        told = f"write concern {wanted} can't be met: {len(bearing)} members hold data"
        raise FailedPreconditionError(told, "UNSATISFIABLE_WRITE_CONCERN")
    if isinstance(wanted, str) and not any(wanted in member.tags for member in bearing):
        raise FailedPreconditionError(
            f"write concern {wanted!r}: no member has such a tag", "UNSATISFIABLE_WRITE_CONCERN"
        )
