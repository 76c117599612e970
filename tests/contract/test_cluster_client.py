"""The client against the whole server, over each transport: what its own tests assume of a server holds."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING

import pytest

from laura_fast.client import ClusterClient, RetryPolicy, changes
from laura_fast.client.session import MemberOptions
from laura_fast.errors import RefusedError
from laura_fast.pb.lauradb.cluster import cluster_pb2 as pb

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from laura_fast.app import Server

NODE = pb.Node(id="n1", host="10.0.0.1", port=27017, role=pb.SECONDARY)
FAST = MemberOptions(interval_s=0.02)
LONG_S = 10


@pytest.fixture
async def client(server: Server) -> AsyncIterator[ClusterClient]:
    async with ClusterClient(server.address, policy=RetryPolicy(max_passes=1)) as opened:
        yield opened


def node(number: int) -> pb.Node:
    return pb.Node(id=f"n{number}", host=f"10.0.0.{number}", port=27017)


async def test_register_take_over_and_leave(client: ClusterClient) -> None:
    assert (await client.register(NODE)).incarnation == 1
    with pytest.raises(RefusedError, match=r"node n1 already registered at 10\.0\.0\.1:27017 \(healthy\)"):
        await client.register(NODE)
    with pytest.raises(RefusedError, match="already registered"):
        await client.register(pb.Node(id="n1", host="10.0.0.2", port=27017), take_over=True)
    assert (await client.register(NODE, take_over=True)).incarnation == 2
    await client.deregister("n1")
    with pytest.raises(RefusedError, match="node n1 not found"):
        await client.deregister("n1")


async def test_a_malformed_node_is_refused(client: ClusterClient) -> None:
    with pytest.raises(RefusedError):
        await client.register(pb.Node(id="n1"))


async def test_wait_newer_is_answered_when_something_happens(client: ClusterClient) -> None:
    version = (await client.topology()).version
    assert await client.wait_newer(version, 0.05) is None
    waiting = asyncio.create_task(client.wait_newer(version, LONG_S))
    await asyncio.sleep(0)
    await client.register(NODE)
    newer = await waiting
    assert newer is not None
    assert (newer.version, list(newer.nodes)) == (version + 1, ["n1"])
    from_another_life = await client.wait_newer(version + 1000, LONG_S)
    assert from_another_life is not None
    assert from_another_life.version == version + 1


async def test_deltas_add_up_to_what_the_server_answers(client: ClusterClient) -> None:
    """Joins, leaves and take-overs, watched from before the first: each version is seen once, the last is the truth."""
    begin = await client.topology()
    async with aclosing(client.watch(begin)) as topologies:
        for number in (3, 1, 2):
            await client.register(node(number))
        await client.deregister("n1")
        await client.register(node(2), take_over=True)
        seen = [await anext(topologies) for _ in range(5)]
    now = await client.topology()
    assert [topology.version for topology in seen] == [begin.version + number for number in range(1, 6)]
    assert seen[-1] == now
    kinds = [change.kind for old, new in zip([begin, *seen], seen, strict=False) for change in changes(old, new)]
    assert kinds == ["joined", "joined", "joined", "left", "restarted"]


async def test_a_membership_beats_and_is_registered_again_when_it_was_removed(client: ClusterClient) -> None:
    async with asyncio.timeout(LONG_S), client.member(NODE, options=FAST) as member:
        assert member.topology.nodes["n1"].state == pb.HEALTHY
        await client.deregister("n1", "by an operator")
        version = (await client.topology()).version
        back = await client.wait_newer(version, LONG_S)
        assert back is not None
        assert list(back.nodes) == ["n1"]
        await client.register(node(2))
        while "n2" not in member.topology.nodes:  # noqa: ASYNC110 - brought by a beat, which has no event
            await asyncio.sleep(0.01)
    assert list((await client.topology()).nodes) == ["n2"]


async def test_a_process_that_was_taken_over_gives_way(client: ClusterClient) -> None:
    options = MemberOptions(interval_s=0.02, patience_s=0.2)
    async with asyncio.timeout(LONG_S), client.member(NODE, options=options) as first:
        async with client.member(NODE, options=options) as second:
            with pytest.raises(RefusedError, match="another process took node n1 over"):
                await first.wait_lost()
            assert (await client.topology()).nodes["n1"].incarnation == second.incarnation == 2
        assert not (await client.topology()).nodes


async def test_status_shows_what_a_beat_reported(client: ClusterClient) -> None:
    figures = pb.NodeStatus(role=pb.ARBITER, resources=pb.ResourceStats(cpu_percent=12.5, memory_bytes=7))
    async with asyncio.timeout(LONG_S), client.member(NODE, status=lambda: figures, options=FAST):
        while (member := (await client.status()).members[0]).node.role != pb.ARBITER:  # noqa: ASYNC110 - committed later
            await asyncio.sleep(0.01)
    assert member.status == figures
    assert member.last_beat_age_ms < 1000 * LONG_S
