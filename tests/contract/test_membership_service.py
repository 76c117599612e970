"""laura.fast.v1.MembershipService of a whole server."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import grpc
import pytest

from laura_fast.pb.laura.fast.v1 import membership_pb2, membership_pb2_grpc
from laura_fast.pb.lauradb.cluster import cluster_pb2, cluster_pb2_grpc

if TYPE_CHECKING:
    from laura_fast.app import Server

WAIT_S = 10


@pytest.fixture
def membership(channel: grpc.aio.Channel) -> Any:
    return membership_pb2_grpc.MembershipServiceStub(channel)


async def _join(channel: grpc.aio.Channel, node_id: str) -> None:
    node = cluster_pb2.Node(id=node_id, host="127.0.0.1", port=7000)
    request = cluster_pb2.NodeRegistrationRequest(node=node)
    answer = await cluster_pb2_grpc.ClusterServiceStub(channel).RegisterNode(request, timeout=WAIT_S)
    assert answer.success


async def test_a_stream_of_beats_is_answered_in_order(membership: Any, channel: grpc.aio.Channel) -> None:
    await _join(channel, "a")
    call = membership.HeartbeatStream(timeout=WAIT_S)
    for number in range(5):
        await call.write(cluster_pb2.HeartbeatRequest(node_id="a", incarnation=1))
        answer = await call.read()
        assert (answer.ack, answer.HasField("topology")) == (True, number == 0)
    await call.done_writing()
    assert await call.read() is grpc.aio.EOF
    assert await call.code() is grpc.StatusCode.OK


async def test_an_unknown_node_ends_the_stream(membership: Any) -> None:
    call = membership.HeartbeatStream(timeout=WAIT_S)
    await call.write(cluster_pb2.HeartbeatRequest(node_id="x"))
    with pytest.raises(grpc.aio.AioRpcError, match="node x not registered"):
        await call.read()
    assert await call.code() is grpc.StatusCode.NOT_FOUND


async def test_a_watch_is_a_snapshot_and_then_changes(membership: Any, channel: grpc.aio.Channel) -> None:
    watch = membership.WatchTopology(membership_pb2.WatchTopologyRequest(), timeout=WAIT_S)
    first = await watch.read()
    assert (first.version, first.WhichOneof("event")) == (1, "snapshot")
    await _join(channel, "a")
    second = await watch.read()
    assert (second.version, second.delta.from_version) == (2, 1)
    assert [node.id for node in second.delta.upserted] == ["a"]


async def test_a_watch_resumes_where_it_was(membership: Any, channel: grpc.aio.Channel) -> None:
    await _join(channel, "a")
    await _join(channel, "b")
    watch = membership.WatchTopology(membership_pb2.WatchTopologyRequest(from_version=2), timeout=WAIT_S)
    event = await watch.read()
    assert (event.version, [node.id for node in event.delta.upserted]) == (3, ["b"])


async def test_a_watch_does_not_hold_up_a_stop(membership: Any, server: Server) -> None:
    watch = membership.WatchTopology(membership_pb2.WatchTopologyRequest(), timeout=60)
    assert (await watch.read()).version == 1
    async with asyncio.timeout(WAIT_S):
        await server.stop(grace_s=60)
    assert await watch.code() is grpc.StatusCode.UNAVAILABLE


async def test_a_silent_stream_of_beats_does_not_hold_up_a_stop(
    membership: Any, server: Server, channel: grpc.aio.Channel
) -> None:
    await _join(channel, "a")
    call = membership.HeartbeatStream(timeout=60)
    await call.write(cluster_pb2.HeartbeatRequest(node_id="a"))
    assert (await call.read()).ack
    async with asyncio.timeout(WAIT_S / 2):
        await server.stop(grace_s=60)
    assert await call.code() is grpc.StatusCode.UNAVAILABLE
