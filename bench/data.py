"""The one source of benchmark input: the same seed gives the same nodes, beats and topologies on every machine.

Shapes follow a real cluster: ids like host names, three-quarters of the nodes secondaries, two tags each.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from itertools import count, islice
from typing import TYPE_CHECKING

from laura_fast.pb.lauradb.cluster import cluster_pb2

if TYPE_CHECKING:
    from collections.abc import Iterator

SEED = 20261123
EPOCH_MS = 1_700_000_000_000
"""A fixed wall time for messages: the varint has the six bytes that every date of this century has."""

REGIONS = ("eu-west-1", "eu-north-1", "us-east-1", "us-west-2", "ap-south-1")
ROLES = (
    cluster_pb2.NodeRole.SECONDARY,
    cluster_pb2.NodeRole.SECONDARY,
    cluster_pb2.NodeRole.SECONDARY,
    cluster_pb2.NodeRole.SHARD,
)


@dataclass(frozen=True, slots=True)
class NodeData:
    """One node as plain values, for benchmarks that stay below the wire."""

    id: str
    host: str
    port: int
    role: cluster_pb2.NodeRole.ValueType
    priority: int
    tags: dict[str, str]

    def message(self) -> cluster_pb2.Node:
        """The node as the contract's message."""
        return cluster_pb2.Node(
            id=self.id, host=self.host, port=self.port, role=self.role, priority=self.priority, tags=self.tags
        )


def stream(seed: int = SEED) -> Iterator[NodeData]:
    """Endless distinct nodes; a longer cluster begins with the nodes of a shorter one."""
    rng = random.Random(seed)
    for index in count():
        region = rng.choice(REGIONS)
        yield NodeData(
            id=f"node-{index:06d}-{rng.getrandbits(32):08x}",
            host=f"10.{index >> 16 & 255}.{index >> 8 & 255}.{index & 255}",
            port=rng.randint(27_000, 27_999),
            role=rng.choice(ROLES),
            priority=rng.randint(1, 10),
            tags={"region": region, "rack": f"{region}{rng.choice('abc')}"},
        )


def nodes(number: int, seed: int = SEED) -> list[NodeData]:
    """The first `number` nodes of the seed's stream."""
    return list(islice(stream(seed), number))


def registration(node: NodeData, *, omit_members: bool = False) -> cluster_pb2.NodeRegistrationRequest:
    """A request to join; with `omit_members` the answer leaves the other nodes out."""
    return cluster_pb2.NodeRegistrationRequest(node=node.message(), omit_members=omit_members)


def beat(node: NodeData, *, known_version: int | None = None, seed: int = SEED) -> cluster_pb2.HeartbeatRequest:
    """A heartbeat with full statistics; without `known_version` it is one of LauraDB's own clients."""
    rng = random.Random(f"{seed}/{node.id}")
    request = cluster_pb2.HeartbeatRequest(
        node_id=node.id,
        timestamp=EPOCH_MS + rng.randrange(86_400_000),
        status=cluster_pb2.NodeStatus(
            role=node.role,
            last_oplog_id=rng.getrandbits(40),
            resources=cluster_pb2.ResourceStats(
                cpu_percent=rng.uniform(0, 100),
                memory_bytes=rng.getrandbits(36),
                disk_bytes_used=rng.getrandbits(40),
                disk_bytes_total=1 << 42,
            ),
        ),
    )
    if known_version is not None:
        request.known_topology_version = known_version
    return request


def topology(number: int, *, version: int = 1, seed: int = SEED) -> cluster_pb2.ClusterTopology:
    """A topology of `number` nodes, sorted by id as the server sends it, the first one primary."""
    members = [node.message() for node in nodes(number, seed)]
    members[0].role = cluster_pb2.NodeRole.PRIMARY
    return cluster_pb2.ClusterTopology(version=version, nodes=members, primary_id=members[0].id)
