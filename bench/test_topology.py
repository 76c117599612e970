"""The topology: making a new version, its wire form, answering it, and telling watchers."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bench import data
from bench.members import members, snapshot
from bench.micro import per_call
from laura_fast.domain.membership.changes import Join, Rules, step
from laura_fast.domain.membership.table import MemberTable
from laura_fast.domain.membership.topology import TopologyDelta, TopologySnapshot
from laura_fast.domain.membership.values import Registration
from laura_fast.node.feed import TopologyFeed
from laura_fast.node.registry import Registry
from laura_fast.services import nodes as answers

if TYPE_CHECKING:
    from pytest_benchmark.fixture import BenchmarkFixture

SIZES = pytest.mark.grid("size", default=(10, 10_000), full=(1, 10, 100, 1_000, 10_000, 20_000))


@pytest.mark.benchmark(group="topology")
@SIZES
def test_join(benchmark: BenchmarkFixture, size: int) -> None:
    """The pure step of one registration: one node is encoded, the others are only referred to."""
    topology = snapshot(size)
    wish = Join(Registration("node-5", "10.0.0.1", 27_000, tags={"region": "eu-west-1"}))
    rules = Rules(answers.encode_node)
    batch = benchmark(lambda: step(topology, {}, [wish], rules))
    assert len(batch.topology.members) == size + 1


@pytest.mark.benchmark(group="topology")
@SIZES
def test_encode(benchmark: BenchmarkFixture, size: int) -> None:
    """The wire form of the next version, one member changed: paid once per version."""
    table, newcomer = MemberTable.of(members(size)), replace(members(1)[0], incarnation=2)
    encoded = benchmark(lambda: TopologySnapshot(2, table.put(newcomer)).encoded)
    assert len(encoded) > table.size_bytes


@pytest.mark.benchmark(group="topology")
@SIZES
def test_encode_from_scratch(benchmark: BenchmarkFixture, size: int) -> None:
    """The wire form joined from entries alone, as after a restart."""
    everyone = members(size)
    encoded = benchmark(lambda: TopologySnapshot(2, MemberTable.of(everyone)).encoded)
    assert len(encoded) > sum(len(member.entry) for member in everyone)


@pytest.mark.benchmark(group="topology")
@SIZES
def test_encode_with_protobuf(benchmark: BenchmarkFixture, size: int) -> None:
    """The same bytes made by protobuf from a ready message: what joining saves."""
    message = data.topology(size)
    assert len(benchmark(message.SerializeToString)) > size


@pytest.mark.benchmark(group="topology")
@SIZES
def test_answer(benchmark: BenchmarkFixture, size: int) -> None:
    """A heartbeat's answer that carries the topology: one copy of the blocks' bytes."""
    topology, plain = snapshot(size), answers.heartbeat_answer(data.EPOCH_MS)
    answer = benchmark(lambda: answers.with_topology(plain, topology))
    assert answer.endswith(topology.encoded)


@pytest.mark.benchmark(group="topology")
@SIZES
def test_find(benchmark: BenchmarkFixture, size: int) -> None:
    """One member by id."""
    topology = snapshot(size)
    wanted = topology.members[size // 2]
    assert benchmark(topology.find, wanted.id) is wanted


@pytest.mark.benchmark(group="topology")
@pytest.mark.grid("watchers", default=(1, 1_000), full=(1, 10, 100, 1_000, 2_000))
def test_watch_fan_out(benchmark: BenchmarkFixture, loop: asyncio.AbstractEventLoop, watchers: int) -> None:
    """One changed node told to every watcher, as bytes; a row is one watcher."""
    member = members(1)[0]
    feed, told, all_told = TopologyFeed(Registry(1)), [], asyncio.Event()
    version = 1

    async def watch() -> None:
        async for news in feed.watch(1):
            told.append(answers.topology_event(news))
            if len(told) == watchers:
                all_told.set()

    async def tell() -> int:
        nonlocal version
        version += 1
        changed = replace(member, incarnation=version)
        feed.publish(TopologySnapshot(version, MemberTable.of([changed])), [TopologyDelta(version, (changed,))])
        await all_told.wait()
        all_told.clear()
        return len(set(told))

    watching = [loop.create_task(watch()) for _ in range(watchers)]
    per_call(
        benchmark,
        lambda: loop.run_until_complete(tell()),
        lambda different: different == 1,
        calls=watchers,
        begin=told.clear,
    )
    for task in watching:
        task.cancel()
    loop.run_until_complete(asyncio.gather(*watching, return_exceptions=True))
