"""The endless watch: resumed by version, mended after a gap, polled where a server can't stream."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING

import pytest

from laura_fast.client import ClusterClient, RetryPolicy, Topology
from laura_fast.errors import InvalidArgumentError, OverloadedError, RemoteError, UnavailableError
from laura_fast.pb.laura.fast.v1.membership_pb2 import TopologyDelta, TopologyEvent
from laura_fast.pb.lauradb.cluster import cluster_pb2 as pb
from tests.unit.client.fake_cluster import FakeCluster

if TYPE_CHECKING:
    from tests.unit.client.virtual_time import VirtualTime

NODE = pb.Node(id="n1", host="h", port=1)


def snapshot(version: int, *nodes: pb.Node) -> TopologyEvent:
    return TopologyEvent(version=version, snapshot=pb.ClusterTopology(version=version, nodes=nodes))


def delta(from_version: int, *nodes: pb.Node) -> TopologyEvent:
    return TopologyEvent(version=from_version + 1, delta=TopologyDelta(from_version=from_version, upserted=nodes))


async def first(client: ClusterClient, count: int, known: Topology | None = None) -> list[Topology]:
    seen: list[Topology] = []
    async with client, aclosing(client.watch(known)) as topologies:
        async for topology in topologies:
            seen.append(topology)
            if len(seen) == count:
                break
    return seen


@pytest.fixture
def client(cluster: FakeCluster, time: VirtualTime) -> ClusterClient:
    return ClusterClient(cluster.address, timing=time.timing)


async def test_a_snapshot_then_deltas(cluster: FakeCluster, client: ClusterClient) -> None:
    cluster.events = [snapshot(5), delta(5, NODE)]
    seen = await first(client, 2)
    assert [(topology.version, list(topology.nodes)) for topology in seen] == [(5, []), (6, ["n1"])]
    assert cluster.requests[0].from_version == 0


async def test_a_reconnect_goes_on_where_it_was(cluster: FakeCluster, client: ClusterClient) -> None:
    """The server ends the stream after version 6; the next request says so, and no snapshot is needed."""
    cluster.events = [snapshot(5), delta(5)]
    seen = []
    async with client, aclosing(client.watch()) as topologies:
        async for topology in topologies:
            seen.append(topology.version)
            if topology.version == 6:
                cluster.events = [delta(6)]
            if topology.version == 7:
                break
    assert seen == [5, 6, 7]
    assert [request.from_version for request in cluster.requests] == [0, 6]


async def test_it_begins_after_what_is_known(cluster: FakeCluster, client: ClusterClient) -> None:
    cluster.events = [delta(8, NODE)]
    seen = await first(client, 1, Topology(version=8))
    assert (seen[0].version, cluster.requests[0].from_version) == (9, 8)


async def test_failures_are_waited_out_and_retried(
    cluster: FakeCluster, client: ClusterClient, time: VirtualTime
) -> None:
    cluster.failures.extend([UnavailableError("gone", "TEST"), OverloadedError("full", "TEST", retry_after_ms=4000)])
    cluster.events = [snapshot(3)]
    assert [topology.version for topology in await first(client, 1)] == [3]
    assert time.sleeps == pytest.approx([0.05, 4.0])


async def test_a_gap_is_mended_by_a_snapshot(cluster: FakeCluster, client: ClusterClient) -> None:
    cluster.events = [snapshot(5), delta(7)]
    seen = []
    async with client, aclosing(client.watch()) as topologies:
        async for topology in topologies:
            seen.append(topology.version)
            cluster.events = cluster.events or [snapshot(9)]
            if len(seen) == 2:
                break
    assert seen == [5, 9]
    assert [request.from_version for request in cluster.requests] == [0, 0]


async def test_an_error_that_would_repeat_ends_it(cluster: FakeCluster, client: ClusterClient) -> None:
    cluster.failures.append(InvalidArgumentError("no", "BAD"))
    with pytest.raises(RemoteError, match="INVALID_ARGUMENT"):
        await first(client, 1)


async def test_a_server_that_cannot_stream_is_polled(time: VirtualTime) -> None:
    server = await FakeCluster(extensions=False).start()
    server.put(NODE)
    seen = await first(ClusterClient(server.address, timing=time.timing), 1)
    assert [(topology.version, list(topology.nodes)) for topology in seen] == [(2, ["n1"])]
    await server.stop()


async def test_polling_outlives_the_server(time: VirtualTime) -> None:
    """With a policy that gives up at once, too: the watch paces itself."""
    server = await FakeCluster(extensions=False).start()
    client = ClusterClient(server.address, policy=RetryPolicy(max_passes=1), timing=time.timing)
    server.failures.extend(UnavailableError("gone", "TEST") for _ in range(4))
    assert [topology.version for topology in await first(client, 1)] == [1]
    assert time.sleeps == pytest.approx([0.05, 0.1, 0.2, 0.4])
    await server.stop()
