"""The striped registry alone: what a beat, a join, a leave and an expiry cost, by nodes, stripes and threads.

Under the interpreter's lock more threads don't beat faster; the rows show that they don't beat slower either.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import cycle, islice
from typing import TYPE_CHECKING

import pytest

from bench import data
from bench.micro import per_call
from laura_fast.domain.membership.values import Member, NodeState
from laura_fast.node.detector import FailureDetector
from laura_fast.node.registry import Registry
from laura_fast.node.settings import MembershipSettings
from laura_fast.testing.clock import VirtualClock

if TYPE_CHECKING:
    from pytest_benchmark.fixture import BenchmarkFixture

NODES = pytest.mark.grid("nodes", default=(1, 10_000), full=(1, 100, 10_000, 100_000))
STRIPES = pytest.mark.grid("stripes", default=(64,), full=(1, 64, 1_024))
REPORT = data.beat(data.nodes(1)[0]).SerializeToString()
CALLS = 10_000


def plain(number: int) -> list[Member]:
    """Members without a wire form, which the registry never looks at."""
    return [Member(node.id, node.host, node.port) for node in data.nodes(number)]


def filled(members: list[Member], stripes: int) -> Registry:
    """A registry that expects beats of all."""
    registry = Registry(stripes)
    for member in members:
        registry.add(member, 0.0)
    return registry


@pytest.mark.benchmark(group="registry")
@NODES
@STRIPES
@pytest.mark.grid("threads", default=(1, 8), full=(1, 2, 4, 8))
def test_heartbeat(benchmark: BenchmarkFixture, nodes: int, stripes: int, threads: int) -> None:
    """A full beat of a node that holds the topology; the cost must not depend on the number of nodes."""
    members = plain(nodes)
    registry = filled(members, stripes)
    calls = CALLS if benchmark.enabled else 100
    ids = [list(islice(cycle([m.id for m in members]), start, start + calls // threads)) for start in range(threads)]

    def beat_all(mine: list[str]) -> int:
        beat, answered = registry.heartbeat, 0
        for node_id in mine:
            answered += beat(node_id, 1, 2, REPORT, 0, 1, 1.0) is None
        return answered

    with ThreadPoolExecutor(threads) as pool:
        work = (lambda: beat_all(ids[0])) if threads == 1 else (lambda: sum(pool.map(beat_all, ids)))
        per_call(benchmark, work, lambda answered: answered == threads * (calls // threads), calls=calls)


@pytest.mark.benchmark(group="registry")
@NODES
@STRIPES
def test_register(benchmark: BenchmarkFixture, nodes: int, stripes: int) -> None:
    """One more node to expect beats of, beside `nodes` others."""
    everyone = plain(nodes + 1_000)
    registry, new = filled(everyone[:nodes], stripes), everyone[nodes:]

    def begin() -> None:
        for member in new:
            registry.remove(member.id)

    def work() -> bool:
        for member in new:
            registry.add(member, 0.0)
        return registry.find(new[-1].id) is not None

    per_call(benchmark, work, bool, calls=len(new), begin=begin)


@pytest.mark.benchmark(group="registry")
@NODES
@STRIPES
def test_deregister(benchmark: BenchmarkFixture, nodes: int, stripes: int) -> None:
    """One node fewer, beside `nodes` others."""
    everyone = plain(nodes + 1_000)
    registry, leaving = filled(everyone, stripes), everyone[nodes:]

    def begin() -> None:
        for member in leaving:
            registry.add(member, 0.0)

    def work() -> bool:
        for member in leaving:
            registry.remove(member.id)
        return registry.find(leaving[-1].id) is None

    per_call(benchmark, work, bool, calls=len(leaving), begin=begin)


class _Silence:
    """A detector over nodes of which nobody beats."""

    def __init__(self, nodes: int, stripes: int) -> None:
        self.members = plain(nodes)
        self.stripes = stripes
        self.renew()

    def renew(self) -> None:
        self.clock = VirtualClock()
        self.registry = Registry(self.stripes)
        self.detector = FailureDetector(self.registry, self.clock, MembershipSettings(stripes=self.stripes))
        for member in self.members:
            self.detector.expect(member)
        self.wait(2.75)

    def wait(self, seconds: float) -> None:
        for _ in range(round(seconds * 4)):
            self.clock.advance(0.25)
            self.detector.tick()


@pytest.mark.benchmark(group="registry")
@NODES
@STRIPES
def test_expire(benchmark: BenchmarkFixture, nodes: int, stripes: int) -> None:
    """One tick in which every node turns SUSPECT; a row is one node."""
    silence = _Silence(nodes, stripes)

    def work() -> bool:
        silence.wait(0.25)
        records = [silence.registry.find(member.id) for member in silence.members]
        return all(record and record.state is NodeState.SUSPECT for record in records)

    per_call(benchmark, work, bool, calls=nodes, begin=silence.renew)


@pytest.mark.benchmark(group="registry")
@NODES
def test_idle_tick(benchmark: BenchmarkFixture, nodes: int) -> None:
    """A tick in which nobody is due: its cost must not depend on the number of nodes."""
    silence = _Silence(nodes, 64)
    silence.wait(0.5)
    due = 100 if benchmark.enabled else 1

    def work() -> bool:
        for _ in range(due):
            silence.detector.tick()
        return len(silence.registry.noted) == nodes

    per_call(benchmark, work, bool, calls=due)
