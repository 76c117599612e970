"""`DocumentClient`: reads and writes of documents, each write counted once however often it had to be sent."""

from __future__ import annotations

import itertools
import math
import uuid
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, Final

from laura_fast.client.documents import requests
from laura_fast.client.documents.batches import batches
from laura_fast.client.documents.calls import Answer, Calls, Method, Request
from laura_fast.client.documents.catalog import Catalog
from laura_fast.client.documents.codec import decode, encode
from laura_fast.client.documents.namespaces import Namespace
from laura_fast.client.documents.outcomes import DeleteOutcome, DocumentError, InsertOutcome, Page, UpdateOutcome
from laura_fast.client.documents.reading import Reading
from laura_fast.pb.laura.fast.v1.documents_pb2 import ExplainRequest
from laura_fast.pb.laura.fast.v1.documents_pb2_grpc import DocumentServiceStub
from laura_fast.pb.lauradb.cluster import routing_pb2 as pb
from laura_fast.pb.lauradb.cluster.routing_pb2_grpc import RouterServiceStub

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
    from typing import Unpack

    import grpc

    from laura_fast.client.cluster import ClusterClient

    Document = Mapping[str, Any] | bytes
    """A mapping, or BSON as it is."""

DEFAULT_TIMEOUT_S: Final = 30.0
_READING: Final = Reading()


class DocumentClient:
    """Documents of one cluster, through whichever of its servers answers.

    A write that must be repeated, because its answer was lost or its server went away, carries the request id of its
    first attempt: it is applied once, and the repetition is answered what the first attempt would have been. All
    methods raise `UnreachableError` when no server answered in time, `RemoteError` when one refused, and
    `InvalidArgumentError` for values that BSON has no type for.

    Args:
        cluster: Whose connections and retries are used; it stays the caller's to close.
        client_id: Scope of the request ids; left out, one that no other client has.
        timeout_s: Longest time of one call, repetitions included; None waits for ever.
        reading: Who may answer reads, and what they may see.

    Attributes:
        catalog: Collections and indexes.
    """

    def __init__(
        self,
        cluster: ClusterClient,
        *,
        client_id: str = "",
        timeout_s: float | None = DEFAULT_TIMEOUT_S,
        reading: Reading = _READING,
    ) -> None:
        self.cluster = cluster
        self.client_id = client_id or uuid.uuid4().hex
        self.timeout_s = timeout_s
        self.catalog = Catalog(self)
        self._numbers = itertools.count(1)
        self._calls = Calls(cluster, timeout_s, reading)

    async def reach(self, namespace: str | Namespace) -> None:
        """Asks every server once, without patience, for what costs it nothing: whether work can begin.

        Raises:
            UnreachableError: None of them answers now.
        """
        place = Namespace.parse(namespace)
        request = pb.GetShardMapRequest(database=place.database, collection=place.collection)

        async def call(channel: grpc.aio.Channel, seconds: float) -> pb.GetShardMapResponse:
            return await RouterServiceStub(channel).GetShardMap(request, timeout=seconds)

        await self.cluster.caller.once(call, self.timeout_s)

    async def find(
        self,
        namespace: str | Namespace,
        filter: Mapping[str, Any] | None = None,  # noqa: A002 - the word for it in every driver
        **options: Unpack[requests.Options],
    ) -> AsyncGenerator[dict[str, Any]]:
        """Each document that matches, page after page as they are asked for.

        Args:
            namespace: ``database.collection``.
            filter: None matches every document.
            options: The other attributes of `requests.Query`.
        """
        async with aclosing(self.pages(namespace, requests.Query(filter, **options))) as pages:
            async for page in pages:
                for document in page.documents:
                    yield decode(document)

    async def find_one(
        self,
        namespace: str | Namespace,
        filter: Mapping[str, Any] | None = None,  # noqa: A002 - as in `find`
        **options: Unpack[requests.Options],
    ) -> dict[str, Any] | None:
        """The first document that matches, in the order asked for."""
        options["limit"] = 1
        async with aclosing(self.find(namespace, filter, **options)) as found:
            return await anext(found, None)

    async def pages(self, namespace: str | Namespace, query: requests.Query) -> AsyncGenerator[Page]:
        """The same, as the server's pages of BSON. An answer that was lost is asked for again, none is skipped."""
        request = query.message(Namespace.parse(namespace))
        answered = 0
        while True:
            request.request_id = self._next_id()
            answer = await self._calls.read(lambda channel: RouterServiceStub(channel).Query, request)
            yield _page(answer)
            answered += len(answer.documents)
            if not answer.more_available or answered >= (query.limit or math.inf):
                return
            request.cursor_id = answer.cursor_id

    async def insert(
        self, namespace: str | Namespace, documents: Sequence[Document], *, ordered: bool = True, request_id: str = ""
    ) -> InsertOutcome:
        """Inserts documents by one request.

        Args:
            namespace: ``database.collection``.
            documents: Those without an `_id` are given one.
            ordered: Stop at the first that can't be inserted; else try all.
            request_id: Repeats an earlier request of this client id; left out, it is a new one.
        """
        place = Namespace.parse(namespace)
        request = pb.InsertRequest(
            request_id=request_id or self._next_id(),
            client_id=self.client_id,
            database=place.database,
            collection=place.collection,
            documents=[_bson(document) for document in documents],
            ordered=ordered,
        )
        answer = await self.ask(lambda channel: RouterServiceStub(channel).Insert, request)
        return InsertOutcome(
            inserted=answer.inserted_count,
            ids=tuple(decode(inserted)["_id"] for inserted in answer.inserted_ids),
            errors=tuple(DocumentError(error.index, error.error) for error in answer.errors),
        )

    async def insert_many(
        self, namespace: str | Namespace, documents: Iterable[Document], *, ordered: bool = True
    ) -> InsertOutcome:
        """Inserts any number of documents, a bounded batch at a time; each batch is one request.

        Ids and errors are those of all batches. With `ordered`, nothing after the first error is sent.
        """
        offset = inserted = 0
        ids: list[Any] = []
        errors: list[DocumentError] = []
        for batch in batches(map(_bson, documents), len):
            outcome = await self.insert(namespace, batch, ordered=ordered)
            inserted += outcome.inserted
            ids += outcome.ids
            errors += [DocumentError(offset + error.index, error.message) for error in outcome.errors]
            offset += len(batch)
            if ordered and errors:
                break
        return InsertOutcome(inserted, tuple(ids), tuple(errors))

    async def update(
        self,
        namespace: str | Namespace,
        filter: Mapping[str, Any],  # noqa: A002 - as in `find`
        update: Mapping[str, Any],
        *,
        many: bool = False,
        upsert: bool = False,
        request_id: str = "",
    ) -> UpdateOutcome:
        """Changes one document that matches, or with `many` all; `update` is of operators, or a replacement.

        With `upsert`, a document is made where none matches.
        """
        place = Namespace.parse(namespace)
        request = pb.UpdateRequest(
            request_id=request_id or self._next_id(),
            client_id=self.client_id,
            database=place.database,
            collection=place.collection,
            query=requests.optional(filter),
            update=encode(update),
            multi=many,
            upsert=upsert,
        )
        answer = await self.ask(lambda channel: RouterServiceStub(channel).Update, request)
        upserted_id = decode(answer.upserted_id)["_id"] if answer.upserted_id else None
        return UpdateOutcome(answer.matched_count, answer.modified_count, upserted_id)

    async def delete(
        self,
        namespace: str | Namespace,
        filter: Mapping[str, Any],  # noqa: A002 - as in `find`
        *,
        many: bool = False,
        request_id: str = "",
    ) -> DeleteOutcome:
        """Deletes one document that matches, or with `many` all."""
        place = Namespace.parse(namespace)
        request = pb.DeleteRequest(
            request_id=request_id or self._next_id(),
            client_id=self.client_id,
            database=place.database,
            collection=place.collection,
            query=requests.optional(filter),
            multi=many,
        )
        answer = await self.ask(lambda channel: RouterServiceStub(channel).Delete, request)
        return DeleteOutcome(answer.deleted_count)

    async def aggregate(
        self, namespace: str | Namespace, pipeline: Sequence[Mapping[str, Any]], *, max_examined: int = 0
    ) -> list[dict[str, Any]]:
        """The results of a pipeline, all at once: the server refuses what does not fit one answer."""
        request = requests.aggregation(Namespace.parse(namespace), pipeline, max_examined)
        request.request_id = self._next_id()
        answer = await self._calls.read(lambda channel: RouterServiceStub(channel).Aggregate, request)
        return [decode(result) for result in answer.results]

    async def explain(
        self, namespace: str | Namespace, asked: requests.Query | Sequence[Mapping[str, Any]], *, execute: bool = False
    ) -> dict[str, Any]:
        """How a query or a pipeline would be answered: the plan, why it was chosen, and what was rejected.

        With `execute` it is run as well, and the explanation has what was examined.
        """
        place = Namespace.parse(namespace)
        request = ExplainRequest(execute=execute)
        if isinstance(asked, requests.Query):
            request.query.CopyFrom(asked.message(place))
        else:
            request.aggregation.CopyFrom(requests.aggregation(place, asked))
        answer = await self.ask(lambda channel: DocumentServiceStub(channel).Explain, request)
        return decode(answer.explanation)

    async def ask(self, method: Method[Request, Answer], request: Request) -> Answer:
        """One call with the repetitions that it needs, all of the same message."""
        return await self._calls.ask(method, request)

    def _next_id(self) -> str:
        return str(next(self._numbers))


def _bson(document: Document) -> bytes:
    return document if isinstance(document, bytes) else encode(document)


def _page(answer: pb.QueryResponse) -> Page:
    return Page(
        documents=tuple(answer.documents),
        more=answer.more_available,
        examined=answer.stats.documents_examined,
        milliseconds=answer.stats.execution_time_ms,
        shards=tuple(answer.stats.shards_queried),
    )
