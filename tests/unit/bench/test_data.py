"""The benchmark input is the same on every machine and of the shape that the contract allows."""

from __future__ import annotations

from bench import data
from bench.cluster import is_ack_with_topology, is_plain_ack
from laura_fast.pb.lauradb.cluster import cluster_pb2


def test_same_seed_same_nodes() -> None:
    assert data.nodes(50) == data.nodes(50)
    assert data.nodes(50) != data.nodes(50, seed=1)


def test_larger_cluster_begins_with_the_smaller_one() -> None:
    assert data.nodes(100)[:10] == data.nodes(10)


def test_ids_are_distinct() -> None:
    assert len({node.id for node in data.nodes(2_000)}) == 2_000


def test_beat_of_a_plain_client_has_no_known_version() -> None:
    """Absent and zero differ on the wire: only an absent one asks for LauraDB's own behaviour."""
    node = data.nodes(1)[0]
    assert not data.beat(node).HasField("known_topology_version")
    assert data.beat(node, known_version=0).HasField("known_topology_version")


def test_topology_is_sorted_and_has_its_primary() -> None:
    topology = data.topology(200)
    ids = [node.id for node in topology.nodes]
    assert ids == sorted(ids)
    assert topology.primary_id in ids


def test_answers_with_and_without_topology_are_told_apart_by_their_bytes() -> None:
    answer = cluster_pb2.HeartbeatResponse(ack=True, timestamp=data.EPOCH_MS)
    assert is_plain_ack(answer.SerializeToString())
    answer.topology.CopyFrom(data.topology(1))
    assert is_ack_with_topology(answer.SerializeToString())
    assert not is_plain_ack(answer.SerializeToString())
    assert not is_plain_ack(cluster_pb2.HeartbeatResponse().SerializeToString())
