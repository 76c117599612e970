"""laura_fast: `serve` in a process of its own, asked through its native channel."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final

import bson
import lmdb

from bench.documents.subject import Database, Memory, Session, Subject
from bench.processes import Process, serve
from laura_fast import __version__
from laura_fast.client.channel import open_channel
from laura_fast.pb.laura.fast.v1 import documents_pb2
from laura_fast.pb.lauradb.cluster import routing_pb2

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from pathlib import Path

    import grpc

DATABASE: Final = "bench"
COLLECTION: Final = "packages"
ROUTER: Final = "/lauradb.cluster.RouterService/"
TIMEOUT_S: Final = 900.0
"""A million documents take a while to be grouped, or to get an index."""


class LauraSession:
    """One client of RouterService."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._channel = channel

    async def _ask(self, method: str, request: Any, answer: Any) -> Any:
        call: Any = self._channel.unary_unary(ROUTER + method)
        request.database, request.collection = DATABASE, COLLECTION
        return answer.FromString(await call(request.SerializeToString(), timeout=TIMEOUT_S))

    async def insert(self, documents: Sequence[dict[str, Any]]) -> int:
        request = routing_pb2.InsertRequest(documents=[bson.encode(each) for each in documents], ordered=True)
        answer = await self._ask("Insert", request, routing_pb2.InsertResponse)
        return int(answer.inserted_count)

    async def _query(self, query: dict[str, Any]) -> list[dict[str, Any]]:
        request = routing_pb2.QueryRequest(query=bson.encode(query))
        answer = await self._ask("Query", request, routing_pb2.QueryResponse)
        found = [bson.decode(each) for each in answer.documents]
        while answer.more_available:
            request.cursor_id = answer.cursor_id
            answer = await self._ask("Query", request, routing_pb2.QueryResponse)
            found += [bson.decode(each) for each in answer.documents]
        return found

    async def find(self, identity: int) -> str:
        [found] = await self._query({"_id": identity})
        return str(found["name"])

    async def between(self, low: int, high: int) -> int:
        return len(await self._query({"size": {"$gte": low, "$lt": high}}))

    async def rare(self) -> int:
        return len(await self._query({"rarity": "rare"}))

    async def increment(self, identity: int) -> int:
        query, update = bson.encode({"_id": identity}), bson.encode({"$inc": {"installed": 1}})
        request = routing_pb2.UpdateRequest(query=query, update=update)
        answer = await self._ask("Update", request, routing_pb2.UpdateResponse)
        return int(answer.modified_count)

    async def _delete(self, query: dict[str, Any], *, multi: bool = False) -> int:
        request = routing_pb2.DeleteRequest(query=bson.encode(query), multi=multi)
        answer = await self._ask("Delete", request, routing_pb2.DeleteResponse)
        return int(answer.deleted_count)

    async def delete(self, identity: int) -> int:
        return await self._delete({"_id": identity})

    async def purge(self, first: int) -> int:
        return await self._delete({"_id": {"$gte": first}}, multi=True)

    async def _aggregate(self, *stages: dict[str, Any]) -> list[dict[str, Any]]:
        request = routing_pb2.AggregationRequest(pipeline=[bson.encode(stage) for stage in stages])
        answer = await self._ask("Aggregate", request, routing_pb2.AggregationResponse)
        return [bson.decode(each) for each in answer.results]

    async def totals(self) -> dict[str, tuple[int, int]]:
        group = {"_id": "$section", "packages": {"$sum": 1}, "kib": {"$sum": "$size"}}
        rows = await self._aggregate({"$group": group})
        return {row["_id"]: (row["packages"], row["kib"]) for row in rows}

    async def installed(self) -> int:
        [row] = await self._aggregate({"$group": {"_id": None, "all": {"$sum": "$installed"}}})
        return int(row["all"])


class Laura:
    """One server process."""

    def __init__(self, process: Process) -> None:
        self._process = process

    @asynccontextmanager
    async def sessions(self, count: int) -> AsyncIterator[list[Session]]:
        """Clients that share one channel, as tasks of a program would."""
        async with open_channel(self._process.address, None) as channel:
            yield [LauraSession(channel) for _ in range(count)]

    async def index_sizes(self) -> None:
        """As the command line does."""
        definition = bson.encode({"key": {"size": 1}})
        request = documents_pb2.CreateIndexRequest(database=DATABASE, collection=COLLECTION, definition=definition)
        async with open_channel(self._process.address, None) as channel:
            call: Any = channel.unary_unary("/laura.fast.v1.DocumentService/CreateIndex")
            await call(request.SerializeToString(), timeout=TIMEOUT_S)

    def cpu_s(self) -> float:
        return self._process.cpu_s()

    def memory(self) -> Memory:
        return Memory(self._process.rss_anon_bytes(), self._process.rss_bytes())

    def commits(self) -> int:
        """LMDB numbers its commits, and syncs each of them; about one a second is upkeep."""
        with lmdb.open(str(self._process.data), readonly=True, lock=False, max_dbs=0) as environment:
            return int(environment.info()["last_txnid"])


@asynccontextmanager
async def start(_folder: Path) -> AsyncIterator[Database]:
    """A server with a data directory of its own."""
    with serve("native", "--request-timeout", f"{TIMEOUT_S:.0f}s") as process:
        yield Laura(process)


SUBJECT: Final = Subject("laura_fast", lambda: __version__, start)
