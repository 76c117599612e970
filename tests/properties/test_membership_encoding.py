"""Every answer that is joined from bytes equals what protobuf makes of the same values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hypothesis import given
from hypothesis import strategies as st

from laura_fast.domain.membership.encoding import varint
from laura_fast.node.membership import RegistrationOutcome
from laura_fast.pb.laura.fast.v1 import membership_pb2
from laura_fast.pb.lauradb.cluster import cluster_pb2, common_pb2
from laura_fast.services import nodes
from tests.properties.membership_values import DELTAS, INT64, MEMBERS, TEXT, TOPOLOGIES

if TYPE_CHECKING:
    from laura_fast.domain.membership.topology import TopologyDelta, TopologySnapshot
    from laura_fast.domain.membership.values import Member, ReplicaSet, Shard


def own(message: Any) -> bytes:
    return bytes(message.SerializeToString(deterministic=True))


def replica_set(each: ReplicaSet) -> cluster_pb2.ReplicaSet:
    return cluster_pb2.ReplicaSet(id=each.id, node_ids=each.node_ids, primary_id=each.primary_id, term=each.term)


def shard(each: Shard) -> cluster_pb2.ShardInfo:
    chunks = [common_pb2.ChunkRange(chunk_id=c.id, min_key=c.min_key, max_key=c.max_key) for c in each.chunks]
    return cluster_pb2.ShardInfo(shard_id=each.id, node_id=each.node_id, chunks=chunks)


def topology_message(topology: TopologySnapshot) -> cluster_pb2.ClusterTopology:
    return cluster_pb2.ClusterTopology(
        version=topology.version,
        nodes=map(nodes.node_message, topology.members),
        primary_id=topology.primary_id,
        replica_sets=map(replica_set, topology.replica_sets),
        shards=map(shard, topology.shards),
    )


@given(INT64)
def test_varint_is_protobufs(number: int) -> None:
    written = own(cluster_pb2.HeartbeatResponse(timestamp=number))
    assert written == (b"\x10" + varint(number) if number else b"")


@given(TOPOLOGIES)
def test_topology(topology: TopologySnapshot) -> None:
    assert topology.encoded == own(topology_message(topology))


@given(INT64, TOPOLOGIES, st.booleans())
def test_heartbeat_answer(now_ms: int, topology: TopologySnapshot, attached: bool) -> None:
    message = cluster_pb2.HeartbeatResponse(ack=True, timestamp=now_ms)
    answer = nodes.heartbeat_answer(now_ms)
    if attached:
        message.topology.CopyFrom(topology_message(topology))
        answer = nodes.with_topology(answer, topology)
    assert answer == own(message)


@given(TOPOLOGIES, TEXT, MEMBERS, st.booleans())
def test_accepted_registration(topology: TopologySnapshot, message: str, member: Member, omit: bool) -> None:
    expected = cluster_pb2.NodeRegistrationResponse(success=True, message=message, incarnation=member.incarnation)
    if not omit:
        expected.cluster_nodes.extend(map(nodes.node_message, topology.members))
        expected.topology.CopyFrom(topology_message(topology))
    outcome = RegistrationOutcome(True, message, member, topology)
    assert nodes.registration_answer(outcome, omit_members=omit) == own(expected)


@given(TOPOLOGIES, TEXT, st.none() | MEMBERS)
def test_refused_registration(topology: TopologySnapshot, message: str, holder: Member | None) -> None:
    expected = cluster_pb2.NodeRegistrationResponse(message=message, topology=topology_message(topology))
    if holder:
        expected.cluster_nodes.append(nodes.node_message(holder))
    outcome = RegistrationOutcome(False, message, holder, topology)
    assert nodes.registration_answer(outcome, omit_members=False) == own(expected)


@given(TOPOLOGIES)
def test_snapshot_event(topology: TopologySnapshot) -> None:
    expected = membership_pb2.TopologyEvent(version=topology.version, snapshot=topology_message(topology))
    assert nodes.topology_event(topology) == own(expected)


@given(DELTAS)
def test_delta_event(delta: TopologyDelta) -> None:
    message = membership_pb2.TopologyDelta(
        from_version=delta.version - 1,
        upserted=map(nodes.node_message, delta.upserted),
        removed_ids=delta.removed_ids,
        primary_id=delta.primary_id,
        replica_sets=map(replica_set, delta.replica_sets),
        shards=map(shard, delta.shards),
    )
    assert nodes.topology_event(delta) == own(membership_pb2.TopologyEvent(version=delta.version, delta=message))
