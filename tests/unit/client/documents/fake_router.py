"""A router in memory: what a client of documents can tell from a real one, with faults on order."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from typing import TYPE_CHECKING, Any

import grpc

from laura_fast.client.documents.codec import decode, encode
from laura_fast.errors import InvalidArgumentError, RpcError
from laura_fast.pb.laura.fast.v1 import documents_pb2 as admin_pb
from laura_fast.pb.lauradb.cluster import routing_pb2 as pb
from laura_fast.services.binding import bind

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from typing import Self

Filter = dict[str, Any]


class FakeRouter:
    """Collections are lists of BSON in the order of insertion; filters know equality and `$in`.

    Attributes:
        page: Documents of one page.
        before: Errors that the next calls meet before anything is done.
        after: Errors that answer the next writes instead of their answer: done, but the answer is lost.
        pipeline_s: How long a pipeline takes.
        explanation: What every explanation is.
        problems: What a verification finds.
    """

    def __init__(self, page: int = 1000) -> None:
        self.page = page
        self.collections: dict[str, list[bytes]] = {}
        self.indexes: dict[str, dict[str, bytes]] = {}
        self.requests: list[Any] = []
        self.counts: Counter[str] = Counter()
        self.before: deque[RpcError] = deque()
        self.after: deque[RpcError] = deque()
        self.pipeline_s = 0.0
        self.explanation: dict[str, Any] = {}
        self.problems: list[str] = []
        self.port = 0
        self._ledger: dict[tuple[str, str, str], Any] = {}
        self._server: grpc.aio.Server | None = None

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    async def start(self) -> Self:
        limits = [("grpc.max_receive_message_length", -1), ("grpc.so_reuseport", 0)]
        self._server = grpc.aio.server(options=limits)
        router = pb.DESCRIPTOR.services_by_name["RouterService"]
        documents = admin_pb.DESCRIPTOR.services_by_name["DocumentService"]
        self._server.add_generic_rpc_handlers([bind(router, self), bind(documents, self)])
        self.port = self._server.add_insecure_port(f"127.0.0.1:{self.port}")
        await self._server.start()
        return self

    async def stop(self) -> None:
        if self._server:
            await self._server.stop(None)
            self._server = None

    def documents(self, namespace: str) -> list[dict[str, Any]]:
        return [decode(document) for document in self.collections.get(namespace, [])]

    def _called(self, method: str, request: Any) -> None:
        self.counts[method] += 1
        copy = type(request)()
        copy.CopyFrom(request)
        self.requests.append(copy)
        if self.before:
            raise self.before.popleft()

    def _once(self, method: str, request: Any, work: Callable[[], Any]) -> Any:
        """As the contract has it: the same request again is answered the first answer."""
        self._called(method, request)
        key = request.client_id, method, request.request_id
        if key not in self._ledger:
            self._ledger[key] = work()
        if self.after:
            raise self.after.popleft()
        return self._ledger[key]

    def _stored(self, request: Any) -> list[bytes]:
        return self.collections.setdefault(f"{request.database}.{request.collection}", [])

    async def Insert(self, request: pb.InsertRequest, _: Any) -> pb.InsertResponse:  # noqa: N802
        answer: pb.InsertResponse = self._once("Insert", request, lambda: self._insert(request))
        return answer

    def _insert(self, request: pb.InsertRequest) -> pb.InsertResponse:
        stored = self._stored(request)
        known = {decode(document)["_id"] for document in stored}
        answer = pb.InsertResponse(request_id=request.request_id)
        for index, document in enumerate(request.documents):
            values = decode(document)
            values = values if "_id" in values else {"_id": f"{request.request_id}/{index}", **values}
            if values.get("bad"):
                answer.errors.add(index=index, error="bad document")
            elif values["_id"] in known:
                answer.errors.add(index=index, error=f"duplicate key: _id {values['_id']!r}")
            else:
                known.add(values["_id"])
                stored.append(encode(values))
                answer.inserted_count += 1
                answer.inserted_ids.append(encode({"_id": values["_id"]}))
            if answer.errors and request.ordered:
                break
        return answer

    async def Query(self, request: pb.QueryRequest, _: Any) -> pb.QueryResponse:  # noqa: N802
        self._called("Query", request)
        query = decode(request.query) if request.query else {}
        if any(key.startswith("$") for key in query):
            raise InvalidArgumentError(f"unknown operator: {next(iter(query))}", "BAD_QUERY")
        found = [document for document in self._stored(request) if _matches(decode(document), query)]
        if request.sort:
            field, direction = next(iter(decode(request.sort).items()))
            found.sort(key=lambda document: decode(document)[field], reverse=direction < 0)
        found = found[request.skip :][: request.limit or None]
        begin = int(request.cursor_id or 0)
        page = found[begin : begin + self.page]
        more = begin + len(page) < len(found)
        return pb.QueryResponse(
            request_id=request.request_id,
            documents=[_projected(document, request.projection) for document in page],
            more_available=more,
            cursor_id=str(begin + len(page)) if more else "",
            stats=pb.QueryStats(documents_examined=len(page), documents_returned=len(page), shards_queried=["s1"]),
        )

    async def Update(self, request: pb.UpdateRequest, _: Any) -> pb.UpdateResponse:  # noqa: N802
        answer: pb.UpdateResponse = self._once("Update", request, lambda: self._update(request))
        return answer

    def _update(self, request: pb.UpdateRequest) -> pb.UpdateResponse:
        """Knows `$inc` of one field."""
        query, change = decode(request.query) if request.query else {}, decode(request.update)["$inc"]
        stored, answer = self._stored(request), pb.UpdateResponse(request_id=request.request_id)
        for index, document in enumerate(stored):
            values = decode(document)
            if _matches(values, query) and (request.multi or not answer.matched_count):
                for field, amount in change.items():
                    values[field] = values.get(field, 0) + amount
                stored[index] = encode(values)
                answer.matched_count += 1
                answer.modified_count += 1
        if request.upsert and not answer.matched_count:
            values = {"_id": "upserted", **query, **change}
            stored.append(encode(values))
            answer.upserted_count, answer.upserted_id = 1, encode({"_id": values["_id"]})
        return answer

    async def Delete(self, request: pb.DeleteRequest, _: Any) -> pb.DeleteResponse:  # noqa: N802
        answer: pb.DeleteResponse = self._once("Delete", request, lambda: self._delete(request))
        return answer

    def _delete(self, request: pb.DeleteRequest) -> pb.DeleteResponse:
        query = decode(request.query) if request.query else {}
        stored = self._stored(request)
        hit = [document for document in stored if _matches(decode(document), query)][: None if request.multi else 1]
        stored[:] = [document for document in stored if document not in hit]
        return pb.DeleteResponse(request_id=request.request_id, deleted_count=len(hit))

    async def Aggregate(self, request: pb.AggregationRequest, _: Any) -> pb.AggregationResponse:  # noqa: N802
        """Knows `$count`."""
        self._called("Aggregate", request)
        await asyncio.sleep(self.pipeline_s)
        stages = [decode(stage) for stage in request.pipeline]
        found = self._stored(request)
        results = [encode({stages[-1]["$count"]: len(found)})] if stages else found
        return pb.AggregationResponse(request_id=request.request_id, results=results)

    async def GetShardMap(self, request: pb.GetShardMapRequest, _: Any) -> pb.GetShardMapResponse:  # noqa: N802
        self.counts["GetShardMap"] += 1
        return pb.GetShardMapResponse(version=1, shards=[pb.ShardRouteInfo(shard_id="s1")])

    async def Explain(self, request: admin_pb.ExplainRequest, _: Any) -> admin_pb.ExplainResponse:  # noqa: N802
        self._called("Explain", request)
        return admin_pb.ExplainResponse(explanation=encode(self.explanation))

    async def ListCollections(self, request: Any, _: Any) -> admin_pb.ListCollectionsResponse:  # noqa: N802
        self._called("ListCollections", request)
        answer = admin_pb.ListCollectionsResponse()
        for name, stored in sorted(self.collections.items()):
            database, _dot, collection = name.partition(".")
            if request.database in ("", database):
                answer.collections.add(database=database, collection=collection, documents=len(stored))
        return answer

    async def CreateCollection(self, request: Any, _: Any) -> admin_pb.CreateCollectionResponse:  # noqa: N802
        self._called("CreateCollection", request)
        created = f"{request.database}.{request.collection}" not in self.collections
        self._stored(request)
        return admin_pb.CreateCollectionResponse(created=created)

    async def DropCollection(self, request: Any, _: Any) -> admin_pb.DropCollectionResponse:  # noqa: N802
        self._called("DropCollection", request)
        dropped = self.collections.pop(f"{request.database}.{request.collection}", None)
        return admin_pb.DropCollectionResponse(dropped=dropped is not None)

    def _indexes(self, request: Any) -> dict[str, bytes]:
        return self.indexes.setdefault(f"{request.database}.{request.collection}", {})

    async def CreateIndex(self, request: Any, _: Any) -> admin_pb.CreateIndexResponse:  # noqa: N802
        self._called("CreateIndex", request)
        definition = decode(request.definition)
        name = definition.get("name") or "_".join(f"{field}_{way}" for field, way in definition["key"].items())
        created = name not in self._indexes(request)
        self._indexes(request)[name] = encode({"name": name, **definition})
        return admin_pb.CreateIndexResponse(name=name, created=created, documents=len(self._stored(request)))

    async def DropIndex(self, request: Any, _: Any) -> admin_pb.DropIndexResponse:  # noqa: N802
        self._called("DropIndex", request)
        return admin_pb.DropIndexResponse(dropped=self._indexes(request).pop(request.name, None) is not None)

    async def ListIndexes(self, request: Any, _: Any) -> admin_pb.ListIndexesResponse:  # noqa: N802
        self._called("ListIndexes", request)
        answer = admin_pb.ListIndexesResponse()
        answer.indexes.add(name="_id_", definition=encode({"key": {"_id": 1}, "name": "_id_"}), state=admin_pb.READY)
        for name, definition in sorted(self._indexes(request).items()):
            answer.indexes.add(name=name, definition=definition, state=admin_pb.BUILDING, multikey=True)
        return answer

    async def Verify(self, request: Any, _: Any) -> AsyncIterator[admin_pb.VerifyResponse]:  # noqa: N802
        self._called("Verify", request)
        yield admin_pb.VerifyResponse(documents_checked=1)
        yield admin_pb.VerifyResponse(
            complete=True,
            documents_checked=2,
            index_entries_checked=3,
            oplog_entries_checked=4,
            problems=self.problems,
        )


def _matches(values: dict[str, Any], query: Filter) -> bool:
    for field, asked in query.items():
        if isinstance(asked, dict) and "$in" in asked:
            if values.get(field) not in asked["$in"]:
                return False
        elif values.get(field) != asked:
            return False
    return True


def _projected(document: bytes, projection: bytes) -> bytes:
    """Knows inclusion of whole fields; of a dotted path, the field that it begins with."""
    if not projection:
        return document
    kept = {"_id", *(field.partition(".")[0] for field, wanted in decode(projection).items() if wanted)}
    return encode({key: value for key, value in decode(document).items() if key in kept})
