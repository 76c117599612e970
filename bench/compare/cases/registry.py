"""A full beat in the striped registry, of a node that holds the topology."""

from __future__ import annotations

from typing import Final

from bench import data
from bench.compare.case import Case
from laura_fast.domain.membership.values import Member
from laura_fast.node.registry import Registry

NODES: Final = 1_000
REPORT: Final = data.beat(data.nodes(1)[0]).SerializeToString()


def prepare() -> Case:
    """A registry that expects beats of all."""
    members = [Member(node.id, node.host, node.port) for node in data.nodes(NODES)]
    registry = Registry(64)
    for member in members:
        registry.add(member, 0.0)
    ids = [member.id for member in members]

    def work(beating: list[str]) -> None:
        beat, answered = registry.heartbeat, 0
        for node_id in beating:
            answered += beat(node_id, 1, 2, REPORT, 0, 1, 1.0) is None
        assert answered == NODES, "a beat was answered with a topology"

    work(ids)
    return Case(NODES, lambda: ids, work)
