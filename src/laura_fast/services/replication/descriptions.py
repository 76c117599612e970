"""Messages that describe a replica set: who is in it, how far everybody is, who was elected and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

from laura_fast.config.members import parse_members
from laura_fast.domain.replication.history import ElectionRecord
from laura_fast.domain.replication.members import Configuration, Position, ReplicaMember
from laura_fast.domain.replication.reconfiguration import with_member, without_member
from laura_fast.errors import InvalidArgumentError
from laura_fast.limits.membership import MAX_NODE_ID_BYTES
from laura_fast.pb.laura.fast.v1 import replica_set_pb2

if TYPE_CHECKING:
    from laura_fast.node.replication.status import MemberStatus, SetStatus


def position_message(position: Position) -> replica_set_pb2.LogPosition:
    """A position for the wire."""
    return replica_set_pb2.LogPosition(term=position.term, op_id=position.op_id)


def position(message: replica_set_pb2.LogPosition) -> Position:
    """A position from the wire."""
    return Position(message.term, message.op_id)


def member_message(member: ReplicaMember) -> replica_set_pb2.ReplicaMember:
    """A member for the wire."""
    return replica_set_pb2.ReplicaMember(
        id=member.id,
        address=member.address,
        priority=member.priority,
        votes=member.votes,
        arbiter=member.arbiter,
        tags=dict(member.tags),
    )


def member(message: replica_set_pb2.ReplicaMember) -> ReplicaMember:
    """A member from the wire."""
    tags = dict(message.tags)
    return ReplicaMember(message.id, message.address, message.priority, message.votes, message.arbiter, tags)


def configuration_message(configuration: Configuration) -> replica_set_pb2.ReplicaSetConfiguration:
    """A configuration for the wire."""
    return replica_set_pb2.ReplicaSetConfiguration(
        name=configuration.name,
        version=configuration.version,
        members=map(member_message, configuration.members),
        term=configuration.term,
    )


def configuration(message: replica_set_pb2.ReplicaSetConfiguration) -> Configuration:
    """A configuration from the wire.

    Raises:
        InvalidArgumentError: BAD_REPLICA_SET: the members can't form a replica set.
    """
    return Configuration(message.name, message.version, tuple(map(member, message.members)), message.term)


def edited(configuration: Configuration, request: replica_set_pb2.ChangeReplicaSetRequest) -> Configuration:
    """What the request makes of a configuration.

    Raises:
        InvalidArgumentError: BAD_REPLICA_SET: no change, a bad id or address, or members that can't form a replica set.
        NotFoundError: NO_SUCH_MEMBER.
        FailedPreconditionError: ONE_VOTER_AT_A_TIME.
    """
    if request.WhichOneof("change") == "remove":
        return without_member(configuration, request.remove)
    wanted = member(request.put)
    try:
        [(member_id, address)] = parse_members(f"{wanted.id}={wanted.address}")
    except ValueError:
        raise InvalidArgumentError("a member has an id and an address, host:port", "BAD_REPLICA_SET") from None
    if (member_id, address) != (wanted.id, wanted.address) or len(member_id.encode()) > MAX_NODE_ID_BYTES:
        told = f"not an id of at most {MAX_NODE_ID_BYTES} bytes and an address: {wanted.id!r}, {wanted.address!r}"
        raise InvalidArgumentError(told, "BAD_REPLICA_SET")
    return with_member(configuration, wanted)


def election_message(record: ElectionRecord) -> replica_set_pb2.ReplicaSetElection:
    """An election for the wire."""
    return replica_set_pb2.ReplicaSetElection(
        term=record.term, primary_id=record.primary, at_ms=record.at_ms, reason=record.reason
    )


def election(message: replica_set_pb2.ReplicaSetElection) -> ElectionRecord:
    """An election from the wire."""
    return ElectionRecord(message.term, message.primary_id, message.at_ms, message.reason)


def status_message(status: SetStatus, now_ms: int) -> replica_set_pb2.ReplicaSetState:
    """What a member sees of its set, for the wire."""
    return replica_set_pb2.ReplicaSetState(
        observer_id=status.observer,
        observer_state=status.state,
        observed_at_ms=now_ms,
        configuration=configuration_message(status.configuration),
        configuration_committed=status.committed,
        term=status.term,
        primary_id=status.primary,
        commit_op_id=status.commit,
        members=map(_member_state, status.members),
        elections=map(election_message, status.elections),
    )


def _member_state(status: MemberStatus) -> replica_set_pb2.ReplicaMemberState:
    return replica_set_pb2.ReplicaMemberState(
        member=member_message(status.member),
        state=status.state,
        applied=position_message(status.applied) if status.applied else None,
        durable=position_message(status.durable) if status.durable else None,
        heard_ms_ago=None if status.heard_s_ago is None else round(status.heard_s_ago * 1000),
        lag_entries=status.lag,
        sync_progress=status.sync_progress,
    )
