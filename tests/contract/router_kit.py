"""A RouterService as a test wants to talk to it: documents in, documents out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import bson
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from laura_fast.domain.documents.codec import decode, encode
from laura_fast.pb.laura.fast.v1 import documents_pb2_grpc
from laura_fast.pb.lauradb.cluster import routing_pb2, routing_pb2_grpc

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import grpc

WAIT_S = 20.0
"""A loaded machine with a slow disk needs some of it."""

Document = dict[str, Any]


def optional(document: Mapping[str, Any] | None) -> bytes:
    """BSON; nothing for None."""
    return b"" if document is None else encode(document)


class Router:
    """One client of one collection."""

    def __init__(self, channel: grpc.aio.Channel, database: str = "shop", collection: str = "orders") -> None:
        self.channel = channel
        self.stub: Any = routing_pb2_grpc.RouterServiceStub(channel)
        self.documents: Any = documents_pb2_grpc.DocumentServiceStub(channel)
        self.where: dict[str, Any] = {"database": database, "collection": collection}

    async def insert(self, *documents: Mapping[str, Any] | bytes, **fields: Any) -> Any:
        raw = [document if isinstance(document, bytes) else encode(document) for document in documents]
        request = routing_pb2.InsertRequest(**self.where, documents=raw, **fields)
        return await self.stub.Insert(request, timeout=WAIT_S)

    async def update(self, query: Document, update: Document, **fields: Any) -> Any:
        request = routing_pb2.UpdateRequest(**self.where, query=encode(query), update=encode(update), **fields)
        return await self.stub.Update(request, timeout=WAIT_S)

    async def delete(self, query: Document | None = None, **fields: Any) -> Any:
        request = routing_pb2.DeleteRequest(**self.where, query=optional(query), **fields)
        return await self.stub.Delete(request, timeout=WAIT_S)

    async def query(
        self,
        query: Document | None = None,
        *,
        sort: Document | None = None,
        projection: Document | None = None,
        **fields: Any,
    ) -> Any:
        """The answer of one page."""
        request = routing_pb2.QueryRequest(
            **self.where, query=optional(query), sort=optional(sort), projection=optional(projection), **fields
        )
        return await self.stub.Query(request, timeout=WAIT_S)

    async def find(self, query: Document | None = None, **options: Any) -> list[Document]:
        """The documents of all pages."""
        found: list[Document] = []
        cursor_id = ""
        while True:
            page = await self.query(query, cursor_id=cursor_id, **options)
            found += map(decode, page.documents)
            assert page.more_available == bool(page.cursor_id)
            if not page.more_available:
                return found
            cursor_id = page.cursor_id

    async def aggregate(self, *stages: Document, **fields: Any) -> list[Document]:
        request = routing_pb2.AggregationRequest(**self.where, pipeline=[encode(stage) for stage in stages], **fields)
        answer = await self.stub.Aggregate(request, timeout=WAIT_S)
        return [decode(result) for result in answer.results]


def ids(documents: Sequence[Document]) -> list[Any]:
    """Their `_id`s."""
    return [document["_id"] for document in documents]


def refusal(error: grpc.aio.AioRpcError) -> tuple[str, str]:
    """Code and reason of an error."""
    status, info = rpc_status.from_call(error), error_details_pb2.ErrorInfo()
    assert status is not None
    assert status.details[0].Unpack(info)
    return error.code().name, info.reason


def deep(levels: int) -> bytes:
    """A document nested so deeply."""
    data = bson.encode({})
    for _ in range(levels - 1):
        size = 4 + 1 + 2 + len(data) + 1
        data = size.to_bytes(4, "little") + b"\x03a\0" + data + b"\0"
    return data
