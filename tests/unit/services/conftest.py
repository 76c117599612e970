"""Both membership services on a real grpc.aio server, over a virtual clock and a store in memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import grpc
import pytest

from laura_fast.node.membership import Membership
from laura_fast.node.settings import MembershipSettings
from laura_fast.pb.laura.fast.v1 import membership_pb2, membership_pb2_grpc
from laura_fast.pb.lauradb.cluster import cluster_pb2, cluster_pb2_grpc
from laura_fast.services.binding import bind
from laura_fast.services.cluster import ClusterServicer
from laura_fast.services.endless import EndlessStreams
from laura_fast.services.membership import MembershipServicer
from laura_fast.services.nodes import encode_node
from laura_fast.testing.clock import VirtualClock
from laura_fast.testing.membership import FragileMetadata

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@dataclass
class Cluster:
    """One server and its stubs. `steps` moves the clock as a healthy event loop would see it."""

    membership: Membership
    clock: VirtualClock
    store: FragileMetadata
    stub: Any
    streams: Any
    channel: grpc.aio.Channel
    endless: EndlessStreams

    async def join(self, node_id: str, host: str = "host", port: int = 1, **extra: Any) -> Any:
        node = cluster_pb2.Node(id=node_id, host=host, port=port, role=extra.pop("role", "SECONDARY"))
        return await self.stub.RegisterNode(cluster_pb2.NodeRegistrationRequest(node=node, **extra))

    async def beat(self, node_id: str, **fields: Any) -> Any:
        return await self.stub.Heartbeat(cluster_pb2.HeartbeatRequest(node_id=node_id, **fields))

    async def read(self, **fields: int) -> Any:
        return await self.stub.GetTopology(cluster_pb2.GetTopologyRequest(**fields))

    def steps(self, seconds: float) -> None:
        for _ in range(round(seconds * 4)):
            self.clock.advance(0.25)
            self.membership.tick()


@pytest.fixture
def settings() -> MembershipSettings:
    return MembershipSettings()


@pytest.fixture
async def cluster(settings: MembershipSettings) -> AsyncIterator[Cluster]:
    clock, store = VirtualClock(), FragileMetadata()
    membership = Membership(store, clock, settings, encode_node)
    await membership.start()
    server, endless = grpc.aio.server(), EndlessStreams()
    services = (cluster_pb2.DESCRIPTOR.services_by_name, membership_pb2.DESCRIPTOR.services_by_name)
    options: dict[str, Any] = {"require_identity": lambda _context, _node_id: None}
    server.add_generic_rpc_handlers(
        (
            bind(services[0]["ClusterService"], ClusterServicer(membership, clock, max_wait_ms=2_000, **options)),
            bind(
                services[1]["MembershipService"],
                MembershipServicer(membership, clock, idle_s=0.5, endless=endless, **options),
            ),
        )
    )
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        stub = cluster_pb2_grpc.ClusterServiceStub(channel)
        streams = membership_pb2_grpc.MembershipServiceStub(channel)
        yield Cluster(membership, clock, store, stub, streams, channel, endless)
    await server.stop(0)
    await membership.stop()
