"""`DocumentClient` against the whole server, over each transport: what its own tests assume of a router holds."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import bson
import pytest
from bson.datetime_ms import DatetimeMS

from laura_fast.client import ClusterClient, RetryPolicy
from laura_fast.client.documents import DocumentClient, Namespace, Query
from laura_fast.client.documents.codec import decode
from laura_fast.client.transfer.identity import Identity
from laura_fast.client.transfer.importing import Import
from laura_fast.client.transfer.json_files import read_json_lines
from laura_fast.client.transfer.preparing import prepared
from laura_fast.errors import Code, RemoteError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from laura_fast.app import Server


@pytest.fixture
async def documents(server: Server) -> AsyncIterator[DocumentClient]:
    async with ClusterClient(server.address, policy=RetryPolicy(max_passes=1)) as cluster:
        yield DocumentClient(cluster)


async def test_pages_follow_one_another_without_gap_or_overlap(documents: DocumentClient) -> None:
    given = [{"_id": number, "group": number % 7} for number in range(2500)]
    assert (await documents.insert_many("d.c", given)).inserted == 2500
    pages = [page async for page in documents.pages("d.c", Query(sort={"group": -1, "_id": 1}, batch_size=333))]
    assert [len(page.documents) for page in pages] == [333] * 7 + [169]
    found = [decode(document) for page in pages for document in page.documents]
    assert found == sorted(given, key=lambda document: (-document["group"], document["_id"]))
    assert [each["_id"] async for each in documents.find("d.c", sort={"_id": -1}, skip=5, limit=3)] == [
        2494,
        2493,
        2492,
    ]
    assert await documents.find_one("d.c", {"_id": 9}, projection={"group": 1, "_id": 0}) == {"group": 2}
    assert [each async for each in documents.find("d.unknown")] == []


async def test_every_type_comes_back_as_it_went(documents: DocumentClient) -> None:
    values: dict[str, Any] = {
        "_id": bson.ObjectId(),
        "long": bson.Int64(1),
        "late": DatetimeMS(2**55),
        "uuid": bson.Binary(b"1" * 16, 4),
        "octets": b"\x00",
        "regex": bson.Regex("a", "i"),
        "decimal": bson.Decimal128("1.50"),
        "deep": [{"a": [None, True]}],
    }
    await documents.insert("d.c", [values])
    found = await documents.find_one("d.c")
    assert found == values
    assert {name: type(value) for name, value in found.items()} == {name: type(value) for name, value in values.items()}


async def test_a_request_that_is_repeated_is_answered_the_same_and_done_once(server: Server) -> None:
    async with ClusterClient(server.address) as cluster:
        first, second = (DocumentClient(cluster, client_id="till-7") for _ in range(2))
        inserted = await first.insert("d.c", [{"n": 1}, {"n": 2}], request_id="r1")
        assert await second.insert("d.c", [{"n": 1}, {"n": 2}], request_id="r1") == inserted
        change: dict[str, Any] = {"$inc": {"n": 10}}
        updated = await first.update("d.c", {}, change, many=True, request_id="r2")
        assert await second.update("d.c", {}, change, many=True, request_id="r2") == updated
        assert sorted([each["n"] async for each in first.find("d.c")]) == [11, 12]
        with pytest.raises(RemoteError) as raised:
            await second.update("d.c", {}, {"$inc": {"n": 11}}, many=True, request_id="r2")
        assert raised.value.code is Code.ALREADY_EXISTS
        deleted = await first.delete("d.c", {"n": 11}, request_id="r3")
        assert await second.delete("d.c", {"n": 11}, request_id="r3") == deleted


async def test_documents_that_cannot_be_inserted_are_numbered(documents: DocumentClient) -> None:
    await documents.insert("d.c", [{"_id": 1}])
    tried = [{"_id": 0}, {"_id": 1}, {"_id": 2}]
    ordered = await documents.insert("d.c", tried)
    assert (ordered.inserted, ordered.ids, [error.index for error in ordered.errors]) == (1, (0,), [1])
    assert "duplicate key" in ordered.errors[0].message
    unordered = await documents.insert("d.c", tried, ordered=False)
    assert (unordered.inserted, [error.index for error in unordered.errors]) == (1, [0, 1])


async def test_updates_upserts_and_deletions(documents: DocumentClient) -> None:
    made = await documents.update("d.c", {"sku": "x"}, {"$inc": {"n": 1}}, upsert=True)
    assert (made.matched, isinstance(made.upserted_id, bson.ObjectId)) == (0, True)
    again = await documents.update("d.c", {"sku": "x"}, {"$set": {"n": 1}})
    assert (again.matched, again.modified, again.upserted_id) == (1, 0, None)
    await documents.insert("d.c", [{"sku": "x"}, {"sku": "y"}])
    assert (await documents.delete("d.c", {"sku": "x"})).deleted == 1
    assert (await documents.delete("d.c", {}, many=True)).deleted == 2


async def test_pipelines_explanations_and_what_is_wrong_with_them(documents: DocumentClient) -> None:
    await documents.insert("d.c", [{"_id": number, "kind": "ab"[number % 2]} for number in range(5)])
    grouped = await documents.aggregate("d.c", [{"$group": {"_id": "$kind", "n": {"$sum": 1}}}, {"$sort": {"_id": 1}}])
    assert grouped == [{"_id": "a", "n": 3}, {"_id": "b", "n": 2}]
    explained = await documents.explain("d.c", Query({"_id": 3}))
    assert explained["plan"] == "lookup by _id"
    assert "why" in await documents.explain("d.c", [{"$match": {"kind": "a"}}])
    with pytest.raises(RemoteError, match="unsupported stage type: \\$nonsense"):
        await documents.aggregate("d.c", [{"$nonsense": 1}])
    with pytest.raises(RemoteError, match=r"\$foo"):
        await documents.find_one("d.c", {"a": {"$foo": 1}})


async def test_collections_and_indexes_come_and_go(documents: DocumentClient) -> None:
    catalog = documents.catalog
    await documents.insert("d.c", [{"_id": number, "n": number % 3, "list": [1, 2]} for number in range(9)])
    built = await catalog.create_index("d.c", {"key": {"n": 1, "_id": -1}})
    assert (built.name, built.created, built.documents) == ("n_1__id_-1", True, 9)
    assert not (await catalog.create_index("d.c", {"key": {"n": 1, "_id": -1}})).created
    await catalog.create_index("d.c", {"key": {"list": 1}})
    assert [(each.name, each.ready, each.multikey) for each in await catalog.indexes("d.c")] == [
        ("_id_", True, False),
        ("list_1", True, True),
        ("n_1__id_-1", True, False),
    ]
    assert (await documents.explain("d.c", Query({"n": 1})))["index"] == "n_1__id_-1"
    assert [(str(each.namespace), each.documents, each.indexes) for each in await catalog.collections()] == [
        ("d.c", 9, 2)
    ]
    assert await catalog.drop_index("d.c", "list_1")
    assert not await catalog.drop_index("d.c", "list_1")
    assert await catalog.drop_collection("d.c")
    assert not await catalog.drop_collection("d.c")
    assert await catalog.collections() == []


async def test_a_verification_ends_well(documents: DocumentClient) -> None:
    await documents.insert("d.c", [{"_id": number, "n": number} for number in range(50)])
    await documents.catalog.create_index("d.c", {"key": {"n": 1}})
    steps = [step async for step in documents.catalog.verify()]
    last = steps[-1]
    assert (last.complete, last.documents, last.index_entries, last.problems) == (True, 50, 50, ())
    assert last.oplog_entries >= 50


async def test_an_import_again_finds_everything_there(documents: DocumentClient) -> None:
    content = b"".join(b'{"n": %d}\n' % number for number in range(2500))
    tallies = []
    for _ in range(2):
        source = io.BytesIO(content)
        identity = Identity.of_content(source)
        work = Import(documents, Namespace("d", "c"))
        tallies.append(await work.run(prepared(read_json_lines(source), identity)))
    assert [(tally.inserted, tally.already_there, tally.failed) for tally in tallies] == [(2500, 0, 0), (0, 2500, 0)]
