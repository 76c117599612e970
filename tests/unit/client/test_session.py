"""A held membership, through everything that can happen to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from laura_fast.client import ClusterClient
from laura_fast.client.session import MemberOptions
from laura_fast.errors import ConfigError, OverloadedError, RefusedError, UnavailableError
from laura_fast.pb.lauradb.cluster import cluster_pb2 as pb
from tests.unit.client.virtual_time import VirtualTime

if TYPE_CHECKING:
    from tests.unit.client.fake_cluster import FakeCluster

if TYPE_CHECKING:
    from collections.abc import Callable

NODE = pb.Node(id="n1", host="10.0.0.1", port=27017, role=pb.SECONDARY)


@pytest.fixture
async def client(cluster: FakeCluster, time: VirtualTime) -> ClusterClient:
    return ClusterClient(cluster.address, timing=time.timing)


def elsewhere(incarnation: int) -> pb.Node:
    return pb.Node(id="n1", host="10.0.0.9", port=27017, state=pb.HEALTHY, incarnation=incarnation)


async def test_registered_on_entry_and_gone_on_exit(cluster: FakeCluster, client: ClusterClient) -> None:
    async with client, client.member(NODE) as member:
        assert list(cluster.nodes) == ["n1"]
        assert (member.incarnation, member.topology.version) == (1, 2)
    assert not cluster.nodes
    assert cluster.requests[-1].reason == "graceful stop"


async def test_a_beat_carries_status_incarnation_and_the_known_version(
    cluster: FakeCluster, client: ClusterClient, time: VirtualTime
) -> None:
    status = pb.NodeStatus(role=pb.ARBITER, resources=pb.ResourceStats(cpu_percent=12.5))
    async with client, client.member(NODE, status=lambda: status):
        await cluster.reached("Heartbeat", 1)
    beat = next(request for request in cluster.requests if isinstance(request, pb.HeartbeatRequest))
    assert (beat.node_id, beat.status, beat.incarnation, beat.known_topology_version) == ("n1", status, 1, 2)
    assert abs(beat.timestamp - time.timing.wall_ms()) < 10_000


async def test_the_first_beat_falls_anywhere_in_the_interval_and_the_others_are_jittered(cluster: FakeCluster) -> None:
    time = VirtualTime(dice=[0.25, 0.0, 1.0])
    async with (
        ClusterClient(cluster.address, timing=time.timing) as client,
        client.member(NODE, options=MemberOptions(interval_s=2)),
    ):
        await cluster.reached("Heartbeat", 3)
    assert time.sleeps[:3] == pytest.approx([0.5, 1.8, 2.2])


async def test_beats_bring_the_new_topology(cluster: FakeCluster, client: ClusterClient) -> None:
    async with client, client.member(NODE) as member:
        cluster.put(pb.Node(id="n2", host="h", port=1))
        await cluster.reached("Heartbeat", cluster.counts["Heartbeat"] + 2)
        assert list(member.topology.nodes) == ["n1", "n2"]


async def test_a_node_that_was_forgotten_registers_again(cluster: FakeCluster, client: ClusterClient) -> None:
    async with client, client.member(NODE) as member:
        cluster.nodes.clear()
        await cluster.reached("RegisterNode", 2)
        await cluster.reached("Heartbeat", cluster.counts["Heartbeat"] + 1)
        assert (list(cluster.nodes), member.incarnation) == (["n1"], 1)


async def test_a_suspect_or_down_node_only_has_to_beat(cluster: FakeCluster, client: ClusterClient) -> None:
    async with client, client.member(NODE):
        for state in (pb.SUSPECT, pb.DOWN):
            node = pb.Node.FromString(cluster.nodes["n1"].SerializeToString())
            node.state = state
            cluster.put(node)
            await cluster.reached("Heartbeat", cluster.counts["Heartbeat"] + 2)
            assert cluster.nodes["n1"].state == pb.HEALTHY
    assert cluster.counts["RegisterNode"] == 1


async def test_it_outlives_a_server_that_restarts_with_its_members(cluster: FakeCluster) -> None:
    """On the machine's clock: the channel's own reconnection takes real time."""
    async with (
        ClusterClient(cluster.address) as client,
        client.member(NODE, options=MemberOptions(interval_s=0.02)) as member,
    ):
        await cluster.reached("Heartbeat", 1)
        await cluster.stop()
        await cluster.start()
        await cluster.reached("Heartbeat", cluster.counts["Heartbeat"] + 2)
        assert (cluster.counts["RegisterNode"], member.incarnation) == (1, 1)


async def test_one_line_per_outage_not_one_per_beat(
    cluster: FakeCluster, client: ClusterClient, logged: Callable[[], list[dict[str, Any]]]
) -> None:
    async with client, client.member(NODE):
        cluster.failures.extend(UnavailableError("gone", "TEST") for _ in range(5))
        await cluster.reached("Heartbeat", 7)
    assert [line["event"] for line in logged()] == [
        "member_registered",
        "heartbeat_failed",
        "heartbeat_recovered",
        "member_deregistered",
    ]
    assert logged()[2]["failures"] == 5


async def test_after_failures_the_pause_backs_off_to_a_mean_of_one_interval() -> None:
    options = MemberOptions(interval_s=1)
    means = [options.next_delay_s(failures, 0.1, 0.5) for failures in range(8)]
    assert means == pytest.approx([1, 0.1, 0.2, 0.4, 0.8, 1, 1, 1])
    assert options.next_delay_s(50, 0.1, 1.0) == 2


async def test_an_overloaded_server_names_the_pause(
    cluster: FakeCluster, client: ClusterClient, time: VirtualTime
) -> None:
    async with client, client.member(NODE):
        cluster.failures.append(OverloadedError("full", "OVERLOADED", retry_after_ms=7000))
        await cluster.reached("Heartbeat", cluster.counts["Heartbeat"] + 3)
    assert 7.0 in time.sleeps


async def test_a_refusal_at_the_join_is_raised(cluster: FakeCluster, client: ClusterClient) -> None:
    cluster.put(elsewhere(1))
    async with client:
        with pytest.raises(RefusedError, match=r"already registered at 10\.0\.0\.9:27017"):
            async with client.member(NODE):
                pass
    assert "n1" in cluster.nodes


async def test_a_node_that_was_taken_over_ends_and_leaves_the_new_holder_alone(
    cluster: FakeCluster, client: ClusterClient, time: VirtualTime
) -> None:
    """Two processes under one id must not take it from each other for ever."""
    async with client, client.member(NODE, options=MemberOptions(patience_s=15)) as member:
        cluster.put(elsewhere(2))
        began = time.now
        with pytest.raises(RefusedError, match="another process took node n1 over"):
            await member.wait_lost()
        assert 15 <= time.now - began < 20
    assert cluster.nodes["n1"].host == "10.0.0.9"
    assert cluster.counts["DeregisterNode"] == 0
    assert not any(request.take_over for request in cluster.requests[1:] if hasattr(request, "take_over"))


async def test_an_own_entry_whose_confirmation_was_lost_is_taken_when_nobody_beats_for_it(
    cluster: FakeCluster, client: ClusterClient
) -> None:
    async with client, client.member(NODE) as member:
        cluster.put(pb.Node(id="n1", host=NODE.host, port=NODE.port, state=pb.HEALTHY, incarnation=7))
        await cluster.reached("RegisterNode", 3)
        assert member.incarnation == 1
        cluster.nodes["n1"].state = pb.SUSPECT
        await cluster.reached("RegisterNode", cluster.counts["RegisterNode"] + 1)
        await cluster.reached("Heartbeat", cluster.counts["Heartbeat"] + 1)
        assert member.incarnation == 8


async def test_a_status_that_raises_ends_the_membership_loudly(client: ClusterClient) -> None:
    def broken() -> pb.NodeStatus:
        raise ZeroDivisionError

    async with client, client.member(NODE, status=broken) as member:
        with pytest.raises(ZeroDivisionError):
            await member.wait_lost()


async def test_leaving_a_dead_server_is_logged_and_bounded(
    cluster: FakeCluster, client: ClusterClient, logged: Callable[[], list[dict[str, Any]]]
) -> None:
    async with client, client.member(NODE):
        await cluster.stop()
    assert logged()[-1]["event"] == "deregistration_failed"


def test_an_interval_must_be_positive() -> None:
    with pytest.raises(ConfigError, match="interval"):
        MemberOptions(interval_s=0)
