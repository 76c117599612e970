"""What an operator sees of each member: its topology entry and what its beats told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from laura_fast.domain.membership.values import NodeState
from laura_fast.node.reports import read

if TYPE_CHECKING:
    from laura_fast.domain.membership.topology import TopologySnapshot
    from laura_fast.domain.membership.values import Member
    from laura_fast.node.registry import Record, Registry
    from laura_fast.node.reports import Resources

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
    newest = read(primary.report).last_oplog_id if primary and primary.beaten else None
    pairs = ((member, registry.find(member.id)) for member in topology.members)
    return [_status(member, record, newest, now) for member, record in pairs if record]


def clock_skews(topology: TopologySnapshot, registry: Registry) -> dict[str, int]:
    """Every known `MemberStatus.clock_skew_ms` by node id, without reading what else the beats told."""
    found = ((member.id, registry.find(member.id)) for member in topology.members)
    return {
        node_id: _bounded(record.clock_skew_ms)
        for node_id, record in found
        if record and record.clock_skew_ms is not None
    }


def _status(member: Member, record: Record, newest: int | None, now: float) -> MemberStatus:
    lag_known = newest is not None and record.beaten and record.state is not NodeState.DOWN
    told = read(record.report)
    return MemberStatus(
        member,
        max(0, int((now - record.last_beat) * 1000)) if record.beaten else None,
        record.claimed_role,
        told.last_oplog_id,
        told.resources,
        min(max(0, newest - told.last_oplog_id), _INT64_MAX) if lag_known and newest is not None else None,
        None if record.clock_skew_ms is None else _bounded(record.clock_skew_ms),
    )


def _bounded(skew_ms: int) -> int:
    return min(max(skew_ms, -_INT64_MAX), _INT64_MAX)
