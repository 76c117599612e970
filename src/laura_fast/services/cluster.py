"""`lauradb.cluster.ClusterService`: who is in the cluster, where, and is it alive."""

from __future__ import annotations

from typing import TYPE_CHECKING

from google.protobuf.message import DecodeError

from laura_fast.node.reports import NOTHING, kept
from laura_fast.pb.lauradb.cluster import cluster_pb2
from laura_fast.services import nodes
from laura_fast.services.binding import inline, unparsed
from laura_fast.services.identity import allow
from laura_fast.transport.malformed import malformed

if TYPE_CHECKING:
    from collections.abc import Callable

    from laura_fast.node.membership import Membership
    from laura_fast.node.ports import Clock
    from laura_fast.services.binding import Context

NO_NODE = "node information required"

_parse = cluster_pb2.HeartbeatRequest.FromString


class ClusterServicer:
    """Answers the four methods from membership. Refusals of a join or a leave are answers, not errors.

    Attributes:
        Heartbeat: The reader's own method, without one of ours around it: it is called for every beat.
    """

    def __init__(
        self,
        membership: Membership,
        clock: Clock,
        *,
        max_wait_ms: int,
        require_identity: Callable[[Context, str], None],
    ) -> None:
        """Prepares.

        Args:
            membership: The members.
            clock: Tells the server's time.
            max_wait_ms: Longest long poll; below the request timeout, so that it ends as an answer.
            require_identity: Raises PermissionDeniedError if the caller may not speak for a node id.
        """
        self._membership = membership
        self._max_wait_ms = max_wait_ms
        self._require_identity = require_identity
        self._beats = BeatReader(membership, clock, require_identity)
        self.Heartbeat = self._beats.answer

    @property
    def beats_taken(self) -> int:
        """Heartbeats acknowledged since the start."""
        return self._beats.taken

    async def RegisterNode(self, request: cluster_pb2.NodeRegistrationRequest, context: Context) -> object:  # noqa: N802 - the RPC's name
        if not request.HasField("node"):
            return cluster_pb2.NodeRegistrationResponse(success=False, message=NO_NODE)
        self._require_identity(context, request.node.id)
        outcome = await self._membership.register(nodes.registration_of(request), request.seed_nodes)
        return nodes.registration_answer(outcome, omit_members=request.omit_members)

    async def DeregisterNode(self, request: cluster_pb2.NodeDeregistrationRequest, context: Context) -> object:  # noqa: N802 - the RPC's name
        self._require_identity(context, request.node_id)
        outcome = await self._membership.deregister(request.node_id, request.reason)
        return cluster_pb2.NodeDeregistrationResponse(success=outcome.success, message=outcome.message)

    async def GetTopology(self, request: cluster_pb2.GetTopologyRequest, context: Context) -> bytes:  # noqa: N802, ARG002 - the RPC's name and form
        topology = self._membership.topology
        if request.min_version != topology.version:  # older, "always", or a client from another life of the cluster
            return topology.encoded
        wait_ms = min(request.wait_ms, self._max_wait_ms)
        newer = await self._membership.wait_newer(topology.version, wait_ms / 1000) if wait_ms > 0 else None
        return newer.encoded if newer else b""


class BeatReader:
    """From a heartbeat to its answer, for the unary call and the stream alike. Never waits."""

    def __init__(
        self, membership: Membership, clock: Clock, require_identity: Callable[[Context, str], None] = allow
    ) -> None:
        self.taken = 0
        self._heartbeat = membership.heartbeat
        self._wall_ms = clock.wall_ms
        self._require_identity = None if require_identity is allow else require_identity
        self._answered_ms = 0
        self._answer = nodes.heartbeat_answer(0)

    @inline
    @unparsed
    def answer(self, raw: bytes, context: Context) -> bytes:
        """`HeartbeatResponse` bytes for those of a `HeartbeatRequest`.

        Raises:
            InvalidArgumentError: There is no request in the bytes.
            NotFoundError: The node is not registered, or its id was taken over.
            PermissionDeniedError: The caller may not speak for the node.
        """
        try:
            beat = _parse(raw)
        except DecodeError as error:
            raise malformed(error) from None
        node_id = beat.node_id
        if self._require_identity is not None:
            self._require_identity(context, node_id)
        now_ms = self._wall_ms()
        sent_ms = beat.timestamp
        role = beat.status.role
        known = beat.known_topology_version
        topology = self._heartbeat(
            node_id,
            beat.incarnation,
            role,
            kept(raw) if role else NOTHING,
            sent_ms - now_ms if sent_ms else None,
            known if known or beat.HasField("known_topology_version") else None,
        )
        self.taken += 1
        if now_ms != self._answered_ms:  # beats of one millisecond share their answer
            self._answered_ms = now_ms
            self._answer = nodes.heartbeat_answer(now_ms)
        return self._answer if topology is None else nodes.with_topology(self._answer, topology)
