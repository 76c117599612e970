"""laura.fast.v1.DocumentService of a whole server."""

from __future__ import annotations

from typing import Any

import grpc
import pytest

from laura_fast.domain.documents.codec import decode, encode
from laura_fast.pb.laura.fast.v1 import documents_pb2
from laura_fast.pb.lauradb.cluster import routing_pb2
from tests.contract.router_kit import Router, refusal


@pytest.fixture
def router(channel: grpc.aio.Channel) -> Router:
    return Router(channel)


async def _listed(router: Router, **fields: Any) -> list[tuple[str, str, int | None]]:
    answer = await router.documents.ListCollections(documents_pb2.ListCollectionsRequest(**fields))
    return [
        (info.database, info.collection, info.documents if info.HasField("documents") else None)
        for info in answer.collections
    ]


async def test_collections_are_listed_sorted_and_counted(channel: grpc.aio.Channel) -> None:
    for database, collection, count in (("shop", "orders", 3), ("shop", "b.c", 1), ("other", "z", 2)):
        await Router(channel, database, collection).insert(*({"_id": n} for n in range(count)))
    router = Router(channel)
    assert await _listed(router) == [("other", "z", 2), ("shop", "b.c", 1), ("shop", "orders", 3)]
    assert await _listed(router, database="shop") == [("shop", "b.c", 1), ("shop", "orders", 3)]
    assert await _listed(router, database="other", without_counts=True) == [("other", "z", None)]
    assert await _listed(router, database="nowhere") == []


async def test_a_collection_comes_and_goes(router: Router) -> None:
    create = documents_pb2.CreateCollectionRequest(**router.where)
    drop = documents_pb2.DropCollectionRequest(**router.where)
    assert [(await router.documents.CreateCollection(create)).created for _ in "ab"] == [True, False]
    await router.insert({"_id": 1})
    assert [(await router.documents.DropCollection(drop)).dropped for _ in "ab"] == [True, False]
    assert await router.find() == []
    await router.insert({"_id": 1})
    assert await router.find() == [{"_id": 1}]


async def test_the_index_on_id_is_there_and_stays(router: Router) -> None:
    indexes = documents_pb2.ListIndexesRequest(**router.where)
    assert not (await router.documents.ListIndexes(indexes)).indexes
    await router.insert({"_id": 1})
    (index,) = (await router.documents.ListIndexes(indexes)).indexes
    assert (index.name, decode(index.definition)["key"], index.state) == ("_id_", {"_id": 1}, documents_pb2.READY)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await router.documents.DropIndex(documents_pb2.DropIndexRequest(**router.where, name="_id_"))
    assert refusal(caught.value) == ("INVALID_ARGUMENT", "INVALID_INDEX")


async def _create_index(router: Router, **definition: Any) -> Any:
    request = documents_pb2.CreateIndexRequest(**router.where, definition=encode(definition))
    return await router.documents.CreateIndex(request)


async def test_an_index_is_built_used_and_dropped(router: Router) -> None:
    await router.insert(*({"_id": n, "n": n % 10, "tags": [n, -n]} for n in range(100)))
    answer = await _create_index(router, key={"n": 1, "_id": -1})
    assert (answer.name, answer.created, answer.documents) == ("n_1__id_-1", True, 100)
    assert not (await _create_index(router, key={"n": 1, "_id": -1})).created
    await _create_index(router, key={"tags": -1}, sparse=True)
    listed = (await router.documents.ListIndexes(documents_pb2.ListIndexesRequest(**router.where))).indexes
    assert [(index.name, index.state, index.multikey) for index in listed] == [
        ("_id_", documents_pb2.READY, False),
        ("n_1__id_-1", documents_pb2.READY, False),
        ("tags_-1", documents_pb2.READY, True),
    ]
    assert decode(listed[2].definition) == {"key": {"tags": -1}, "name": "tags_-1", "sparse": True}
    query = routing_pb2.QueryRequest(**router.where, query=encode({"n": 3}))
    told = decode((await router.documents.Explain(documents_pb2.ExplainRequest(query=query, execute=True))).explanation)
    assert (told["index"], told["executed"]["examined"]) == ("n_1__id_-1", 10)
    assert [each["_id"] for each in await router.find({"n": 3}, sort={"_id": -1})] == list(range(93, 0, -10))
    counting = [encode({"$match": {"n": {"$gte": 1}}}), encode({"$count": "all"})]
    pipeline = routing_pb2.AggregationRequest(**router.where, pipeline=counting)
    told = decode((await router.documents.Explain(documents_pb2.ExplainRequest(aggregation=pipeline))).explanation)
    assert (told["plan"], told["filter"]) == ("index scan", "answered by the keys"), "almost all, but only counted"
    assert await router.aggregate({"$match": {"n": {"$gte": 1}}}, {"$count": "all"}) == [{"all": 90}]
    drop = documents_pb2.DropIndexRequest(**router.where, name="n_1__id_-1")
    assert [(await router.documents.DropIndex(drop)).dropped for _ in "ab"] == [True, False]


@pytest.mark.parametrize(
    ("definition", "refused"),
    [
        ({"key": {"n": "text"}}, ("INVALID_ARGUMENT", "INVALID_INDEX")),
        ({"key": {"n": 1}, "unique": True, "name": "u"}, ("ALREADY_EXISTS", "DUPLICATE_KEY")),
        ({"key": {"n": 1}, "name": "taken"}, ("ALREADY_EXISTS", "INDEX_CONFLICT")),
        ({"key": {"tags": 1, "more": 1}}, ("INVALID_ARGUMENT", "CANNOT_INDEX")),
    ],
)
async def test_an_index_that_can_not_be_is_refused(
    router: Router, definition: dict[str, Any], refused: tuple[str, str]
) -> None:
    await router.insert(*({"_id": n, "n": n % 2, "tags": [1], "more": [2]} for n in range(4)))
    await _create_index(router, key={"m": 1}, name="taken")
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await _create_index(router, **definition)
    assert refusal(caught.value) == refused
    listed = (await router.documents.ListIndexes(documents_pb2.ListIndexesRequest(**router.where))).indexes
    assert [index.name for index in listed] == ["_id_", "taken"]


@pytest.mark.parametrize("method", ["CreateCollection", "DropCollection", "ListIndexes", "CreateIndex", "DropIndex"])
async def test_bad_names_are_refused(router: Router, method: str) -> None:
    kind: Any = getattr(documents_pb2, f"{method}Request")
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await getattr(router.documents, method)(kind(database="a.b", collection="c"))
    assert refusal(caught.value) == ("INVALID_ARGUMENT", "INVALID_NAME")


async def test_a_query_is_explained(router: Router) -> None:
    await router.insert(*({"_id": n, "n": n} for n in range(20)))
    query = routing_pb2.QueryRequest(**router.where, query=encode({"_id": 3}))
    answer = await router.documents.Explain(documents_pb2.ExplainRequest(query=query, execute=True))
    told = decode(answer.explanation)
    assert told["namespace"] == "shop.orders"
    assert told["plan"] == "lookup by _id"
    assert (told["executed"]["examined"], told["executed"]["returned"]) == (1, 1)
    pipeline = routing_pb2.AggregationRequest(**router.where, pipeline=[encode({"$match": {"n": 3}})])
    answer = await router.documents.Explain(documents_pb2.ExplainRequest(aggregation=pipeline))
    told = decode(answer.explanation)
    assert told["plan"] == "collection scan"
    assert "executed" not in told
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await router.documents.Explain(documents_pb2.ExplainRequest())
    assert refusal(caught.value) == ("INVALID_ARGUMENT", "NOTHING_TO_EXPLAIN")


@pytest.mark.parametrize(("page", "index", "pages"), [(5, "b_1", "read in order"), (0, "a_1", "the first documents")])
async def test_sorted_pages_are_explained(router: Router, page: int, index: str, pages: str) -> None:
    """Small pages through the index that has their order, one page of everything through the one that finds it."""
    await router.insert(*({"_id": n, "a": n % 10, "b": -n} for n in range(1000)))
    for path in "ab":
        await _create_index(router, key={path: 1})
    query = routing_pb2.QueryRequest(**router.where, query=encode({"a": 3}), sort=encode({"b": 1}), batch_size=page)
    answer = await router.documents.Explain(documents_pb2.ExplainRequest(query=query, execute=True))
    told = decode(answer.explanation)
    assert told["index"] == index
    assert told["pages"].startswith(pages)
    assert told["executed"]["examined"] <= 100


async def test_everything_is_verified(router: Router) -> None:
    await router.insert(*({"_id": n, "n": n} for n in range(20)))
    await router.delete({"_id": 3})
    reports = [report async for report in router.documents.Verify(documents_pb2.VerifyRequest())]
    last = reports[-1]
    assert (last.complete, list(last.problems)) == (True, [])
    assert (last.documents_checked, last.oplog_entries_checked) == (19, 22)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await router.documents.Verify(documents_pb2.VerifyRequest(database="shop")).read()
    assert refusal(caught.value) == ("UNIMPLEMENTED", "NOT_BUILT")
