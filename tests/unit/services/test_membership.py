"""MembershipService over the wire: the heartbeat stream and the watch."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import grpc
import pytest

from laura_fast.pb.laura.fast.v1 import membership_pb2
from laura_fast.pb.lauradb.cluster import cluster_pb2

if TYPE_CHECKING:
    from tests.unit.services.conftest import Cluster


def watch(cluster: Cluster, from_version: int) -> Any:
    return cluster.streams.WatchTopology(membership_pb2.WatchTopologyRequest(from_version=from_version))


async def test_stream_answers_every_beat_in_order(cluster: Cluster) -> None:
    await cluster.join("a")
    stream = cluster.streams.HeartbeatStream()
    for number in range(3):
        await stream.write(cluster_pb2.HeartbeatRequest(node_id="a"))
        answer = await stream.read()
        assert (answer.ack, answer.HasField("topology")) == (True, number == 0)
    await stream.done_writing()
    assert await stream.read() is grpc.aio.EOF
    assert await stream.code() is grpc.StatusCode.OK


async def test_unknown_node_ends_the_stream(cluster: Cluster) -> None:
    stream = cluster.streams.HeartbeatStream()
    await stream.write(cluster_pb2.HeartbeatRequest(node_id="ghost"))
    assert await stream.code() is grpc.StatusCode.NOT_FOUND
    assert await stream.details() == "node ghost not registered"


async def test_silent_stream_is_ended(cluster: Cluster) -> None:
    await cluster.join("a")
    stream = cluster.streams.HeartbeatStream()
    await stream.write(cluster_pb2.HeartbeatRequest(node_id="a"))
    assert (await stream.read()).ack
    assert await asyncio.wait_for(stream.code(), 5) is grpc.StatusCode.DEADLINE_EXCEEDED


async def test_stream_ends_when_the_server_stops(cluster: Cluster) -> None:
    await cluster.join("a")
    stream = cluster.streams.HeartbeatStream()
    await stream.write(cluster_pb2.HeartbeatRequest(node_id="a"))
    assert (await stream.read()).ack
    cluster.endless.end_all()
    assert await stream.code() is grpc.StatusCode.UNAVAILABLE
    assert await cluster.streams.HeartbeatStream().code() is grpc.StatusCode.UNAVAILABLE


async def test_watch_begins_with_a_snapshot_and_goes_on_with_deltas(cluster: Cluster) -> None:
    await cluster.join("a")
    stream = watch(cluster, 0)
    first = await stream.read()
    assert (first.version, first.snapshot) == (2, await cluster.read())
    await cluster.join("b")
    await cluster.stub.DeregisterNode(cluster_pb2.NodeDeregistrationRequest(node_id="a"))
    second, third = await stream.read(), await stream.read()
    assert (second.version, second.delta.from_version, second.delta.upserted[0].id) == (3, 2, "b")
    assert (third.version, third.delta.from_version, list(third.delta.removed_ids)) == (4, 3, ["a"])


async def test_watch_resumes_from_a_version_in_the_history(cluster: Cluster) -> None:
    for node_id in "abc":
        await cluster.join(node_id)
    stream = watch(cluster, 2)
    events = [await stream.read(), await stream.read()]
    assert [(event.version, [node.id for node in event.delta.upserted]) for event in events] == [(3, ["b"]), (4, ["c"])]


@pytest.mark.parametrize("from_version", [-5, 0, 99, 2**63 - 1])
async def test_watch_of_a_version_that_never_was_gets_a_snapshot(cluster: Cluster, from_version: int) -> None:
    await cluster.join("a")
    assert (await watch(cluster, from_version).read()).snapshot.version == 2


async def test_drain_ends_a_watch(cluster: Cluster) -> None:
    stream = watch(cluster, 0)
    await stream.read()
    cluster.membership.drain()
    assert await stream.code() is grpc.StatusCode.UNAVAILABLE


async def test_a_watcher_that_goes_away_gives_its_place_back(cluster: Cluster) -> None:
    stream = watch(cluster, 0)
    await stream.read()
    assert cluster.membership.watchers == 1
    stream.cancel()
    async with asyncio.timeout(5):
        while cluster.membership.watchers:  # noqa: ASYNC110 - nothing signals it
            await asyncio.sleep(0.01)
