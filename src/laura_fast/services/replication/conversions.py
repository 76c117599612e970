"""Messages of the wire from and to what a member works with."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from laura_fast.domain.replication.members import BEGINNING, Position, Stamp
from laura_fast.node.replication.messages import Batch, Beat, Copied, Copy, Question, Reply, Report
from laura_fast.pb.laura.fast.v1 import outcome_pb2, replica_set_pb2
from laura_fast.pb.lauradb.cluster import replication_pb2
from laura_fast.services.replication.descriptions import (
    configuration,
    configuration_message,
    election,
    election_message,
    position,
    position_message,
)
from laura_fast.storage.documents import times
from laura_fast.storage.documents.oplog import OplogEntry

if TYPE_CHECKING:
    from laura_fast.pb.lauradb.cluster import common_pb2


def entry_message(entry: OplogEntry) -> replication_pb2.OplogEntry:
    """An entry for the wire."""
    return replication_pb2.OplogEntry(
        op_id=entry.op_id,
        timestamp=times.milliseconds(entry.time),
        namespace=entry.namespace,
        op_type=cast("common_pb2.OperationType.ValueType", entry.operation),
        document=entry.document,
        query=entry.query,
        update=entry.update,
        txn_id=entry.txn_id,
        term=entry.term,
        request_id=entry.request_id,
        commit_time=entry.time,
        txn_key=entry.txn_key,
        outcomes=[outcome_pb2.RequestOutcome(request_key=key, outcome=outcome) for key, outcome in entry.outcomes],
        more=entry.more,
    )


def entry(message: replication_pb2.OplogEntry) -> OplogEntry:
    """An entry from the wire. A sender that knows no commit times has milliseconds."""
    return OplogEntry(
        message.op_id,
        message.term,
        message.commit_time or times.at_ms(message.timestamp),
        message.op_type,
        message.namespace,
        message.document,
        message.query,
        message.update,
        message.request_id,
        message.txn_id,
        message.txn_key,
        tuple((each.request_key, each.outcome) for each in message.outcomes),
        message.more,
    )


def vote_request(question: Question) -> replication_pb2.VoteRequest:
    """A question for the wire."""
    last = question.last or BEGINNING
    return replication_pb2.VoteRequest(
        candidate_id=question.candidate,
        term=question.term,
        last_oplog_id=last.op_id,
        last_term=None if question.last is None else last.term,
        dry_run=question.dry_run,
        replica_set=question.replica_set,
        config_version=question.config_version,
        hand_off=question.hand_off,
        config_term=question.config_term,
        configuration=configuration_message(question.configuration) if question.configuration else None,
    )


def question(message: replication_pb2.VoteRequest) -> Question:
    """A question from the wire; LauraDB's own clients don't say the term of their last entry."""
    return Question(
        message.candidate_id,
        message.term,
        Position(message.last_term, message.last_oplog_id) if message.HasField("last_term") else None,
        message.replica_set,
        message.config_version,
        message.dry_run,
        message.hand_off,
        message.config_term,
        configuration(message.configuration) if message.HasField("configuration") else None,
    )


def reply(message: replication_pb2.VoteResponse) -> Reply:
    """A voter's answer from the wire."""
    newer = configuration(message.configuration) if message.HasField("configuration") else None
    return Reply(message.voter_id, message.term, message.vote_granted, newer)


def reply_message(reply: Reply) -> replication_pb2.VoteResponse:
    """A voter's answer for the wire."""
    newer = configuration_message(reply.configuration) if reply.configuration else None
    return replication_pb2.VoteResponse(
        vote_granted=reply.granted, term=reply.term, voter_id=reply.voter, configuration=newer
    )


def beat_message(replica_set: str, beat: Beat) -> replica_set_pb2.BeatRequest:
    """A beat for the wire."""
    return replica_set_pb2.BeatRequest(
        replica_set=replica_set,
        primary_id=beat.primary,
        term=beat.term,
        last=position_message(beat.last),
        commit_op_id=beat.commit,
        configuration=configuration_message(beat.configuration) if beat.configuration else None,
        election=election_message(beat.election) if beat.election else None,
    )


def beat(message: replica_set_pb2.BeatRequest) -> Beat:
    """A beat from the wire."""
    return Beat(
        message.primary_id,
        message.term,
        position(message.last),
        message.commit_op_id,
        election(message.election) if message.HasField("election") else None,
        configuration(message.configuration) if message.HasField("configuration") else None,
    )


def report_message(report: Report) -> replica_set_pb2.MemberReport:
    """A report for the wire, as the answer to a beat."""
    return replica_set_pb2.MemberReport(
        member_id=report.member,
        term=report.term,
        applied=position_message(report.applied),
        durable=position_message(report.durable),
        config_version=report.stamp.version if report.stamp else 0,
        config_term=report.stamp.term if report.stamp else 0,
        may_not_vote=not report.may_vote,
    )


def report(message: replica_set_pb2.MemberReport) -> Report:
    """The answer to a beat."""
    stamp = Stamp(message.config_term, message.config_version)
    applied, durable = position(message.applied), position(message.durable)
    return Report(message.member_id, message.term, applied, durable, stamp, not message.may_not_vote)


def acknowledgment(report: Report) -> replication_pb2.WriteAcknowledgment:
    """A report for the wire, as LauraDB's acknowledgement."""
    return replication_pb2.WriteAcknowledgment(
        node_id=report.member,
        oplog_id=report.applied.op_id,
        success=True,
        durable_oplog_id=report.durable.op_id,
        term=report.term,
        durable_term=report.durable.term,
    )


def acknowledged(message: replication_pb2.WriteAcknowledgment) -> Report:
    """A report from LauraDB's acknowledgement; one without a durable position counts for nothing on disk."""
    durable = Position(message.durable_term, message.durable_oplog_id)
    return Report(
        message.node_id, message.term, Position(message.durable_term or message.term, message.oplog_id), durable
    )


def batch(message: replication_pb2.ReplicationStreamResponse) -> Batch:
    """A batch from the wire."""
    entries, latest = tuple(map(entry, message.entries)), message.latest_oplog_id
    return Batch(message.leader_id, message.term, message.commit_oplog_id, latest, entries)


def batch_message(batch: Batch, *, more: bool) -> replication_pb2.ReplicationStreamResponse:
    """A batch for the wire."""
    return replication_pb2.ReplicationStreamResponse(
        entries=map(entry_message, batch.entries),
        latest_oplog_id=batch.latest,
        more_available=more,
        term=batch.term,
        commit_oplog_id=batch.commit,
        leader_id=batch.primary,
    )


def end_of(batch: Batch) -> Position | None:
    """Position of the last entry in a batch; None when it has none."""
    return Position(batch.entries[-1].term, batch.entries[-1].op_id) if batch.entries else None


def copy(message: replication_pb2.InitialSyncRequest) -> Copy:
    """A member's wish for a copy from the wire."""
    return Copy(message.replica_id, message.resume_after, tuple(message.collections))


def copied_message(copied: Copied) -> replication_pb2.InitialSyncResponse:
    """A part of a copy for the wire."""
    return replication_pb2.InitialSyncResponse(
        data_chunk=copied.pieces,
        complete=copied.complete,
        sync_point_oplog_id=copied.start,
        resume_token=copied.token,
        consistent_at=copied.seen.op_id if copied.complete else 0,
        sync_point=entry_message(copied.entry) if copied.entry else None,
        seen=position_message(copied.seen),
        documents=copied.documents,
    )


def copied(message: replication_pb2.InitialSyncResponse) -> Copied:
    """A part of a copy from the wire."""
    return Copied(
        message.sync_point_oplog_id,
        entry(message.sync_point) if message.HasField("sync_point") else None,
        position(message.seen),
        message.data_chunk,
        message.documents,
        message.resume_token,
        message.complete,
    )
