"""The wire form of a topology's next version, one of 1,000 members changed: paid once per version."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from bench.compare.case import Case
from bench.members import members
from laura_fast.domain.membership.table import MemberTable
from laura_fast.domain.membership.topology import TopologySnapshot

NODES: Final = 1_000
VERSIONS: Final = 20


def prepare() -> Case:
    """A table, and a member that returns."""
    table, newcomer = MemberTable.of(members(NODES)), replace(members(1)[0], incarnation=2)
    size = len(TopologySnapshot(2, table.put(newcomer)).encoded)

    def work(versions: range) -> None:
        for version in versions:
            encoded = TopologySnapshot(version, table.put(newcomer)).encoded
            assert len(encoded) == size, "another topology"

    return Case(VERSIONS, lambda: range(2, VERSIONS + 2), work, lambda: {"wire bytes": float(size)})
