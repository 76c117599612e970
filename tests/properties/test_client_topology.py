"""Descriptions of the cluster on the client's side: deltas add up, and no difference goes untold."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from laura_fast.client.topology import ChangeKind, Topology, changes
from laura_fast.pb.laura.fast.v1.membership_pb2 import TopologyDelta
from laura_fast.pb.lauradb.cluster import cluster_pb2 as pb

NODES = st.builds(
    pb.Node,
    host=st.sampled_from(["g", "h"]),
    port=st.integers(1, 2),
    role=st.sampled_from([pb.SECONDARY, pb.ARBITER]),
    priority=st.integers(0, 1),
    tags=st.dictionaries(st.sampled_from("xy"), st.just("1"), max_size=2),
    state=st.sampled_from([pb.HEALTHY, pb.SUSPECT, pb.DOWN, pb.LEAVING]),
    incarnation=st.integers(1, 2),
)


@st.composite
def topologies(draw: st.DrawFn, version: int) -> Topology:
    nodes = draw(st.dictionaries(st.sampled_from("abcd"), NODES))
    for node_id, node in nodes.items():
        node.id = node_id
    return Topology.from_message(pb.ClusterTopology(version=version, nodes=nodes.values()))


@given(topologies(1), topologies(2))
def test_the_delta_between_two_versions_makes_the_second_of_the_first(first: Topology, second: Topology) -> None:
    upserted = [node for node_id, node in second.nodes.items() if first.nodes.get(node_id) != node]
    delta = TopologyDelta(from_version=1, upserted=upserted, removed_ids=first.nodes.keys() - second.nodes.keys())
    reached = first.applied(2, delta)
    assert reached == second
    assert list(reached.nodes) == sorted(second.nodes)


@given(topologies(1), topologies(2))
def test_exactly_the_nodes_that_differ_have_changes(first: Topology, second: Topology) -> None:
    every = {*first.nodes, *second.nodes}
    differ = {node_id for node_id in every if first.nodes.get(node_id) != second.nodes.get(node_id)}
    found = changes(first, second)
    assert {change.node.id for change in found} == differ
    for change in found:
        assert (change.before is None) == (change.kind is ChangeKind.JOINED)
        assert (change.kind is ChangeKind.LEFT) == (change.node.id not in second.nodes)
