"""ClusterService over the wire: every row and edge case of its table in the wire contract."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import grpc
import pytest

from laura_fast.domain.membership.values import Chunk, Shard
from laura_fast.node.settings import MembershipSettings
from laura_fast.pb.lauradb.cluster import cluster_pb2

if TYPE_CHECKING:
    from tests.unit.services.conftest import Cluster

States = dict[str, str]


def states(topology: Any) -> States:
    return {node.id: cluster_pb2.NodeState.Name(node.state) for node in topology.nodes}


async def until_version(cluster: Cluster, version: int) -> Any:
    """The topology, once the writer has made `version`."""
    assert await cluster.membership.wait_newer(version - 1, 5)
    return await cluster.read()


async def refused(call: Any) -> grpc.aio.AioRpcError:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    return caught.value


# --- RegisterNode ---------------------------------------------------------------------------------------------------


async def test_join_answers_all_members_sorted_and_the_next_version(cluster: Cluster) -> None:
    await cluster.join("b")
    answer = await cluster.join("a")
    assert (answer.success, answer.incarnation, answer.topology.version) == (True, 1, 3)
    assert [node.id for node in answer.cluster_nodes] == [node.id for node in answer.topology.nodes] == ["a", "b"]


async def test_a_fresh_server_starts_at_version_1(cluster: Cluster) -> None:
    assert (await cluster.read()).version == 1


async def test_join_keeps_every_field_of_the_node(cluster: Cluster) -> None:
    node = cluster_pb2.Node(
        id="a", host="h", port=65535, role=cluster_pb2.ROUTER, priority=-7, tags={"zone": "z", "empty": ""}
    )
    answer = await cluster.stub.RegisterNode(cluster_pb2.NodeRegistrationRequest(node=node))
    node.state, node.incarnation = cluster_pb2.HEALTHY, 1
    assert list(answer.cluster_nodes) == [node]


async def test_join_without_node_is_refused_with_ok_status(cluster: Cluster) -> None:
    answer = await cluster.stub.RegisterNode(cluster_pb2.NodeRegistrationRequest())
    assert (answer.success, answer.message) == (False, "node information required")


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({"id": ""}, "id"),
        ({"host": ""}, "host"),
        ({"port": -1}, "port"),
        ({"port": 65536}, "port"),
        ({"id": "x" * 256}, "id"),
        ({"id": "line\nbreak"}, "id"),
        ({"host": "h" * 254}, "host"),
        ({"role": 99}, "role"),
        ({"tags": {str(number): "" for number in range(17)}}, "tags"),
        ({"tags": {"": "v"}}, "tag key"),
        ({"tags": {"k": "v" * 129}}, "tag value"),
    ],
)
async def test_malformed_node_is_refused_with_ok_status(cluster: Cluster, fields: dict[str, Any], word: str) -> None:
    node = cluster_pb2.Node(**{"id": "a", "host": "h", "port": 1, **fields})
    answer = await cluster.stub.RegisterNode(cluster_pb2.NodeRegistrationRequest(node=node))
    assert not answer.success
    assert word in answer.message
    assert (await cluster.read()).version == 1


async def test_live_duplicate_is_refused_and_shown_the_holder(cluster: Cluster) -> None:
    await cluster.join("a")
    await cluster.join("b")
    answer = await cluster.join("a", "other", 2)
    assert (answer.success, answer.message) == (False, "node a already registered")
    assert [(node.id, node.host) for node in answer.cluster_nodes] == [("a", "host")]
    assert (answer.topology.version, len(answer.topology.nodes)) == (3, 2)


async def test_same_address_needs_the_take_over_flag_while_the_holder_is_healthy(cluster: Cluster) -> None:
    await cluster.join("a")
    assert not (await cluster.join("a")).success
    answer = await cluster.join("a", take_over=True)
    assert (answer.success, answer.incarnation, answer.topology.version) == (True, 2, 3)


async def test_take_over_flag_does_not_move_a_healthy_id_to_another_address(cluster: Cluster) -> None:
    await cluster.join("a")
    assert not (await cluster.join("a", "other", take_over=True)).success
    assert not (await cluster.join("a", port=2, take_over=True)).success


async def test_suspect_id_is_taken_over_from_the_same_address_only(cluster: Cluster) -> None:
    await cluster.join("a")
    cluster.steps(4)
    assert states(await until_version(cluster, 3)) == {"a": "SUSPECT"}
    assert not (await cluster.join("a", "other")).success
    answer = await cluster.join("a")
    assert (answer.success, answer.incarnation, states(answer.topology)) == (True, 2, {"a": "HEALTHY"})


async def test_down_id_is_taken_over_from_anywhere(cluster: Cluster) -> None:
    await cluster.join("a")
    cluster.steps(11)
    assert states(await until_version(cluster, 3)) == {"a": "DOWN"}
    answer = await cluster.join("a", "other", 9)
    assert (answer.success, answer.incarnation, answer.cluster_nodes[0].host) == (True, 2, "other")


async def test_primary_claim_is_stored_as_secondary_unless_elected(cluster: Cluster) -> None:
    assert (await cluster.join("a", role="PRIMARY")).cluster_nodes[0].role == cluster_pb2.SECONDARY
    cluster.membership.elected_primary = lambda: "b"
    answer = await cluster.join("b", role="PRIMARY")
    assert (answer.cluster_nodes[1].role, answer.topology.primary_id) == (cluster_pb2.PRIMARY, "b")


async def test_omit_members_answers_neither_members_nor_topology(cluster: Cluster) -> None:
    answer = await cluster.join("a", omit_members=True)
    assert (answer.success, answer.incarnation, len(answer.cluster_nodes)) == (True, 1, 0)
    assert not answer.HasField("topology")


async def test_seeds_are_hints_that_never_fail_a_join(cluster: Cluster) -> None:
    heard: list[str] = []
    cluster.membership.on_seeds = heard.extend
    seeds = ["one:1", "", "no-port", "bad:port", "bad:99999", "[::1]:7", *["many:1"] * 100]
    assert (await cluster.join("a", seed_nodes=seeds)).success
    assert (heard[:2], len(heard)) == (["one:1", "[::1]:7"], 64)


async def test_join_is_answered_only_after_its_commit(cluster: Cluster) -> None:
    cluster.store.gate = asyncio.get_running_loop().create_future()
    join = asyncio.ensure_future(cluster.join("a"))
    await asyncio.sleep(0.05)
    assert (join.done(), cluster.membership.topology.version) == (False, 1)
    cluster.store.gate.set_result(None)
    assert (await join).success


async def test_join_that_cannot_be_stored_is_unavailable_and_changes_nothing(cluster: Cluster) -> None:
    cluster.store.broken = True
    error = await refused(cluster.join("a"))
    assert error.code() is grpc.StatusCode.UNAVAILABLE
    cluster.store.broken = False
    assert (await cluster.read()).version == 1
    assert (await cluster.join("a")).success


# --- DeregisterNode -------------------------------------------------------------------------------------------------


async def leave(cluster: Cluster, node_id: str, reason: str = "") -> Any:
    return await cluster.stub.DeregisterNode(cluster_pb2.NodeDeregistrationRequest(node_id=node_id, reason=reason))


async def test_leave_drops_the_node_and_refuses_its_late_beats(cluster: Cluster) -> None:
    await cluster.join("a")
    assert (await leave(cluster, "a")).success
    topology = await cluster.read()
    assert (topology.version, len(topology.nodes)) == (3, 0)
    assert (await refused(cluster.beat("a"))).details() == "node a not registered"


async def test_leave_of_an_unknown_node_and_repeated_leave_are_not_found(cluster: Cluster) -> None:
    await cluster.join("a")
    assert (await leave(cluster, "a", "bye")).success
    for node_id in ("a", "b"):
        answer = await leave(cluster, node_id)
        assert (answer.success, answer.message) == (False, f"node {node_id} not found")


async def test_malformed_leave_is_refused_with_ok_status(cluster: Cluster) -> None:
    await cluster.join("a")
    assert not (await leave(cluster, "")).success
    assert not (await leave(cluster, "a", "r" * 1025)).success


async def test_leave_of_a_shard_owner_says_what_becomes_unreachable(cluster: Cluster) -> None:
    await cluster.join("a")
    await cluster.membership.place((), (Shard("s1", "a", (Chunk("c"),)), Shard("s2", "b", (Chunk("d"),))))
    answer = await leave(cluster, "a")
    assert answer.success
    assert "s1" in answer.message
    assert "s2" not in answer.message


async def test_rejoin_after_a_leave_goes_on_with_the_incarnation(cluster: Cluster) -> None:
    await cluster.join("a")
    await leave(cluster, "a")
    assert (await cluster.join("a", "elsewhere")).incarnation == 2


# --- Heartbeat ------------------------------------------------------------------------------------------------------


async def test_beat_answers_the_servers_time(cluster: Cluster) -> None:
    await cluster.join("a")
    answer = await cluster.beat("a")
    assert (answer.ack, answer.timestamp) == (True, cluster.clock.wall_ms())


@pytest.mark.parametrize("node_id", ["", "ghost", "x" * 70_000])
async def test_beat_of_an_unknown_node_is_not_found(cluster: Cluster, node_id: str) -> None:
    error = await refused(cluster.beat(node_id))
    assert error.code() is grpc.StatusCode.NOT_FOUND
    assert error.details() == f"node {node_id[:255]} not registered"


async def test_beat_of_an_older_incarnation_is_not_found(cluster: Cluster) -> None:
    await cluster.join("a")
    await cluster.join("a", take_over=True)
    assert (await cluster.beat("a", incarnation=2)).ack
    assert (await refused(cluster.beat("a", incarnation=1))).details() == "node a not registered"


async def test_first_beat_carries_the_topology_the_second_does_not(cluster: Cluster) -> None:
    await cluster.join("a")
    first, second = await cluster.beat("a"), await cluster.beat("a")
    assert first.topology == await cluster.read()
    assert not second.HasField("topology")


async def test_beat_carries_the_topology_again_after_a_change_and_after_30_s(cluster: Cluster) -> None:
    await cluster.join("a")
    await cluster.beat("a")
    await cluster.join("b")
    assert (await cluster.beat("a")).topology.version == 3
    for _ in range(29):
        cluster.steps(1)
        assert not [node for node in ("a", "b") if (await cluster.beat(node)).HasField("topology") and node == "a"]
    cluster.steps(1)
    assert (await cluster.beat("a")).topology.version == 3


async def test_known_version_decides_what_a_beat_carries(cluster: Cluster) -> None:
    await cluster.join("a")
    assert not (await cluster.beat("a", known_topology_version=2)).HasField("topology")
    assert not (await cluster.beat("a", known_topology_version=9)).HasField("topology")
    assert (await cluster.beat("a", known_topology_version=1)).HasField("topology")
    assert (await cluster.beat("a", known_topology_version=0)).HasField("topology")


async def test_role_claim_makes_one_version_per_change(cluster: Cluster) -> None:
    await cluster.join("a")
    for role, version in (("SECONDARY", 2), ("ARBITER", 3), ("ARBITER", 3), ("SECONDARY", 4)):
        await cluster.beat("a", status=cluster_pb2.NodeStatus(role=cluster_pb2.NodeRole.Value(role)))
        assert (await until_version(cluster, version)).version == version


async def test_beat_without_role_renews_only(cluster: Cluster) -> None:
    await cluster.join("a")
    await cluster.beat("a", status=cluster_pb2.NodeStatus(role=cluster_pb2.SECONDARY, last_oplog_id=5))
    await cluster.beat("a", status=cluster_pb2.NodeStatus(last_oplog_id=9))
    await cluster.beat("a")
    assert [status.last_oplog_id for status in cluster.membership.statuses()] == [5]
    assert (await cluster.read()).version == 2


async def test_beat_updates_what_the_operator_sees(cluster: Cluster) -> None:
    cluster.membership.elected_primary = lambda: "p"
    await cluster.join("p", role="PRIMARY")
    await cluster.join("s")
    resources = cluster_pb2.ResourceStats(cpu_percent=2.5, memory_bytes=3, disk_bytes_used=4, disk_bytes_total=5)
    primary = cluster_pb2.NodeStatus(role=cluster_pb2.PRIMARY, last_oplog_id=100)
    secondary = cluster_pb2.NodeStatus(role=cluster_pb2.SECONDARY, last_oplog_id=90, resources=resources)
    await cluster.beat("p", status=primary)
    await cluster.beat("s", status=secondary, timestamp=cluster.clock.wall_ms() + 1_500)
    cluster.steps(1)
    first, second = cluster.membership.statuses()
    assert (first.lag_entries, second.lag_entries) == (0, 10)
    assert (second.resources, second.clock_skew_ms, second.last_beat_age_ms) == ((2.5, 3, 4, 5), 1_500, 1_000)


@pytest.mark.parametrize("raw", [b"\xff", b"\x0a\x01\xff", b"\x1a\x02\x08"], ids=["no field", "no UTF-8", "cut short"])
async def test_bytes_that_are_no_beat_are_the_callers_fault(cluster: Cluster, raw: bytes) -> None:
    """The service parses beats itself, so it is the one who refuses them, on a stream too."""
    unary: Any = cluster.channel.unary_unary("/lauradb.cluster.ClusterService/Heartbeat")
    stream: Any = cluster.channel.stream_stream("/laura.fast.v1.MembershipService/HeartbeatStream")
    for refusal in (await refused(unary(raw)), await refused(stream(iter([raw])).read())):
        assert refusal.code() is grpc.StatusCode.INVALID_ARGUMENT
        assert (refusal.details() or "").startswith("the request does not parse: ")


async def test_clock_skew_never_expires_anyone(cluster: Cluster) -> None:
    await cluster.join("a")
    for timestamp in (1, -(2**63), 2**63 - 1):
        await cluster.beat("a", timestamp=timestamp)
        cluster.steps(1)
    assert states(await cluster.read()) == {"a": "HEALTHY"}
    assert cluster.membership.statuses()[0].clock_skew_ms is not None


async def test_silent_node_is_suspect_then_down_and_a_late_beat_brings_it_back(cluster: Cluster) -> None:
    await cluster.join("a")
    await cluster.join("b")
    for second in range(1, 12):
        cluster.steps(1)
        await cluster.beat("b")
        if second == 4:
            assert states(await until_version(cluster, 4)) == {"a": "SUSPECT", "b": "HEALTHY"}
    assert states(await until_version(cluster, 5)) == {"a": "DOWN", "b": "HEALTHY"}
    await cluster.beat("a")
    assert states(await until_version(cluster, 6)) == {"a": "HEALTHY", "b": "HEALTHY"}


class TestAlwaysAttach:
    @pytest.fixture
    def settings(self) -> MembershipSettings:
        return MembershipSettings(heartbeat_topology="always")

    async def test_every_beat_carries_the_topology(self, cluster: Cluster) -> None:
        await cluster.join("a")
        for known in ({}, {}, {"known_topology_version": 2}):
            assert (await cluster.beat("a", **known)).topology.version == 2


# --- GetTopology ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("min_version", [0, -1, -(2**63), 1, 3, 2**63 - 1])
async def test_topology_is_answered_in_full_unless_the_version_is_the_callers(
    cluster: Cluster, min_version: int
) -> None:
    await cluster.join("a")
    assert (await cluster.read(min_version=min_version)).version == 2


async def test_current_version_is_answered_with_an_empty_message(cluster: Cluster) -> None:
    await cluster.join("a")
    assert await cluster.read(min_version=2) == cluster_pb2.ClusterTopology()


async def test_long_poll_answers_when_a_newer_version_comes(cluster: Cluster) -> None:
    poll = asyncio.ensure_future(cluster.read(min_version=1, wait_ms=60_000))
    await asyncio.sleep(0.05)
    assert not poll.done()
    await cluster.join("a")
    assert (await poll).version == 2


async def test_long_poll_ends_empty(cluster: Cluster) -> None:
    assert await cluster.read(min_version=1, wait_ms=20) == cluster_pb2.ClusterTopology()


async def test_drain_ends_long_polls(cluster: Cluster) -> None:
    poll = asyncio.ensure_future(cluster.read(min_version=1, wait_ms=60_000))
    await asyncio.sleep(0.05)
    cluster.membership.drain()
    assert await asyncio.wait_for(poll, 1) == cluster_pb2.ClusterTopology()
