"""One server's view of the cluster as plain values, and as JSON."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

from google.protobuf.json_format import MessageToDict

from laura_fast.client.addresses import join
from laura_fast.client.console.set_view import SetView, set_view
from laura_fast.client.names import role_name, state_name

if TYPE_CHECKING:
    from laura_fast.pb.laura.fast.v1 import admin_pb2
    from laura_fast.pb.laura.fast.v1.replica_set_pb2 import ReplicaSetState
    from laura_fast.pb.lauradb.cluster import cluster_pb2

STATES: Final = ("down", "suspect", "leaving", "unknown", "healthy")
"""Worst first: the order in which trouble is shown."""


@dataclass(frozen=True, slots=True)
class MemberView:
    """A member; None stands for what is not known. Lag is None for a member that is not alive."""

    id: str
    address: str
    role: str
    state: str
    primary: bool
    priority: int
    incarnation: int
    tags: dict[str, str]
    last_beat_age_ms: int | None
    lag_entries: int | None
    clock_skew_ms: int | None
    cpu_percent: float | None
    memory_bytes: int | None
    disk_bytes_used: int | None
    disk_bytes_total: int | None


@dataclass(frozen=True, slots=True)
class ClusterView:
    """What one server knew at one moment; `replica_set` is the replica set that it is a member of."""

    server: str
    observer_id: str
    observed_at_ms: int
    topology_version: int
    primary_id: str
    uptime_ms: int
    server_version: str
    members: tuple[MemberView, ...]
    replica_sets: tuple[dict[str, Any], ...]
    shards: tuple[dict[str, Any], ...]
    replica_set: SetView | None = None

    def states(self) -> list[tuple[str, int]]:
        """How many members are in each state that occurs, worst first."""
        counts = Counter(member.state for member in self.members)
        return [(state, counts[state]) for state in STATES if counts[state]]

    def worst_first(self) -> list[MemberView]:
        """The members in trouble, then the others, each in the order of ids."""
        return sorted(self.members, key=lambda member: (STATES.index(member.state), member.id))

    def as_json(self, age_ms: int) -> dict[str, Any]:
        """Everything, and how long ago the answer arrived."""
        return {**asdict(self), "age_ms": age_ms}


def view_of(server: str, status: admin_pb2.GetClusterStatusResponse) -> ClusterView:
    """The answer of `server`."""
    return ClusterView(
        server=server,
        observer_id=status.observer_id,
        observed_at_ms=status.observed_at_ms,
        topology_version=status.topology_version,
        primary_id=status.primary_id,
        uptime_ms=status.uptime_ms,
        server_version=status.server_version,
        members=tuple(_member(member, status.primary_id) for member in status.members),
        replica_sets=tuple(_plain(replica_set) for replica_set in status.replica_sets),
        shards=tuple(_plain(shard) for shard in status.shards),
        replica_set=_own_set(status.replica_set) if status.HasField("replica_set") else None,
    )


def _own_set(state: ReplicaSetState) -> SetView:
    return set_view({state.observer_id: state})


def _member(member: admin_pb2.MemberStatus, primary_id: str) -> MemberView:
    node, state = member.node, state_name(member.node.state)
    used = member.status.resources if member.status.HasField("resources") else None
    disk = used if used and used.disk_bytes_total else None
    return MemberView(
        id=node.id,
        address=join(node.host, node.port),
        role=role_name(node.role),
        state=state,
        primary=bool(primary_id) and node.id == primary_id,
        priority=node.priority,
        incarnation=node.incarnation,
        tags=dict(sorted(node.tags.items())),
        last_beat_age_ms=member.last_beat_age_ms if member.HasField("last_beat_age_ms") else None,
        lag_entries=member.lag_entries if member.HasField("lag_entries") and state != "down" else None,
        clock_skew_ms=member.clock_skew_ms if member.HasField("clock_skew_ms") else None,
        cpu_percent=round(used.cpu_percent, 1) if used else None,
        memory_bytes=used.memory_bytes if used else None,
        disk_bytes_used=disk.disk_bytes_used if disk else None,
        disk_bytes_total=disk.disk_bytes_total if disk else None,
    )


def _plain(message: cluster_pb2.ReplicaSet | cluster_pb2.ShardInfo) -> dict[str, Any]:
    return MessageToDict(message, preserving_proto_field_name=True)
