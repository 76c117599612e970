"""`lauradb.cluster.ReplicationService` and `laura.fast.v1.ReplicaSetService`: what a member answers to others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from laura_fast.domain.replication.members import Position
from laura_fast.errors import FailedPreconditionError
from laura_fast.node.replication.messages import Fetch
from laura_fast.pb.laura.fast.v1 import replica_set_pb2
from laura_fast.pb.lauradb.cluster import replication_pb2
from laura_fast.services.replication import conversions, descriptions

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from laura_fast.node.ports import Clock
    from laura_fast.node.replication.driver import ReplicaSet
    from laura_fast.services.binding import Context


class ReplicationServicer:
    """Votes, the log and acknowledgements of one member."""

    def __init__(
        self, member: ReplicaSet, *, keep_alive_s: float, require_identity: Callable[[Context, str], None]
    ) -> None:
        """Prepares.

        Args:
            member: This node's part in the set.
            keep_alive_s: A stream that follows brings something this often.
            require_identity: Raises PermissionDeniedError if the caller may not speak for a node id.
        """
        self._member = member
        self._keep_alive_s = keep_alive_s
        self._require_identity = require_identity

    async def RequestVote(self, request: Any, context: Context) -> Any:  # noqa: N802 - named like the RPC
        self._require_identity(context, request.candidate_id)
        return conversions.reply_message(await self._member.vote(conversions.question(request)))

    async def AcknowledgeWrite(self, request: Any, context: Context) -> Any:  # noqa: N802 - named like the RPC
        accepted = 0
        for told in request.acks:
            self._require_identity(context, told.node_id)
            accepted += await self._accept(told)
        every = accepted == len(request.acks)
        return replication_pb2.WriteAcknowledgmentResponse(all_acknowledged=every, ack_count=accepted)

    async def _accept(self, told: replication_pb2.WriteAcknowledgment) -> bool:
        return told.success and await self._member.acknowledge(conversions.acknowledged(told))

    async def StreamOplog(self, request: Any, context: Context) -> AsyncIterator[Any]:  # noqa: N802 - named like the RPC
        self._require_identity(context, request.replica_id)
        last = Position(request.last_term, max(request.start_oplog_id, 1) - 1)
        while True:
            batch = await self._member.fetch(
                Fetch(request.replica_id, last, self._keep_alive_s if request.follow else 0)
            )
            last = conversions.end_of(batch) or last
            more = last.op_id < batch.latest
            yield conversions.batch_message(batch, more=more)
            if not more and not request.follow:
                return


class ReplicaSetServicer:
    """Beats, hand-overs and the state of one member."""

    def __init__(
        self, name: str, member: ReplicaSet, clock: Clock, *, require_identity: Callable[[Context, str], None]
    ) -> None:
        self._name = name
        self._member = member
        self._clock = clock
        self._require_identity = require_identity

    async def Beat(self, request: Any, context: Context) -> Any:  # noqa: N802 - named like the RPC
        self._check_set(request)
        self._require_identity(context, request.primary_id)
        return conversions.report_message(await self._member.beat(conversions.beat(request)))

    async def GetReplicaSet(self, _request: Any, _context: Any) -> Any:  # noqa: N802 - named like the RPC
        return descriptions.status_message(self._member.status(), self._clock.wall_ms())

    async def HandOff(self, request: Any, _context: Context) -> Any:  # noqa: N802 - named like the RPC
        self._check_set(request)
        await self._member.run_now(request.term, request.reason or "hand-over")
        return replica_set_pb2.HandOffResponse()

    async def RequestHandOff(self, request: Any, context: Context) -> Any:  # noqa: N802 - named like the RPC
        self._check_set(request)
        self._require_identity(context, request.successor_id)
        await self._member.hand_over(request.successor_id)
        return replica_set_pb2.RequestHandOffResponse()

    def _check_set(self, request: Any) -> None:
        if request.replica_set != self._name:
            told = f"this is a member of {self._name!r}, not of {request.replica_set!r}"
            raise FailedPreconditionError(told, "OTHER_REPLICA_SET")
