"""The striped registry: leases, what beats note, and use from many threads."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from laura_fast.domain.membership.detector import Patience
from laura_fast.domain.membership.topology import TopologySnapshot
from laura_fast.domain.membership.values import Member, NodeRole, NodeState, Observation
from laura_fast.errors import NotFoundError
from laura_fast.node.registry import Registry
from laura_fast.node.reports import NOTHING

PATIENCE = Patience(3.0, 10.0)


def beat(registry: Registry, node_id: str, now: float = 0.0, *, role: int = 0, incarnation: int = 0) -> None:
    registry.heartbeat(node_id, incarnation, role, NOTHING, None, 1, now)


def collected(registry: Registry) -> list[Observation]:
    return [seen for _, seen in registry.collect()]


def test_a_node_is_noted_once_however_often_it_changes() -> None:
    registry = Registry()
    record = registry.add(Member("a", "h", 1, NodeRole.SHARD), 0.0)
    registry.visit(record, 4.0, PATIENCE)
    registry.visit(record, 11.0, PATIENCE)
    beat(registry, "a", 12.0, role=NodeRole.ROUTER)
    assert list(registry.noted) == ["a"]
    assert collected(registry) == [Observation("a", 1, NodeState.HEALTHY, NodeRole.ROUTER)]
    assert collected(registry) == []


def test_steady_beats_note_nothing() -> None:
    registry = Registry()
    registry.add(Member("a", "h", 1, NodeRole.SHARD), 0.0)
    for now in range(100):
        beat(registry, "a", float(now), role=NodeRole.SHARD)
    assert not registry.noted


def test_what_was_noted_of_a_node_that_left_or_was_replaced_is_dropped() -> None:
    registry = Registry()
    registry.add(Member("gone", "h", 1), 0.0)
    registry.add(Member("replaced", "h", 1), 0.0)
    for node_id in ("gone", "replaced"):
        beat(registry, node_id, role=NodeRole.ROUTER)
    registry.remove("gone")
    registry.add(Member("replaced", "h", 1, incarnation=2), 0.0)
    assert collected(registry) == []


def test_visit_of_a_replaced_record_is_void() -> None:
    registry = Registry()
    earlier = registry.add(Member("a", "h", 1), 0.0)
    registry.add(Member("a", "h", 1, incarnation=2), 5.0)
    assert registry.visit(earlier, 100.0, PATIENCE) is None
    assert not registry.noted


def test_an_unknown_role_number_is_noted_as_unknown() -> None:
    registry = Registry()
    registry.add(Member("a", "h", 1, NodeRole.SHARD), 0.0)
    beat(registry, "a", role=99)
    assert collected(registry) == [Observation("a", 1, NodeState.HEALTHY, NodeRole.UNKNOWN)]


def test_published_version_never_goes_back() -> None:
    registry = Registry()
    registry.publish(TopologySnapshot(5))
    with pytest.raises(AssertionError, match="never goes back"):
        registry.publish(TopologySnapshot(4))


@pytest.mark.parametrize("stripes", [64, 4096])
def test_ids_spread_over_the_stripes(stripes: int) -> None:
    registry = Registry(stripes)
    for number in range(4 * stripes):
        registry.add(Member(f"node-{number}", "h", 1), 0.0)
    assert max(len(stripe.records) for stripe in registry._stripes) <= 16


def test_many_threads_share_the_registry() -> None:
    """Beats, joins, leaves, visits and collections from eight threads: nothing is lost, nothing deadlocks."""
    registry = Registry(4)
    steady = [f"steady-{number}" for number in range(50)]
    for node_id in steady:
        registry.add(Member(node_id, "h", 1, NodeRole.SHARD), 0.0)

    def churn(thread: int) -> int:
        refused = 0
        for turn in range(400):
            registry.add(Member(f"{thread}-{turn}", "h", 1), 0.0)
            registry.remove(f"{thread}-{turn - 1}")
            role = NodeRole.SHARD if turn % 2 else NodeRole.ROUTER
            beat(registry, steady[turn % 50], float(turn), role=role)
            try:
                beat(registry, f"{thread}-{turn - 1}")
            except NotFoundError:
                refused += 1
            if record := registry.find(steady[turn % 50]):
                registry.visit(record, float(turn), PATIENCE)
        return refused

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(churn, range(8))) == [400] * 8
    noted = list(registry.noted)
    assert len(noted) == len(set(noted)) <= 50
    assert {seen.id for seen in collected(registry)} == set(noted)
    assert all(registry.find(node_id) for node_id in steady)
