"""What an operator sees of each member: its topology entry and what its beats told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from laura_fast.domain.membership.values import NodeState

if TYPE_CHECKING:
    from laura_fast.domain.membership.topology import TopologySnapshot
    from laura_fast.domain.membership.values import Member
    from laura_fast.node.registry import Record, Registry, Resources

_INT64_MAX: Final = (1 << 63) - 1


class MemberStatus(NamedTuple):
    """One member, now.

    Attributes:
        member: As in the topology.
        last_beat_age_ms: Milliseconds since its last beat; None if none came since the server started.
        claimed_role: What it last said it is, as a number of the wire.
        last_oplog_id: Newest entry of its log, as it said.
        resources: CPU percent, memory bytes, disk bytes used and in all; None if it never said.
        lag_entries: Entries behind the primary; None for a member that is down and where there is no primary.
        clock_skew_ms: Its clock minus ours at its last beat; None if it told no time.
    """

    member: Member
    last_beat_age_ms: int | None
    claimed_role: int
    last_oplog_id: int
    resources: Resources | None
    lag_entries: int | None
    clock_skew_ms: int | None


def member_statuses(topology: TopologySnapshot, registry: Registry, now: float) -> list[MemberStatus]:
    """Every member's status, sorted by id. Cost grows with the members: for operators, not for hot paths."""
    primary = registry.find(topology.primary_id) if topology.primary_id else None
    newest = primary.last_oplog_id if primary and primary.beaten else None
    pairs = ((member, registry.find(member.id)) for member in topology.members)
    return [_status(member, record, newest, now) for member, record in pairs if record]


def _status(member: Member, record: Record, newest: int | None, now: float) -> MemberStatus:
    lag_known = newest is not None and record.beaten and record.state is not NodeState.DOWN
    skew = record.clock_skew_ms
    return MemberStatus(
        member,
        max(0, int((now - record.last_beat) * 1000)) if record.beaten else None,
        record.claimed_role,
        record.last_oplog_id,
        record.resources,
        min(max(0, newest - record.last_oplog_id), _INT64_MAX) if lag_known and newest is not None else None,
        skew if skew is None else min(max(skew, -_INT64_MAX), _INT64_MAX),
    )
