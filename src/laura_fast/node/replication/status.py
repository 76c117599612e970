"""What one member sees of its replica set. The primary hears of everybody; a secondary of the primary only."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from laura_fast.domain.replication.events import Role

if TYPE_CHECKING:
    from collections.abc import Sequence

    from laura_fast.domain.replication.election import Election
    from laura_fast.domain.replication.history import ElectionRecord, History
    from laura_fast.domain.replication.members import Configuration, Position, ReplicaMember
    from laura_fast.domain.replication.progress import Reported
    from laura_fast.node.replication.leading import Leading


class MemberStatus(NamedTuple):
    """One member, as another sees it.

    Attributes:
        member: In the configuration.
        state: A word of `replica_set.proto`.
        applied: End of what it applied; None = not known.
        durable: End of what it has on disk; None = not known.
        heard_s_ago: Seconds since it was heard; None = never.
        lag: Entries behind the primary; None = not known.
        sync_progress: How far its initial sync is, in words; only the member itself knows.
    """

    member: ReplicaMember
    state: str
    applied: Position | None = None
    durable: Position | None = None
    heard_s_ago: float | None = None
    lag: int | None = None
    sync_progress: str = ""


class SetStatus(NamedTuple):
    """A replica set, as one of its members sees it.

    Attributes:
        observer: Whose view it is.
        state: The observer's own, a word of `replica_set.proto`.
        configuration: In force there.
        committed: Whether a majority has the configuration, as far as the observer knows.
        term: Current there.
        primary: Who leads; "" = not known.
        commit: Op id of the last committed entry that it heard of.
        members: In the order of ids.
        elections: The newest first.
    """

    observer: str
    state: str
    configuration: Configuration
    committed: bool
    term: int
    primary: str
    commit: int
    members: Sequence[MemberStatus]
    elections: Sequence[ElectionRecord]


class Moment(NamedTuple):
    """When a view is taken, and after how many seconds of silence a member counts as down."""

    now: float
    timeout_s: float


def status_of(machine: Election, leading: Leading | None, history: History, commit: int, moment: Moment) -> SetStatus:
    """The view of the member with this machine and, if it is in office, this office."""
    look = _Look(machine, leading, moment)
    configuration = machine.configuration
    return SetStatus(
        observer=machine.me,
        state=look.own_state(),
        configuration=configuration,
        committed=leading is not None and leading.rollout.complete,
        term=machine.term,
        primary=machine.primary,
        commit=commit,
        members=tuple(map(look.at, configuration.members)),
        elections=history.newest_first,
    )


class _Look:
    def __init__(self, machine: Election, leading: Leading | None, moment: Moment) -> None:
        self._machine = machine
        self._reported: dict[str, Reported] = leading.progress.reported if leading else {}
        self._now, self._timeout_s = moment

    def own_state(self) -> str:
        mine = self._machine.configuration.get(self._machine.me)
        if mine is None:
            return "removed" if self._machine.configuration.version else "waiting"
        if not self._machine.may_stand:
            return "syncing"
        return "primary" if self._machine.role is Role.PRIMARY else _kind(mine)

    def at(self, member: ReplicaMember) -> MemberStatus:
        if member.id == self._machine.me:
            last = self._machine.last
            return MemberStatus(member, self.own_state(), last, last, 0.0, self._lag(last))
        heard_at = self._machine.heard_at(member.id)
        ago = None if heard_at is None else self._now - heard_at
        state = self._state(member, ago)
        if known := self._reported.get(member.id):
            lag = None if state == "down" else self._lag(known.applied)
            return MemberStatus(member, state, known.applied, known.durable, ago, lag)
        if state == "primary":
            last = self._machine.primary_last
            return MemberStatus(member, state, last, last, ago, 0)
        return MemberStatus(member, state, heard_s_ago=ago)

    def _state(self, member: ReplicaMember, ago: float | None) -> str:
        leads = self._machine.role is Role.PRIMARY
        if not leads and member.id != self._machine.primary:
            return "unknown"
        if ago is None or ago >= self._timeout_s:
            return "down"
        return _kind(member) if leads else "primary"

    def _lag(self, applied: Position) -> int | None:
        return max(0, self._machine.primary_last.op_id - applied.op_id) if self._machine.primary else None


def _kind(member: ReplicaMember) -> str:
    return "arbiter" if member.arbiter else "secondary"
