"""Membership values to and from protobuf, and the answers that are joined from cached bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from laura_fast.domain.membership import encoding
from laura_fast.domain.membership.topology import TopologySnapshot
from laura_fast.domain.membership.values import Member, Registration
from laura_fast.pb.lauradb.cluster import cluster_pb2

if TYPE_CHECKING:
    from laura_fast.domain.membership.topology import TopologyDelta
    from laura_fast.node.membership import RegistrationOutcome


def node_message(member: Member) -> cluster_pb2.Node:
    """A member as it is shown to others."""
    return cluster_pb2.Node(
        id=member.id,
        host=member.host,
        port=member.port,
        role=cast("cluster_pb2.NodeRole.ValueType", int(member.role)),
        priority=member.priority,
        tags=member.tags,
        state=cast("cluster_pb2.NodeState.ValueType", int(member.state)),
        incarnation=member.incarnation,
    )


def encode_node(member: Member) -> bytes:
    """`lauradb.cluster.Node`; the same bytes for the same member."""
    return node_message(member).SerializeToString(deterministic=True)


def registration_of(request: cluster_pb2.NodeRegistrationRequest) -> Registration:
    """The wish in a request. What is wrong with it, membership will say."""
    node = request.node
    return Registration(
        node_id=node.id,
        host=node.host,
        port=node.port,
        role=node.role,
        priority=node.priority,
        tags=dict(node.tags),
        take_over=request.take_over,
    )


def heartbeat_answer(now_ms: int) -> bytes:
    """`HeartbeatResponse`: acknowledged, and the server's time."""
    return b"\x08\x01" + encoding.integer(b"\x10", now_ms)


def with_topology(answer: bytes, topology: TopologySnapshot) -> bytes:
    """A `HeartbeatResponse` for a node that lacks this topology."""
    return b"".join((answer, *encoding.message(b"\x1a", topology.pieces)))


def registration_answer(outcome: RegistrationOutcome, *, omit_members: bool) -> bytes:
    """`NodeRegistrationResponse`. A refused node is shown the holder of its id instead of all members."""
    member = outcome.member
    pieces = [encoding.integer(b"\x08", outcome.success), encoding.text(b"\x12", outcome.message)]
    if not omit_members:
        pieces += _shown_members(outcome)
        pieces += encoding.message(b"\x22", outcome.topology.pieces)
    if outcome.success and member:
        pieces.append(encoding.integer(b"\xa0\x06", member.incarnation))
    return b"".join(pieces)


def _shown_members(outcome: RegistrationOutcome) -> list[bytes]:
    if outcome.success:
        return outcome.topology.table.pieces(b"\x1a")
    return [encoding.repeated(b"\x1a", [outcome.member.entry])] if outcome.member else []


def topology_event(news: TopologySnapshot | TopologyDelta) -> bytes:
    """`laura.fast.v1.TopologyEvent`."""
    tag = b"\x12" if isinstance(news, TopologySnapshot) else b"\x1a"
    return b"".join((encoding.integer(b"\x08", news.version), *encoding.message(tag, news.pieces)))
