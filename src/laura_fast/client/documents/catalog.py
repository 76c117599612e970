"""Collections and indexes of a cluster, and whether what is stored agrees with itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import grpc

from laura_fast.client.documents.codec import decode, encode
from laura_fast.client.documents.namespaces import Namespace
from laura_fast.client.documents.outcomes import CollectionInfo, IndexBuilt, IndexInfo, Verification
from laura_fast.client.retry import to_remote_error
from laura_fast.pb.laura.fast.v1 import documents_pb2 as pb
from laura_fast.pb.laura.fast.v1.documents_pb2_grpc import DocumentServiceStub

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping

    from laura_fast.client.documents.client import DocumentClient


class Catalog:
    """What `DocumentClient.catalog` is. Every call may be repeated without harm, and is, as the client's others are."""

    def __init__(self, documents: DocumentClient) -> None:
        self._documents = documents

    async def collections(self, database: str = "") -> list[CollectionInfo]:
        """All collections, or those of one database, sorted."""
        request = pb.ListCollectionsRequest(database=database)
        answer = await self._documents.ask(lambda channel: DocumentServiceStub(channel).ListCollections, request)
        return [
            CollectionInfo(Namespace(each.database, each.collection), each.documents, each.indexes)
            for each in answer.collections
        ]

    async def create_collection(self, namespace: str | Namespace) -> bool:
        """False where it was there before."""
        place = Namespace.parse(namespace)
        request = pb.CreateCollectionRequest(database=place.database, collection=place.collection)
        answer = await self._documents.ask(lambda channel: DocumentServiceStub(channel).CreateCollection, request)
        return answer.created

    async def drop_collection(self, namespace: str | Namespace) -> bool:
        """Deletes a collection with its indexes; False where it was not there."""
        place = Namespace.parse(namespace)
        request = pb.DropCollectionRequest(database=place.database, collection=place.collection)
        answer = await self._documents.ask(lambda channel: DocumentServiceStub(channel).DropCollection, request)
        return answer.dropped

    async def indexes(self, namespace: str | Namespace) -> list[IndexInfo]:
        """The one on `_id` first, the others by name."""
        place = Namespace.parse(namespace)
        request = pb.ListIndexesRequest(database=place.database, collection=place.collection)
        answer = await self._documents.ask(lambda channel: DocumentServiceStub(channel).ListIndexes, request)
        return [
            IndexInfo(each.name, decode(each.definition), each.state == pb.READY, each.multikey)
            for each in answer.indexes
        ]

    async def create_index(self, namespace: str | Namespace, definition: Mapping[str, Any]) -> IndexBuilt:
        """Builds an index and waits until it is ready.

        Args:
            namespace: ``database.collection``.
            definition: ``{"key": {"field": 1, "other": -1}}``, and what else MongoDB's createIndexes takes.

        Raises:
            UnreachableError: It was not ready in time. The server goes on building it; the same call waits again.
        """
        place = Namespace.parse(namespace)
        request = pb.CreateIndexRequest(
            database=place.database, collection=place.collection, definition=encode(definition)
        )
        answer = await self._documents.ask(lambda channel: DocumentServiceStub(channel).CreateIndex, request)
        return IndexBuilt(answer.name, answer.created, answer.documents)

    async def drop_index(self, namespace: str | Namespace, name: str) -> bool:
        """False where it was not there."""
        place = Namespace.parse(namespace)
        request = pb.DropIndexRequest(database=place.database, collection=place.collection, name=name)
        answer = await self._documents.ask(lambda channel: DocumentServiceStub(channel).DropIndex, request)
        return answer.dropped

    async def verify(self, database: str = "", collection: str = "") -> AsyncGenerator[Verification]:
        """Checks documents, indexes and the log of the server that answered last, telling how far it is.

        The last value is complete. A check that is cut off is not begun again: it concerns one server.

        Raises:
            RemoteError: It was cut off or refused.
        """
        link = self._documents.cluster.caller.link
        call = DocumentServiceStub(link.channel).Verify(pb.VerifyRequest(database=database, collection=collection))
        try:
            async for message in call:
                yield Verification.of(message)
        except grpc.aio.AioRpcError as error:
            raise to_remote_error(link.address, error) from error
        finally:
            call.cancel()
