"""laura.fast.v1.AdminService: what an operator asks of one server."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final, cast

import psutil

from laura_fast import __version__
from laura_fast.errors import Code, DeadlineError, FailedPreconditionError
from laura_fast.pb.laura.fast.v1 import admin_pb2
from laura_fast.pb.lauradb.cluster import cluster_pb2
from laura_fast.services.nodes import node_message
from laura_fast.services.replication.descriptions import status_message
from laura_fast.services.time_left import seconds_left

if TYPE_CHECKING:
    from collections.abc import Iterable

    from laura_fast.node.membership import Membership
    from laura_fast.node.ports import Clock
    from laura_fast.node.replication.driver import ReplicaSet
    from laura_fast.node.statuses import MemberStatus
    from laura_fast.observability.rpc import MethodStats, RpcStats

MS_PER_S: Final = 1000
STEP_DOWN_CATCH_UP_MS: Final = 10_000
"""How long a primary that steps down waits for a successor to catch up, where nobody says; MongoDB's."""
LONGEST_ELECTION_S: Final = 10.0
"""How long a step-down waits for the next primary once there is none."""


class AdminService:
    """The cluster as this server sees it, and this server's own figures."""

    def __init__(
        self,
        node_id: str,
        membership: Membership,
        clock: Clock,
        statistics: RpcStats,
        member: ReplicaSet | None = None,
    ) -> None:
        """Prepares.

        Args:
            node_id: This server's.
            membership: What it knows of the cluster.
            clock: Its times.
            statistics: Of its calls.
            member: Its part in a replica set; None = it is alone.
        """
        self._node_id = node_id
        self._replica = member
        self._membership = membership
        self._clock = clock
        self._statistics = statistics
        self._process = psutil.Process()
        self._started = clock.monotonic()

    async def GetClusterStatus(self, _request: Any, _context: Any) -> Any:  # noqa: N802 - named like the RPC
        # Tens of milliseconds with thousands of members: too long for the loop that answers their heartbeats.
        return await asyncio.to_thread(self.cluster_status)

    def cluster_status(self) -> admin_pb2.GetClusterStatusResponse:
        """Every member with what its beats told. May be called from any thread; its cost grows with the members."""
        topology = cluster_pb2.ClusterTopology.FromString(self._membership.topology.encoded)
        return admin_pb2.GetClusterStatusResponse(
            observer_id=self._node_id,
            observed_at_ms=self._clock.wall_ms(),
            topology_version=topology.version,
            primary_id=topology.primary_id,
            members=map(_member, self._membership.statuses()),
            replica_sets=topology.replica_sets,
            shards=topology.shards,
            uptime_ms=self._uptime_ms(),
            server_version=__version__,
            replica_set=status_message(self._replica.status(), self._clock.wall_ms()) if self._replica else None,
        )

    async def GetNodeStatistics(self, _request: Any, _context: Any) -> Any:  # noqa: N802 - named like the RPC
        with self._process.oneshot():
            times = self._process.cpu_times()
            resident = self._process.memory_info().rss
        return admin_pb2.GetNodeStatisticsResponse(
            node_id=self._node_id,
            uptime_ms=self._uptime_ms(),
            resident_memory_bytes=resident,
            cpu_seconds=times.user + times.system,
            methods=_called(self._statistics.methods),
        )

    async def StepDown(self, request: Any, context: Any) -> Any:  # noqa: N802 - named like the RPC
        replica = self._replica
        if replica is None or request.replica_set not in ("", replica.configuration.name):
            told = f"this server is no member of {request.replica_set or 'a replica set'}"
            raise FailedPreconditionError(told, "OTHER_REPLICA_SET")
        catch_up_s = (request.catch_up_ms or STEP_DOWN_CATCH_UP_MS) / MS_PER_S
        try:
            async with asyncio.timeout(seconds_left(context, 2 * catch_up_s + LONGEST_ELECTION_S)):
                await self._stepped_down(replica, catch_up_s, request)
        except TimeoutError:
            raise DeadlineError("no member was elected in time", "NO_PRIMARY") from None
        return admin_pb2.StepDownResponse(
            new_primary_id=replica.primary.id if replica.primary else "", term=replica.term
        )

    async def _stepped_down(self, replica: ReplicaSet, catch_up_s: float, request: Any) -> None:
        term = replica.term
        await replica.step_down(catch_up_s, force=request.force, freeze_s=request.freeze_ms / MS_PER_S)
        await replica.succeeded(term)

    def _uptime_ms(self) -> int:
        return int((self._clock.monotonic() - self._started) * MS_PER_S)


def _member(told: MemberStatus) -> admin_pb2.MemberStatus:
    return admin_pb2.MemberStatus(
        node=node_message(told.member),
        last_beat_age_ms=told.last_beat_age_ms,
        status=None if told.last_beat_age_ms is None else _status(told),
        lag_entries=told.lag_entries,
        clock_skew_ms=told.clock_skew_ms,
    )


def _status(told: MemberStatus) -> cluster_pb2.NodeStatus:
    names = ("cpu_percent", "memory_bytes", "disk_bytes_used", "disk_bytes_total")
    resources: Any = dict(zip(names, told.resources, strict=True)) if told.resources else None
    role = cast("cluster_pb2.NodeRole.ValueType", told.claimed_role)
    return cluster_pb2.NodeStatus(role=role, last_oplog_id=told.last_oplog_id, resources=resources)


def _called(methods: Iterable[MethodStats]) -> list[admin_pb2.MethodStatistics]:
    return [
        admin_pb2.MethodStatistics(
            method=stats.path,
            started=stats.started,
            handled_by_code={int(code): stats.codes[code] for code in Code if stats.codes[code]},
            handling_seconds=stats.seconds,
        )
        for stats in methods
        if stats.started
    ]
