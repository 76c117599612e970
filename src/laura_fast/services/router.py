"""`lauradb.cluster.RouterService` on one node: the whole cluster's data is here, in one shard."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from laura_fast.domain.documents.codec import decode
from laura_fast.errors import DeadlineError, UnavailableError
from laura_fast.node.database import concerns
from laura_fast.node.database.commands import (
    AggregateCommand,
    DeleteCommand,
    InsertCommand,
    InsertOutcome,
    Origin,
    QueryCommand,
    UpdateCommand,
    UpdateOutcome,
)
from laura_fast.node.database.names import namespace
from laura_fast.node.database.replication import HANDING_OVER
from laura_fast.pb.lauradb.cluster import routing_pb2
from laura_fast.services.identity import authenticated_peer
from laura_fast.services.reading import check_reading, concern, preference
from laura_fast.services.time_left import seconds_left

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from laura_fast.node.database.database import Database
    from laura_fast.node.ports import Clock
    from laura_fast.services.binding import Context
    from laura_fast.services.shard_map import HomeShard

    WriteRequest = routing_pb2.InsertRequest | routing_pb2.UpdateRequest | routing_pb2.DeleteRequest

CLUSTER_TIME: Final = "laura-cluster-time"
"""Trailer with the commit time of what was read or written: `after_time` of a read that must see it elsewhere."""
_INT32_MAX: Final = (1 << 31) - 1


class RouterServicer:
    """Answers the six methods from the database of this node."""

    def __init__(self, database: Database, home: HomeShard, clock: Clock, *, longest_s: float) -> None:
        """Prepares.

        Args:
            database: Of this node.
            home: The shard that all collections are in.
            clock: Measures how long queries take.
            longest_s: What any call may take; a caller's own deadline may be nearer.
        """
        self._database = database
        self._home = home
        self._clock = clock
        self._longest_s = longest_s

    async def Query(self, request: routing_pb2.QueryRequest, context: Context) -> routing_pb2.QueryResponse:  # noqa: N802 - the RPC's name
        started = self._clock.monotonic()
        at = await self._moment(request, context)
        page = await self._database.query(query_command(request, seconds_left(context, self._longest_s), at))
        self._tell_time(context, at)
        stats = routing_pb2.QueryStats(
            documents_examined=min(page.examined, _INT32_MAX),
            documents_returned=len(page.documents),
            execution_time_ms=int((self._clock.monotonic() - started) * 1000),
            shards_queried=[self._home.shard_id],
        )
        return routing_pb2.QueryResponse(
            request_id=request.request_id,
            documents=page.documents,
            more_available=bool(page.cursor_id),
            cursor_id=page.cursor_id,
            stats=stats,
        )

    async def Insert(self, request: routing_pb2.InsertRequest, context: Context) -> bytes:  # noqa: N802 - the RPC's name
        await self._admit(request)
        command = InsertCommand(
            namespace(request.database, request.collection), tuple(request.documents), request.ordered
        )

        def respond(outcome: InsertOutcome) -> bytes:
            return routing_pb2.InsertResponse(
                request_id=request.request_id,
                inserted_count=len(outcome.inserted_ids),
                errors=[routing_pb2.InsertError(index=place, error=text) for place, text in outcome.errors],
                inserted_ids=outcome.inserted_ids,
            ).SerializeToString()

        return await self._settled(request, context, self._database.insert(command, _origin(request, context), respond))

    async def Update(self, request: routing_pb2.UpdateRequest, context: Context) -> bytes:  # noqa: N802 - the RPC's name
        await self._admit(request)
        place = namespace(request.database, request.collection)
        command = UpdateCommand(place, request.query, request.update, request.multi, request.upsert)

        def respond(outcome: UpdateOutcome) -> bytes:
            return routing_pb2.UpdateResponse(
                request_id=request.request_id,
                matched_count=outcome.matched,
                modified_count=outcome.modified,
                upserted_count=int(bool(outcome.upserted_id)),
                upserted_id=outcome.upserted_id,
            ).SerializeToString()

        origin, seconds = _origin(request, context), seconds_left(context, self._longest_s)
        return await self._settled(request, context, self._database.update(command, origin, seconds, respond))

    async def Delete(self, request: routing_pb2.DeleteRequest, context: Context) -> bytes:  # noqa: N802 - the RPC's name
        await self._admit(request)
        command = DeleteCommand(namespace(request.database, request.collection), request.query, request.multi)

        def respond(deleted: int) -> bytes:
            return routing_pb2.DeleteResponse(request_id=request.request_id, deleted_count=deleted).SerializeToString()

        origin, seconds = _origin(request, context), seconds_left(context, self._longest_s)
        return await self._settled(request, context, self._database.delete(command, origin, seconds, respond))

    async def Aggregate(  # noqa: N802 - the RPC's name
        self, request: routing_pb2.AggregationRequest, context: Context
    ) -> routing_pb2.AggregationResponse:
        at = await self._moment(request, context)
        command = aggregate_command(request, seconds_left(context, self._longest_s), at)
        results = await self._database.aggregate(command)
        self._tell_time(context, at)
        return routing_pb2.AggregationResponse(request_id=request.request_id, results=results)

    async def GetShardMap(  # noqa: N802 - the RPC's name
        self,
        request: routing_pb2.GetShardMapRequest,
        context: Context,  # noqa: ARG002 - the form of every behaviour
    ) -> routing_pb2.GetShardMapResponse:
        place = namespace(request.database, request.collection)
        known = self._database.has_database(request.database)
        return self._home.shard_map(place, request.version, known=known)

    async def _moment(
        self, request: routing_pb2.QueryRequest | routing_pb2.AggregationRequest, context: Context
    ) -> int | None:
        """The commit time to read at; raises RpcError where this node may not answer, or can't in time."""
        self._database.replication.check_read(preference(request))
        return await self._database.moment(concern(request), request.after_time, seconds_left(context, self._longest_s))

    def _tell_time(self, context: Context, at: int | None = None) -> None:
        """In the trailers, so that the answer to a repeated request is the same message."""
        if time := self._database.replication.told_time(at):
            context.set_trailing_metadata(((CLUSTER_TIME, str(time)),))

    async def _admit(self, request: WriteRequest) -> None:
        """Refuses a write that this node can't make; while the lead is handed over it waits to tell the successor."""
        concerns.check_no_transaction(request.txn_id)
        await self._database.replication.lead_known()
        self._database.replication.check_write(_concern(request))

    async def _written(self, request: WriteRequest, write: Awaitable[bytes]) -> bytes:
        """The write's answer, before it is safe; one that a hand-over held back is told where to go."""
        try:
            return await write
        except UnavailableError as error:
            if error.reason == HANDING_OVER:
                await self._admit(request)
            raise

    async def _settled(self, request: WriteRequest, context: Context, write: Awaitable[bytes]) -> bytes:
        """The write's answer, once its concern is reached, within the caller's `wtimeout_ms`; else the write goes on.

        Raises:
            DeadlineError: WRITE_CONCERN_TIMEOUT.
            UnavailableError: OUTCOME_UNKNOWN.
        """
        wanted = _concern(request)
        longest_ms = min(wanted.wtimeout_ms, concerns.LONGEST_WTIMEOUT_MS)
        try:
            async with asyncio.timeout(longest_ms / 1000 if longest_ms else None):
                answer = await self._written(request, write)
                await self._database.replication.settle(wanted)
                self._tell_time(context)
                return answer
        except TimeoutError:
            text = f"the write was not safe within {longest_ms} ms; repeat its request_id to learn its outcome"
            raise DeadlineError(text, "WRITE_CONCERN_TIMEOUT") from None


def query_command(request: routing_pb2.QueryRequest, seconds: float | None, at: int | None = None) -> QueryCommand:
    """What is asked for.

    Raises:
        RpcError: A name, number or option that can't be.
    """
    check_reading(request)
    if request.shard_key:
        decode(request.shard_key)  # with one shard, a hint has nowhere else to lead; it still has to be one
    return QueryCommand(
        namespace(request.database, request.collection),
        request.query,
        request.projection,
        request.sort,
        request.limit,
        request.skip,
        request.cursor_id,
        request.batch_size,
        request.max_examined,
        seconds,
        at,
    )


def aggregate_command(
    request: routing_pb2.AggregationRequest, seconds: float | None, at: int | None = None
) -> AggregateCommand:
    """What is asked for.

    Raises:
        RpcError: A name, number or option that can't be.
    """
    check_reading(request)
    place = namespace(request.database, request.collection)
    return AggregateCommand(place, tuple(request.pipeline), request.max_examined, seconds, at)


def _origin(request: WriteRequest, context: Context) -> Origin:
    return Origin(request.client_id or authenticated_peer(context), request.request_id)


def _concern(request: WriteRequest) -> concerns.WriteConcern:
    return concerns.WriteConcern(request.write_concern.w, request.write_concern.wtimeout_ms)
