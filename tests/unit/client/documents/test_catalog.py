"""Collections, indexes and verification through the client."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from laura_fast.client.documents import CollectionInfo, IndexInfo, Namespace, Verification
from laura_fast.errors import OverloadedError, RemoteError

if TYPE_CHECKING:
    from laura_fast.client.documents import DocumentClient
    from tests.unit.client.documents.fake_router import FakeRouter


async def test_collections_come_and_go(documents: DocumentClient) -> None:
    assert await documents.catalog.create_collection("d.c")
    assert not await documents.catalog.create_collection("d.c")
    await documents.insert("e.f.g", [{}, {}])
    assert await documents.catalog.collections() == [
        CollectionInfo(Namespace("d", "c"), 0, 0),
        CollectionInfo(Namespace("e", "f.g"), 2, 0),
    ]
    assert [str(info.namespace) for info in await documents.catalog.collections("e")] == ["e.f.g"]
    assert await documents.catalog.drop_collection("d.c")
    assert not await documents.catalog.drop_collection("d.c")


async def test_indexes_come_and_go(documents: DocumentClient) -> None:
    await documents.insert("d.c", [{}, {}])
    built = await documents.catalog.create_index("d.c", {"key": {"b": 1, "a": -1}})
    assert (built.name, built.created, built.documents) == ("b_1_a_-1", True, 2)
    assert not (await documents.catalog.create_index("d.c", {"key": {"b": 1, "a": -1}})).created
    first, second = await documents.catalog.indexes("d.c")
    assert first == IndexInfo("_id_", {"key": {"_id": 1}, "name": "_id_"}, ready=True, multikey=False)
    assert (second.name, second.ready, second.multikey) == ("b_1_a_-1", False, True)
    assert list(second.definition["key"].items()) == [("b", 1), ("a", -1)]
    assert await documents.catalog.drop_index("d.c", "b_1_a_-1")
    assert not await documents.catalog.drop_index("d.c", "b_1_a_-1")


async def test_a_verification_tells_how_far_it_is(documents: DocumentClient, router: FakeRouter) -> None:
    router.problems = ["index a_1: no entry of document 7"]
    seen = [step async for step in documents.catalog.verify("d", "c")]
    assert seen[0] == Verification(complete=False, documents=1, index_entries=0, oplog_entries=0, problems=())
    assert seen[-1] == Verification(
        complete=True, documents=2, index_entries=3, oplog_entries=4, problems=("index a_1: no entry of document 7",)
    )


async def test_a_verification_that_fails_is_not_begun_again(documents: DocumentClient, router: FakeRouter) -> None:
    router.before.append(OverloadedError("busy", "OVERLOADED"))
    with pytest.raises(RemoteError, match="busy"):
        await anext(documents.catalog.verify())
    assert router.counts["Verify"] == 1
