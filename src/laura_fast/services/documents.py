"""`laura.fast.v1.DocumentService`: collections, indexes, and what a query would do."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING

from laura_fast.domain.documents.codec import decode, encode
from laura_fast.errors import InvalidArgumentError, UnimplementedError
from laura_fast.node.database.names import check_database, namespace, parts
from laura_fast.pb.laura.fast.v1 import documents_pb2 as pb
from laura_fast.services.router import aggregate_command, query_command
from laura_fast.services.time_left import seconds_left

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from laura_fast.node.database.collections import CollectionStatus, IndexStatus
    from laura_fast.node.database.database import Database
    from laura_fast.services.binding import Context
    from laura_fast.storage.documents.verification.report import Report


class DocumentServicer:
    """What LauraDB's RouterService has no method for, of the database of this node."""

    def __init__(self, database: Database, *, longest_s: float) -> None:
        """Prepares.

        Args:
            database: Of this node.
            longest_s: What any call may take; a caller's own deadline may be nearer.
        """
        self._database = database
        self._longest_s = longest_s

    async def ListCollections(self, request: pb.ListCollectionsRequest, context: Context) -> pb.ListCollectionsResponse:  # noqa: N802 - the RPC's name
        if request.database:
            check_database(request.database)
        budget = self._database.budget(seconds_left(context, self._longest_s))
        found = await self._database.collections.statuses(request.database, budget, counted=not request.without_counts)
        return pb.ListCollectionsResponse(collections=map(_collection, found))

    async def CreateCollection(  # noqa: N802 - the RPC's name
        self,
        request: pb.CreateCollectionRequest,
        context: Context,  # noqa: ARG002 - the form of every behaviour
    ) -> pb.CreateCollectionResponse:
        created = await self._database.collections.create(namespace(request.database, request.collection))
        return pb.CreateCollectionResponse(created=created)

    async def DropCollection(  # noqa: N802 - the RPC's name
        self,
        request: pb.DropCollectionRequest,
        context: Context,  # noqa: ARG002 - the form of every behaviour
    ) -> pb.DropCollectionResponse:
        dropped = await self._database.collections.drop(namespace(request.database, request.collection))
        return pb.DropCollectionResponse(dropped=dropped)

    async def ListIndexes(  # noqa: N802 - the RPC's name
        self,
        request: pb.ListIndexesRequest,
        context: Context,  # noqa: ARG002 - the form of every behaviour
    ) -> pb.ListIndexesResponse:
        found = self._database.collections.indexes(namespace(request.database, request.collection))
        return pb.ListIndexesResponse(indexes=map(_index, found))

    async def Explain(self, request: pb.ExplainRequest, context: Context) -> pb.ExplainResponse:  # noqa: N802 - the RPC's name
        seconds = seconds_left(context, self._longest_s)
        match request.WhichOneof("request"):
            case "query":
                query = query_command(request.query, seconds)
                told = await self._database.explain_query(query, execute=request.execute)
            case "aggregation":
                aggregate = aggregate_command(request.aggregation, seconds)
                told = await self._database.explain_aggregate(aggregate, execute=request.execute)
            case _:
                raise InvalidArgumentError("nothing to explain: query or aggregation must be set", "NOTHING_TO_EXPLAIN")
        return pb.ExplainResponse(explanation=encode(told))

    async def Verify(  # noqa: N802 - the RPC's name
        self,
        request: pb.VerifyRequest,
        context: Context,  # noqa: ARG002 - the form of every behaviour
    ) -> AsyncGenerator[pb.VerifyResponse, None]:
        if request.database or request.collection:
            text = (
                "verification of one collection is not built; leave database and collection empty to verify everything"
            )
            raise UnimplementedError(text, "NOT_BUILT")
        async with aclosing(self._database.verifications.run()) as reports:
            async for report in reports:
                yield _verification(report)

    async def CreateIndex(  # noqa: N802 - the RPC's name
        self,
        request: pb.CreateIndexRequest,
        context: Context,  # noqa: ARG002 - the form of every behaviour
    ) -> pb.CreateIndexResponse:
        place = namespace(request.database, request.collection)
        name, created, documents = await self._database.index_builds.create(place, decode(request.definition))
        return pb.CreateIndexResponse(name=name, created=created, documents=documents)

    async def DropIndex(  # noqa: N802 - the RPC's name
        self,
        request: pb.DropIndexRequest,
        context: Context,  # noqa: ARG002 - the form of every behaviour
    ) -> pb.DropIndexResponse:
        place = namespace(request.database, request.collection)
        return pb.DropIndexResponse(dropped=await self._database.collections.drop_index(place, request.name))


def _collection(status: CollectionStatus) -> pb.CollectionInfo:
    database, collection = parts(status.namespace)
    return pb.CollectionInfo(
        database=database, collection=collection, documents=status.documents, indexes=status.indexes
    )


def _verification(report: Report) -> pb.VerifyResponse:
    problems = [*report.findings, f"and {report.more} more"] if report.more else report.findings
    return pb.VerifyResponse(
        complete=report.finished,
        documents_checked=report.documents,
        index_entries_checked=report.entries,
        oplog_entries_checked=report.oplog,
        problems=problems if report.finished else (),
    )


def _index(status: IndexStatus) -> pb.IndexInfo:
    return pb.IndexInfo(
        name=status.definition["name"],
        definition=encode(status.definition),
        state=pb.IndexState.READY if status.ready else pb.IndexState.BUILDING,
        multikey=status.multikey,
    )
