"""When a primary may change who belongs to its set, and how far the last change is.

Configurations travel with the beats, beside the log, ordered by (term, version): MongoDB's protocol (Schultz, Dardik
and Tripakis 2021, "Design and Verification of a Logless Dynamic Reconfiguration Protocol in MongoDB Replication"). A
change takes effect at the primary at once. The next one waits until

1. a majority of the present configuration has it, in the primary's own term: nobody can be elected with an older one;
2. a majority of it has what was committed before it, and the no-op of the term: nobody of it is elected without that.

One voter may come or go at a time (`Configuration.changed`), so that majorities of two neighbours meet.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from laura_fast.errors import FailedPreconditionError, NotFoundError
from laura_fast.limits.replication import MAX_VOTER_LAG

if TYPE_CHECKING:
    from collections.abc import Collection

    from laura_fast.domain.replication.members import Configuration, ReplicaMember, Stamp
    from laura_fast.domain.replication.progress import Progress


class Rollout:
    """One configuration of one primary on its way to the members.

    Attributes:
        configuration: In force at the primary.
        floor: Op id that a majority of it must have before the next change.
        departed: Former members that have not been heard to know that they are.
    """

    def __init__(
        self, primary: str, configuration: Configuration, floor: int, departed: tuple[ReplicaMember, ...] = ()
    ) -> None:
        self.configuration = configuration
        self.floor = floor
        self.departed = departed
        self._holders = {primary}

    @property
    def complete(self) -> bool:
        """Whether a majority has it."""
        return self.configuration.is_majority(self._holders)

    def lacks(self, member_id: str) -> bool:
        """Whether a member is not known to have it."""
        return member_id not in self._holders

    def report(self, member_id: str, stamp: Stamp) -> None:
        """A member told which configuration it has on disk; one that lost its directory has an older one again."""
        if stamp < self.configuration.stamp:
            self._holders.discard(member_id)
        else:
            self._holders.add(member_id)
            self.departed = tuple(member for member in self.departed if member.id != member_id)


def with_member(configuration: Configuration, member: ReplicaMember) -> Configuration:
    """The next version with a member as it shall be; the same one if it is so already.

    Raises:
        FailedPreconditionError: More than one voter would come or go.
        InvalidArgumentError: The members could not form a replica set.
    """
    if configuration.get(member.id) == member:
        return configuration
    return configuration.changed([*(each for each in configuration.members if each.id != member.id), member])


def without_member(configuration: Configuration, member_id: str) -> Configuration:
    """The next version without a member. Raises as `with_member`, and NotFoundError: NO_SUCH_MEMBER."""
    if configuration.get(member_id) is None:
        ids = ", ".join(each.id for each in configuration.members)
        raise NotFoundError(f"{configuration.name} has no member {member_id}; its members are {ids}", "NO_SUCH_MEMBER")
    return configuration.changed(each for each in configuration.members if each.id != member_id)


def check_change(
    primary: str, progress: Progress, rollout: Rollout, after: Configuration, alive: Collection[str]
) -> None:
    """Refuses a change that must not be made, or not yet.

    Args:
        primary: Who makes it.
        progress: How far the members are.
        rollout: How far the present configuration is.
        after: The next one.
        alive: Members that were heard within an election timeout, and the primary.

    Raises:
        FailedPreconditionError: CHANGE_PENDING: the same may work a moment later. PRIMARY_MUST_STAY: after a step-down.
            NOT_CAUGHT_UP: a member would vote before it has what it would vote about. NO_QUORUM: too few of the new
            members are alive to elect anybody.
    """
    if not rollout.complete or not progress.majority_has(max(rollout.floor, progress.first)):
        version = rollout.configuration.version
        told = f"version {version} of the configuration is not on a majority yet; one change after the other"
        raise FailedPreconditionError(told, "CHANGE_PENDING")
    mine = after.get(primary)
    if mine is None or not mine.electable:
        told = f"{primary} is the primary: let it step down first"
        raise FailedPreconditionError(told, "PRIMARY_MUST_STAY")
    for member_id in after.voters - rollout.configuration.voters:
        _check_caught_up(after, progress, member_id, alive)
    if not after.is_majority(alive):
        silent = ", ".join(sorted(after.voters.difference(alive)))
        raise FailedPreconditionError(f"no majority of the new members is alive: not {silent}", "NO_QUORUM")


def _check_caught_up(after: Configuration, progress: Progress, member_id: str, alive: Collection[str]) -> None:
    member, behind = after.get(member_id), progress.commit - progress.durable(member_id)
    if member_id not in alive:
        told = f"{member_id} was not heard yet: it must be there, without a vote, first"
        raise FailedPreconditionError(told, "NOT_CAUGHT_UP")
    if member and not member.arbiter and behind > MAX_VOTER_LAG:
        told = f"{member_id} is {behind} entries behind: it must catch up without a vote first"
        raise FailedPreconditionError(told, "NOT_CAUGHT_UP")
