"""A small cluster server for tests of the client: the subset of the contract that a client can tell apart."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from typing import TYPE_CHECKING, Any

import grpc

from laura_fast.errors import NotFoundError, RpcError
from laura_fast.pb.laura.fast.v1 import admin_pb2, membership_pb2
from laura_fast.pb.lauradb.cluster import cluster_pb2 as pb
from laura_fast.services.binding import bind

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from typing import Self


class FakeCluster:
    """Members in a dict; everything it was asked in `requests`; answers scripted in `failures` come first."""

    def __init__(self, *, extensions: bool = True) -> None:
        self.extensions = extensions  # False: a server that knows only the messages of LauraDB
        self.nodes: dict[str, pb.Node] = {}
        self.version = 1
        self.requests: list[Any] = []
        self.counts: Counter[str] = Counter()
        self.failures: deque[RpcError] = deque()
        self.last: tuple[str, int, RpcError] | None = None
        self.events: list[membership_pb2.TopologyEvent] = []
        self.port = 0
        self._server: grpc.aio.Server | None = None
        self._changed = asyncio.Condition()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    async def start(self, credentials: grpc.ServerCredentials | None = None) -> Self:
        limits = [
            ("grpc.max_receive_message_length", -1),
            ("grpc.max_send_message_length", -1),
            ("grpc.so_reuseport", 0),
        ]
        self._server = grpc.aio.server(options=limits)
        services = [pb.DESCRIPTOR.services_by_name["ClusterService"]]
        if self.extensions:
            services.append(membership_pb2.DESCRIPTOR.services_by_name["MembershipService"])
            services.append(admin_pb2.DESCRIPTOR.services_by_name["AdminService"])
        self._server.add_generic_rpc_handlers([bind(service, self) for service in services])
        address = f"127.0.0.1:{self.port}"
        self.port = (
            self._server.add_secure_port(address, credentials)
            if credentials
            else self._server.add_insecure_port(address)
        )
        await self._server.start()
        return self

    async def stop(self) -> None:
        if self._server:
            await self._server.stop(None)
            self._server = None

    async def reached(self, method: str, count: int) -> None:
        """Returns once `method` was called `count` times."""
        async with asyncio.timeout(10), self._changed:
            await self._changed.wait_for(lambda: self.counts[method] >= count)

    def fail_after(self, method: str, answered: int, error: RpcError) -> None:
        """Every call of `method` after that many fails."""
        self.last = method, answered, error

    def put(self, node: pb.Node) -> None:
        """Stores a node as a new version."""
        self.nodes[node.id] = node
        self.version += 1

    def topology(self) -> pb.ClusterTopology:
        return pb.ClusterTopology(version=self.version, nodes=[self.nodes[node_id] for node_id in sorted(self.nodes)])

    async def _called(self, method: str, request: Any) -> None:
        async with self._changed:
            self.requests.append(request)
            self.counts[method] += 1
            self._changed.notify_all()
        if self.last and self.last[0] == method and self.counts[method] > self.last[1]:
            raise self.last[2]
        if self.failures:
            raise self.failures.popleft()

    async def RegisterNode(self, request: pb.NodeRegistrationRequest, _: Any) -> pb.NodeRegistrationResponse:  # noqa: N802
        await self._called("RegisterNode", request)
        node, held = request.node, self.nodes.get(request.node.id)
        same_address = held is not None and (held.host, held.port) == (node.host, node.port)
        free = held is None or held.state == pb.DOWN or (held.state == pb.SUSPECT and same_address)
        if held and not free and not (self.extensions and request.take_over and same_address):
            message = f"node {node.id} already registered"
            return pb.NodeRegistrationResponse(message=message, cluster_nodes=[held], topology=self.topology())
        if self.extensions:
            node.state, node.incarnation = pb.HEALTHY, (held.incarnation if held else 0) + 1
        self.put(node)
        return pb.NodeRegistrationResponse(success=True, incarnation=node.incarnation, topology=self.topology())

    async def DeregisterNode(self, request: pb.NodeDeregistrationRequest, _: Any) -> pb.NodeDeregistrationResponse:  # noqa: N802
        await self._called("DeregisterNode", request)
        if self.nodes.pop(request.node_id, None) is None:
            return pb.NodeDeregistrationResponse(message=f"node {request.node_id} not found")
        self.version += 1
        return pb.NodeDeregistrationResponse(success=True, message="bye")

    async def Heartbeat(self, request: pb.HeartbeatRequest, _: Any) -> pb.HeartbeatResponse:  # noqa: N802
        await self._called("Heartbeat", request)
        held = self.nodes.get(request.node_id)
        if held is None or request.incarnation not in (0, held.incarnation):
            raise NotFoundError(f"node {request.node_id} not registered", "NODE_NOT_REGISTERED")
        if held.state in (pb.SUSPECT, pb.DOWN):
            self.put(pb.Node.FromString(held.SerializeToString()))
            self.nodes[held.id].state = pb.HEALTHY
        answer = pb.HeartbeatResponse(ack=True, timestamp=request.timestamp)
        if request.known_topology_version < self.version:
            answer.topology.CopyFrom(self.topology())
        return answer

    async def GetTopology(self, request: pb.GetTopologyRequest, _: Any) -> pb.ClusterTopology:  # noqa: N802
        await self._called("GetTopology", request)
        return self.topology() if request.min_version != self.version else pb.ClusterTopology()

    async def WatchTopology(  # noqa: N802
        self, request: membership_pb2.WatchTopologyRequest, _: Any
    ) -> AsyncIterator[membership_pb2.TopologyEvent]:
        """Sends the scripted events and ends."""
        await self._called("WatchTopology", request)
        events, self.events = self.events, []
        for event in events:
            yield event
        if not events:
            await asyncio.Event().wait()

    async def GetClusterStatus(self, request: Any, _: Any) -> admin_pb2.GetClusterStatusResponse:  # noqa: N802
        await self._called("GetClusterStatus", request)
        return admin_pb2.GetClusterStatusResponse(
            observer_id="fake",
            topology_version=self.version,
            members=[admin_pb2.MemberStatus(node=node) for node in self.topology().nodes],
        )
