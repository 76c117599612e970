"""Who belongs to a replica set, and what each of them may do."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from laura_fast.errors import FailedPreconditionError, InvalidArgumentError
from laura_fast.limits.replication import MAX_MEMBERS, MAX_PRIORITY, MAX_VOTERS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class Position(NamedTuple):
    """A place in the oplog; ordered as Raft compares logs (Ongaro 2014, section 3.6.1): by term, then by id."""

    term: int
    op_id: int


BEGINNING = Position(0, 0)


class Stamp(NamedTuple):
    """Of a configuration; the newer of two has the higher term, then the higher version."""

    term: int
    version: int


@dataclass(frozen=True, slots=True)
class ReplicaMember:
    """One member.

    Attributes:
        id: Of the node.
        address: ``host:port``.
        priority: Among candidates the highest should lead; 0 never does.
        votes: Whether it is asked, and counted, in elections and for majorities.
        arbiter: It votes and holds no data.
        tags: For write concerns and reads by name.
    """

    id: str
    address: str
    priority: int = 1
    votes: bool = True
    arbiter: bool = False
    tags: Mapping[str, str] = field(default_factory=dict, hash=False)

    @property
    def electable(self) -> bool:
        """It may become primary."""
        return self.votes and not self.arbiter and self.priority > 0


@dataclass(frozen=True)
class Configuration:
    """The members of a replica set at one version.

    Attributes:
        name: Of the replica set.
        version: Grows by one with each change; 0 = not known yet, without members.
        members: Sorted by id.
        term: Of the primary that made it, or was elected with it; 0 = what the members were first started with.
    """

    name: str
    version: int
    members: tuple[ReplicaMember, ...]
    term: int = 0

    def __post_init__(self) -> None:
        if self.version == 0 and not self.members:
            return
        by_id = {member.id: member for member in self.members}
        if len(by_id) != len(self.members):
            raise InvalidArgumentError(f"replica set {self.name}: two members have one id", "BAD_REPLICA_SET")
        if len({member.address for member in self.members}) != len(self.members):
            raise InvalidArgumentError(f"replica set {self.name}: two members have one address", "BAD_REPLICA_SET")
        if not 0 < len(self.members) <= MAX_MEMBERS or len(self.voters) > MAX_VOTERS:
            limits = f"1 to {MAX_MEMBERS} members, at most {MAX_VOTERS} of them with a vote"
            raise InvalidArgumentError(f"replica set {self.name} must have {limits}", "BAD_REPLICA_SET")
        if any(not 0 <= member.priority <= MAX_PRIORITY for member in self.members):
            raise InvalidArgumentError(f"a priority must be 0 to {MAX_PRIORITY}", "BAD_REPLICA_SET")
        if not any(member.electable for member in self.members):
            raise InvalidArgumentError(f"replica set {self.name}: no member could become primary", "BAD_REPLICA_SET")

    @classmethod
    def unknown(cls, name: str) -> Configuration:
        """Of a member that waits to be told: any other configuration of the set is newer."""
        return cls(name, 0, ())

    @property
    def stamp(self) -> Stamp:
        """What orders the configurations of a set."""
        return Stamp(self.term, self.version)

    @property
    def voters(self) -> frozenset[str]:
        """Ids of the members that vote."""
        return frozenset(member.id for member in self.members if member.votes)

    @property
    def majority(self) -> int:
        """How many voters are more than half of them."""
        return len(self.voters) // 2 + 1

    def get(self, member_id: str) -> ReplicaMember | None:
        """The member of this id."""
        return next((member for member in self.members if member.id == member_id), None)

    def is_majority(self, ids: Iterable[str]) -> bool:
        """Whether more than half of the voters are among these."""
        return len(self.voters.intersection(ids)) >= self.majority

    def rank(self, member_id: str) -> int:
        """How many electable members have a higher priority."""
        member = self.get(member_id)
        priority = member.priority if member else 0
        return sum(other.priority > priority for other in self.members if other.electable)

    def changed(self, members: Iterable[ReplicaMember]) -> Configuration:
        """The next version with these members.

        One voter at a time may come or go, so that every majority of the old configuration meets every majority of the
        new one (Ongaro 2014, section 4.1). When it may be made, `reconfiguration.check_change` says.

        Raises:
            FailedPreconditionError: More than one voter would come or go.
            InvalidArgumentError: The members can't form a replica set.
        """
        ordered = tuple(sorted(members, key=lambda member: member.id))
        after = Configuration(self.name, self.version + 1, ordered, self.term)
        moved = self.voters ^ after.voters
        if len(moved) > 1:
            names = ", ".join(sorted(moved))
            raise FailedPreconditionError(f"one voter at a time may come or go, not {names}", "ONE_VOTER_AT_A_TIME")
        return after
