"""lauradb.cluster.ClusterService of a whole server: wired, durable, ended properly. Units test its whole table."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import grpc
import pytest
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from laura_fast.app import Server
from laura_fast.pb.lauradb.cluster import cluster_pb2, cluster_pb2_grpc

if TYPE_CHECKING:
    from laura_fast.config import Config

WAIT_S = 10


@pytest.fixture
def cluster(channel: grpc.aio.Channel) -> Any:
    return cluster_pb2_grpc.ClusterServiceStub(channel)


async def _join(cluster: Any, node_id: str, host: str = "127.0.0.1") -> Any:
    node = cluster_pb2.Node(id=node_id, host=host, port=7000, role=cluster_pb2.SHARD)
    return await cluster.RegisterNode(cluster_pb2.NodeRegistrationRequest(node=node), timeout=WAIT_S)


async def _read(cluster: Any, **fields: int) -> Any:
    return await cluster.GetTopology(cluster_pb2.GetTopologyRequest(**fields), timeout=WAIT_S)


async def test_members_are_answered_sorted_with_the_topology(cluster: Any) -> None:
    await _join(cluster, "b")
    answer = await _join(cluster, "a")
    assert answer.success
    assert [node.id for node in answer.cluster_nodes] == ["a", "b"]
    assert answer.topology == await _read(cluster)


async def test_a_live_id_is_refused_from_another_address(cluster: Any) -> None:
    await _join(cluster, "a")
    answer = await _join(cluster, "a", "elsewhere")
    assert (answer.success, answer.message) == (False, "node a already registered")


async def test_the_first_beat_carries_the_topology_and_the_next_does_not(cluster: Any) -> None:
    await _join(cluster, "a")
    beat = cluster_pb2.HeartbeatRequest(node_id="a", timestamp=1)
    first, second = [await cluster.Heartbeat(beat, timeout=WAIT_S) for _ in range(2)]
    assert (first.ack, first.topology.version, second.ack) == (True, 2, True)
    assert not second.HasField("topology")
    assert second.timestamp > 0


async def test_a_stranger_is_not_registered(cluster: Any) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await cluster.Heartbeat(cluster_pb2.HeartbeatRequest(node_id="x"), timeout=WAIT_S)
    assert (caught.value.code(), caught.value.details()) == (grpc.StatusCode.NOT_FOUND, "node x not registered")
    status, info = rpc_status.from_call(caught.value), error_details_pb2.ErrorInfo()
    assert status.details[0].Unpack(info)
    assert (info.domain, info.reason) == ("laura-fast", "NODE_NOT_REGISTERED")


async def test_who_leaves_is_gone(cluster: Any) -> None:
    await _join(cluster, "a")
    leave = cluster_pb2.NodeDeregistrationRequest(node_id="a")
    first, second = [await cluster.DeregisterNode(leave, timeout=WAIT_S) for _ in range(2)]
    assert (first.success, second.success, second.message) == (True, False, "node a not found")
    assert not (await _read(cluster)).nodes


async def test_a_known_version_is_answered_with_nothing(cluster: Any) -> None:
    assert await _read(cluster, min_version=1) == cluster_pb2.ClusterTopology()
    assert (await _read(cluster, min_version=99)).version == 1


async def test_a_long_poll_is_answered_by_the_next_change(cluster: Any) -> None:
    poll = asyncio.create_task(_read(cluster, min_version=1, wait_ms=60_000))
    await _join(cluster, "a")
    assert (await poll).version == 2


async def test_a_long_poll_does_not_hold_up_a_stop(cluster: Any, server: Server) -> None:
    poll = asyncio.create_task(_read(cluster, min_version=1, wait_ms=60_000))
    await _join(cluster, "a")  # the poll was sent before this on the same connection
    assert (await poll).version == 2
    poll = asyncio.create_task(_read(cluster, min_version=2, wait_ms=60_000))
    await _read(cluster)
    async with asyncio.timeout(WAIT_S):
        await server.stop(grace_s=60)
    assert await poll == cluster_pb2.ClusterTopology()


async def test_members_and_version_survive_a_restart(config: Config) -> None:
    seen: list[Any] = []
    for _ in range(2):
        server = Server(config)
        await server.start()
        async with grpc.aio.insecure_channel(server.address) as channel:
            cluster = cluster_pb2_grpc.ClusterServiceStub(channel)
            if not seen:
                await _join(cluster, "a")
            seen.append(await _read(cluster))
        await server.stop(grace_s=0)
    before, after = seen
    assert after.version >= before.version
    assert [node.id for node in after.nodes] == ["a"]
