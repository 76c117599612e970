"""Descriptions of the cluster, and what changed between two of them."""

from __future__ import annotations

from typing import Any

import pytest

from laura_fast.client.topology import ChangeKind, Topology, changes
from laura_fast.pb.laura.fast.v1.membership_pb2 import TopologyDelta
from laura_fast.pb.lauradb.cluster import cluster_pb2 as pb


def node(
    node_id: str = "a", state: pb.NodeState.ValueType = pb.HEALTHY, incarnation: int = 1, **fields: Any
) -> pb.Node:
    return pb.Node(id=node_id, host="h", port=1, state=state, incarnation=incarnation, **fields)


def topology(*nodes: pb.Node, version: int = 1, primary_id: str = "") -> Topology:
    return Topology.from_message(pb.ClusterTopology(version=version, nodes=nodes, primary_id=primary_id))


def test_a_delta_makes_the_next_version_and_leaves_the_last_as_it_was() -> None:
    first = topology(node("a"), node("c"))
    delta = TopologyDelta(
        from_version=1, upserted=[node("b"), node("c", pb.DOWN)], removed_ids=["a", "x"], primary_id="b"
    )
    second = first.applied(2, delta)
    assert (second.version, list(second.nodes), second.primary_id) == (2, ["b", "c"], "b")
    assert second.nodes["c"].state == pb.DOWN
    assert (first.version, list(first.nodes), first.nodes["c"].state) == (1, ["a", "c"], pb.HEALTHY)


@pytest.mark.parametrize(
    ("before", "after", "kinds"),
    [
        (node(), node(), []),
        (None, node(), [ChangeKind.JOINED]),
        (node(), None, [ChangeKind.LEFT]),
        (node(), node(state=pb.SUSPECT), [ChangeKind.SUSPECT]),
        (node(state=pb.SUSPECT), node(state=pb.DOWN), [ChangeKind.DOWN]),
        (node(state=pb.DOWN), node(), [ChangeKind.BACK]),
        (node(state=pb.DOWN), node(incarnation=2), [ChangeKind.BACK]),
        (node(), node(state=pb.LEAVING), [ChangeKind.LEAVING]),
        (node(), node(incarnation=2), [ChangeKind.RESTARTED]),
        (node(), node(role=pb.ARBITER), [ChangeKind.ROLE]),
        (node(), node(tags={"zone": "1"}), [ChangeKind.UPDATED]),
        (node(), node(incarnation=2, role=pb.ARBITER, priority=3), ["restarted", "role", "updated"]),
    ],
)
def test_each_change_of_a_node_has_its_kind(before: pb.Node | None, after: pb.Node | None, kinds: list[str]) -> None:
    old = topology(*([before] if before else []))
    new = topology(*([after] if after else []), version=2)
    found = changes(old, new)
    assert [change.kind for change in found] == kinds
    assert all((change.version, change.node.id) == (2, "a") for change in found)


def test_changes_come_in_the_order_of_ids_and_the_primary_last() -> None:
    old = topology(node("b"), primary_id="b")
    new = topology(node("a"), node("c"), primary_id="c", version=4)
    assert [(change.kind, change.node.id) for change in changes(old, new)] == [
        ("joined", "a"),
        ("left", "b"),
        ("joined", "c"),
        ("primary", "c"),
    ]
