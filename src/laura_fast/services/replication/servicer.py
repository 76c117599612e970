"""`lauradb.cluster.ReplicationService` and `laura.fast.v1.ReplicaSetService`: what a member answers to others."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from laura_fast.domain.replication.members import Position
from laura_fast.errors import DeadlineError, FailedPreconditionError, OverloadedError, RpcError, UnavailableError
from laura_fast.node.replication.messages import Fetch
from laura_fast.observability import log
from laura_fast.pb.laura.fast.v1 import replica_set_pb2
from laura_fast.pb.lauradb.cluster import replication_pb2
from laura_fast.services.replication import conversions, copies, descriptions
from laura_fast.services.time_left import seconds_left

_log = log.get("laura_fast.replication")

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from laura_fast.domain.replication.members import Configuration
    from laura_fast.node.ports import Clock
    from laura_fast.node.replication.driver import ReplicaSet
    from laura_fast.node.replication.pushing import Pushes
    from laura_fast.services.binding import Context
    from laura_fast.services.replication.access import Anybody


class ReplicationServicer:
    """Votes, the log and acknowledgements of one member."""

    def __init__(
        self,
        member: ReplicaSet,
        pushes: Pushes,
        *,
        keep_alive_s: float,
        access: Anybody,
    ) -> None:
        """Prepares.

        Args:
            member: This node's part in the set.
            pushes: Takes entries that are brought.
            keep_alive_s: A stream that follows brings something this often.
            access: Says who may speak as a member.
        """
        self._member = member
        self._pushes = pushes
        self._keep_alive_s = keep_alive_s
        self._access = access
        self._require_identity = access.speaks_for

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
        if not told.success:
            _log.warning("replica_failed", replica=told.node_id, op_id=told.oplog_id, error=told.error)
            return False
        accepted = await self._member.acknowledge(conversions.acknowledged(told))
        if not accepted:
            _log.warning("acknowledgement_refused", replica=told.node_id, op_id=told.oplog_id)
        return accepted

    async def AppendOplog(self, request: Any, context: Context) -> Any:  # noqa: N802 - named like the RPC
        self._access.is_member(context)
        try:
            op_id = await self._pushes.take(conversions.entry(request), seconds_left(context, self._keep_alive_s))
        except (UnavailableError, OverloadedError):
            raise  # another time it may work: a client asks again
        except RpcError as error:
            return replication_pb2.AppendOplogResponse(success=False, error=error.message)
        except TimeoutError:
            told = f"op {request.op_id} has not come from the primary yet"
            return replication_pb2.AppendOplogResponse(success=False, error=told)
        return replication_pb2.AppendOplogResponse(success=True, oplog_id=op_id)

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

    async def InitialSync(self, request: Any, context: Context) -> AsyncIterator[Any]:  # noqa: N802 - named like the RPC
        self._require_identity(context, request.replica_id)
        async for part in copies.served(self._member, conversions.copy(request)):
            yield part


class ReplicaSetServicer:
    """Beats, hand-overs and the state of one member."""

    def __init__(
        self,
        name: str,
        member: ReplicaSet,
        clock: Clock,
        *,
        longest_s: float,
        access: Anybody,
    ) -> None:
        """Prepares.

        Args:
            name: Of the set.
            member: This node's part in it.
            clock: For the time of a view.
            longest_s: What a change may take.
            access: Says who may speak as a member.
        """
        self._name = name
        self._longest_s = longest_s
        self._member = member
        self._clock = clock
        self._access = access
        self._require_identity = access.speaks_for

    async def Beat(self, request: Any, context: Context) -> Any:  # noqa: N802 - named like the RPC
        self._check_set(request)
        self._require_identity(context, request.primary_id)
        return conversions.report_message(await self._member.beat(conversions.beat(request)))

    async def Greet(self, request: Any, _context: Context) -> Any:  # noqa: N802 - named like the RPC
        self._check_set(request)
        return conversions.report_message(await self._member.greet())

    async def GetReplicaSet(self, _request: Any, _context: Any) -> Any:  # noqa: N802 - named like the RPC
        return descriptions.status_message(self._member.status(), self._clock.wall_ms())

    async def ChangeReplicaSet(self, request: Any, context: Context) -> Any:  # noqa: N802 - named like the RPC
        self._check_set(request)

        def edit(configuration: Configuration) -> Configuration:
            if request.expected_version not in (0, configuration.version):
                told = f"the configuration is at version {configuration.version}, not {request.expected_version}"
                raise FailedPreconditionError(told, "VERSION_MISMATCH")
            return descriptions.edited(configuration, request)

        try:
            async with asyncio.timeout(seconds_left(context, self._longest_s)):
                after = await self._member.reconfigure(edit)
        except TimeoutError:
            told = "the change was made, but no majority has it yet; ask GetReplicaSet for configuration_committed"
            raise DeadlineError(told, "CHANGE_PENDING") from None
        return replica_set_pb2.ChangeReplicaSetResponse(configuration=descriptions.configuration_message(after))

    async def HandOff(self, request: Any, context: Context) -> Any:  # noqa: N802 - named like the RPC
        self._check_set(request)
        self._access.is_member(context)
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
