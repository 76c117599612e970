"""`ClusterClient` against a server, call by call."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from laura_fast.client import ClusterClient, RetryPolicy
from laura_fast.errors import ConfigError, InvalidArgumentError, RefusedError, RemoteError, UnavailableError
from laura_fast.pb.lauradb.cluster import cluster_pb2 as pb
from tests.unit.client.fake_cluster import FakeCluster

if TYPE_CHECKING:
    from tests.unit.client.virtual_time import VirtualTime

NODE = pb.Node(id="n1", host="10.0.0.1", port=27017, role=pb.SECONDARY)


def test_seeds_that_cannot_be_read_are_refused() -> None:
    with pytest.raises(ConfigError, match="port"):
        ClusterClient("db1:0")


async def test_a_dead_seed_is_passed_over(cluster: FakeCluster) -> None:
    closed = await FakeCluster().start()
    await closed.stop()
    async with ClusterClient([closed.address, cluster.address]) as client:
        assert (await client.topology()).version == 1
        assert client.address == cluster.address


async def test_a_lost_answer_to_a_registration_is_mended_by_the_repetition(
    cluster: FakeCluster, time: VirtualTime
) -> None:
    """The server took the node in, the answer got lost: with take-over the second call succeeds."""
    async with ClusterClient(cluster.address, timing=time.timing) as client:
        await client.register(NODE)
        cluster.failures.append(UnavailableError("socket closed", "TEST"))
        answer = await client.register(NODE, take_over=True)
    assert (answer.success, answer.incarnation, cluster.counts["RegisterNode"]) == (True, 2, 3)
    assert cluster.requests[0].seed_nodes == [cluster.address]


async def test_a_duplicate_id_is_refused_and_names_its_holder(cluster: FakeCluster) -> None:
    async with ClusterClient(cluster.address) as client:
        await client.register(NODE)
        with pytest.raises(RefusedError, match=r"node n1 already registered at 10\.0\.0\.1:27017 \(healthy\)"):
            await client.register(pb.Node(id="n1", host="10.0.0.2", port=27017), take_over=True)
        with pytest.raises(RefusedError, match="already registered"):
            await client.register(NODE)


async def test_a_server_without_take_over_keeps_the_entry_of_a_restarted_node() -> None:
    server = await FakeCluster(extensions=False).start()
    async with ClusterClient(server.address) as client:
        await client.register(NODE, take_over=True)
        assert not (await client.register(NODE, take_over=True)).success
    await server.stop()


async def test_deregistering_answers_the_remarks_or_raises(cluster: FakeCluster) -> None:
    async with ClusterClient(cluster.address) as client:
        await client.register(NODE)
        assert await client.deregister("n1", "maintenance") == "bye"
        assert cluster.requests[-1].reason == "maintenance"
        with pytest.raises(RefusedError, match="node n1 not found"):
            await client.deregister("n1")


async def test_wait_newer_answers_the_version_after(cluster: FakeCluster, time: VirtualTime) -> None:
    async with ClusterClient(cluster.address, timing=time.timing) as client:
        assert await client.wait_newer(1, 5) is None
        cluster.put(NODE)
        newer = await client.wait_newer(1, 5)
    assert newer is not None
    assert (newer.version, list(newer.nodes)) == (2, ["n1"])


async def test_wait_newer_does_not_storm_a_server_that_answers_at_once(cluster: FakeCluster, time: VirtualTime) -> None:
    """LauraDB's servers do not know `wait_ms`."""
    async with ClusterClient(cluster.address, timing=time.timing) as client:
        assert await client.wait_newer(1, 5) is None
    assert cluster.counts["GetTopology"] == 5
    assert cluster.requests[0].wait_ms == 5000


async def test_status_is_one_servers_view(cluster: FakeCluster) -> None:
    cluster.put(NODE)
    async with ClusterClient(cluster.address) as client:
        status = await client.status()
    assert (status.observer_id, [member.node.id for member in status.members]) == ("fake", ["n1"])


async def test_a_policy_of_one_pass_does_not_wait(cluster: FakeCluster, time: VirtualTime) -> None:
    await cluster.stop()
    async with ClusterClient(cluster.address, policy=RetryPolicy(max_passes=1), timing=time.timing) as client:
        with pytest.raises(Exception, match="UNAVAILABLE"):
            await client.status()
    assert time.sleeps == []


async def test_the_callers_fault_is_not_repeated(cluster: FakeCluster) -> None:
    cluster.failures.append(InvalidArgumentError("no", "BAD"))
    async with ClusterClient(cluster.address) as client:
        with pytest.raises(RemoteError, match="INVALID_ARGUMENT: no"):
            await client.topology()
    assert cluster.counts["GetTopology"] == 1
