"""`DocumentClient` against a router, call by call."""

from __future__ import annotations

from typing import TYPE_CHECKING

import bson
import pytest
from bson.datetime_ms import DatetimeMS

from laura_fast.client import ClusterClient, RetryPolicy
from laura_fast.client.documents import DocumentClient, DocumentError, Query
from laura_fast.errors import (
    ConfigError,
    InvalidArgumentError,
    OverloadedError,
    RemoteError,
    UnavailableError,
    UnreachableError,
)

if TYPE_CHECKING:
    from tests.unit.client.documents.fake_router import FakeRouter


async def test_what_is_inserted_is_found_page_after_page(documents: DocumentClient, router: FakeRouter) -> None:
    router.page = 2
    outcome = await documents.insert("shop.orders", [{"_id": number, "n": number} for number in range(5)])
    assert (outcome.inserted, outcome.ids, outcome.errors) == (5, (0, 1, 2, 3, 4), ())
    assert [found["n"] async for found in documents.find("shop.orders")] == [0, 1, 2, 3, 4]
    assert router.counts["Query"] == 3
    first, second, _ = (request for request in router.requests if hasattr(request, "cursor_id"))
    assert (first.cursor_id, second.cursor_id) == ("", "2")
    assert first.request_id != second.request_id


async def test_a_query_carries_all_that_was_asked(documents: DocumentClient, router: FakeRouter) -> None:
    found = documents.find(
        "d.c.e", {"a": 1}, projection={"a": 1}, sort={"b": -1, "a": 1}, skip=3, limit=4, batch_size=5
    )
    assert [document async for document in found] == []
    sent = router.requests[0]
    assert (sent.database, sent.collection, sent.skip, sent.limit, sent.batch_size) == ("d", "c.e", 3, 4, 5)
    assert bson.decode(sent.query) == {"a": 1}
    assert bson.decode(sent.projection) == {"a": 1}
    assert list(bson.decode(sent.sort).items()) == [("b", -1), ("a", 1)]


async def test_a_limit_is_the_end_even_where_the_server_has_more(documents: DocumentClient, router: FakeRouter) -> None:
    """A server may say that there is more behind the limit; nobody asked for it."""
    router.page = 2
    await documents.insert("d.c", [{"_id": number} for number in range(6)])
    pages = [page async for page in documents.pages("d.c", Query(limit=4))]
    assert [len(page.documents) for page in pages] == [2, 2]
    assert await documents.find_one("d.c", {"_id": 5}) == {"_id": 5}
    assert await documents.find_one("d.c", {"_id": 7}) is None


async def test_a_reader_that_stops_early_asks_for_no_more(documents: DocumentClient, router: FakeRouter) -> None:
    router.page = 1
    await documents.insert("d.c", [{"_id": number} for number in range(6)])
    async for _ in documents.find("d.c"):
        break
    assert router.counts["Query"] == 1


async def test_a_write_whose_answer_was_lost_counts_once(documents: DocumentClient, router: FakeRouter) -> None:
    """The server did it and the answer got lost: every repetition carries the id of the first attempt."""
    await documents.insert("d.c", [{"_id": 1, "n": 0}])
    for _ in range(3):
        router.after.append(UnavailableError("primary lost", "OUTCOME_UNKNOWN"))
    updated = await documents.update("d.c", {"_id": 1}, {"$inc": {"n": 1}})
    assert (updated.matched, updated.modified) == (1, 1)
    assert (router.counts["Update"], router.documents("d.c")) == (4, [{"_id": 1, "n": 1}])
    assert len({(request.client_id, request.request_id) for request in router.requests[1:]}) == 1
    router.after.append(UnavailableError("primary lost", "OUTCOME_UNKNOWN"))
    assert (await documents.insert("d.c", [{"_id": 2}])).inserted == 1
    router.after.append(UnavailableError("primary lost", "OUTCOME_UNKNOWN"))
    assert (await documents.delete("d.c", {"_id": 2})).deleted == 1


async def test_two_writes_are_two_even_where_they_are_alike(documents: DocumentClient, router: FakeRouter) -> None:
    await documents.insert("d.c", [{"_id": 1}])
    for _ in range(2):
        await documents.update("d.c", {"_id": 1}, {"$inc": {"n": 1}})
    assert router.documents("d.c")[0]["n"] == 2


async def test_clients_never_share_a_request_id(router: FakeRouter) -> None:
    async with ClusterClient(router.address) as cluster:
        for _ in range(2):
            await DocumentClient(cluster).insert("d.c", [{"a": 1}])
    first, second = router.requests
    assert (first.client_id, first.request_id) != (second.client_id, second.request_id)
    assert len(first.client_id) == 32


async def test_the_caller_may_name_its_requests(router: FakeRouter) -> None:
    async with ClusterClient(router.address) as cluster:
        for _ in range(2):
            client = DocumentClient(cluster, client_id="till-7")
            assert (await client.insert("d.c", [{"_id": 1}], request_id="receipt-1")).inserted == 1
    assert len(router.documents("d.c")) == 1


async def test_many_documents_go_in_batches(documents: DocumentClient, router: FakeRouter) -> None:
    outcome = await documents.insert_many("d.c", ({"_id": number} for number in range(2500)))
    assert (outcome.inserted, len(outcome.ids), router.counts["Insert"]) == (2500, 2500, 3)


async def test_errors_of_batches_are_numbered_through(documents: DocumentClient, router: FakeRouter) -> None:
    given = [{"_id": number, "bad": number in (3, 1500)} for number in range(2500)]
    outcome = await documents.insert_many("d.c", given, ordered=False)
    assert outcome.inserted == 2498
    assert outcome.errors == (DocumentError(3, "bad document"), DocumentError(1500, "bad document"))


async def test_an_ordered_insert_ends_with_its_first_error(documents: DocumentClient, router: FakeRouter) -> None:
    given = [{"_id": number, "bad": number == 1500} for number in range(2500)]
    outcome = await documents.insert_many("d.c", given)
    assert (outcome.inserted, outcome.errors) == (1500, (DocumentError(1500, "bad document"),))
    assert router.counts["Insert"] == 2


async def test_an_upsert_tells_the_id_it_made(documents: DocumentClient) -> None:
    outcome = await documents.update("d.c", {"sku": "x"}, {"$inc": {"n": 2}}, upsert=True)
    assert (outcome.matched, outcome.upserted_id) == (0, "upserted")
    assert (await documents.update("d.c", {"sku": "x"}, {"$inc": {"n": 2}}, upsert=True)).upserted_id is None


async def test_many_are_changed_and_deleted_where_asked(documents: DocumentClient) -> None:
    await documents.insert("d.c", [{"_id": number, "kind": "a"} for number in range(3)])
    assert (await documents.update("d.c", {"kind": "a"}, {"$inc": {"n": 1}}, many=True)).modified == 3
    assert (await documents.delete("d.c", {"kind": "a"})).deleted == 1
    assert (await documents.delete("d.c", {}, many=True)).deleted == 2


async def test_a_pipeline_is_sent_stage_by_stage(documents: DocumentClient, router: FakeRouter) -> None:
    await documents.insert("d.c", [{"_id": 1}])
    assert await documents.aggregate("d.c", [{"$match": {"a": 1}}, {"$count": "n"}]) == [{"n": 1}]
    assert [bson.decode(stage) for stage in router.requests[-1].pipeline] == [{"$match": {"a": 1}}, {"$count": "n"}]


async def test_an_explanation_of_a_query_and_of_a_pipeline(documents: DocumentClient, router: FakeRouter) -> None:
    router.explanation = {"plan": "scan"}
    assert await documents.explain("d.c", Query({"a": 1})) == {"plan": "scan"}
    assert await documents.explain("d.c", [{"$count": "n"}], execute=True) == {"plan": "scan"}
    query, pipeline = router.requests
    assert bson.decode(query.query.query) == {"a": 1}
    assert (bson.decode(pipeline.aggregation.pipeline[0]), pipeline.execute) == ({"$count": "n"}, True)


async def test_types_survive_the_way_there_and_back(documents: DocumentClient) -> None:
    values = {
        "_id": bson.ObjectId(),
        "long": bson.Int64(1),
        "date": DatetimeMS(2**55),
        "binary": b"\x00\x01",
        "uuid": bson.Binary(b"1" * 16, 4),
    }
    await documents.insert("d.c", [values])
    found = await documents.find_one("d.c")
    assert found == values
    assert isinstance(found["long"], bson.Int64)


async def test_a_refusal_is_not_repeated(documents: DocumentClient, router: FakeRouter) -> None:
    with pytest.raises(RemoteError, match=r"unknown operator: \$foo"):
        await documents.find_one("d.c", {"$foo": 1})
    assert router.counts["Query"] == 1


async def test_a_request_that_is_too_much_is_not_repeated(documents: DocumentClient, router: FakeRouter) -> None:
    """It would be too much again, and cost as much again."""
    router.before.append(OverloadedError("more than 10 documents would be examined", "MAX_EXAMINED"))
    with pytest.raises(RemoteError, match="more than 10 documents"):
        await documents.find_one("d.c")
    assert router.counts["Query"] == 1
    router.before.append(OverloadedError("too many calls", "OVERLOADED"))
    assert await documents.find_one("d.c") is None


async def test_a_long_query_is_not_cut_off_by_the_time_of_an_attempt(router: FakeRouter) -> None:
    """Five seconds are enough for a beat; an aggregation that was asked again every five would never end."""
    router.pipeline_s = 0.2
    async with ClusterClient(router.address, policy=RetryPolicy(attempt_timeout_s=0.05)) as cluster:
        assert await DocumentClient(cluster).aggregate("d.c", []) == []
    assert router.counts["Aggregate"] == 1


async def test_a_server_that_stays_away_is_given_up_in_time(documents: DocumentClient, router: FakeRouter) -> None:
    await router.stop()
    with pytest.raises(UnreachableError):
        await documents.insert("d.c", [{}])


async def test_what_cannot_be_sent_is_said_before(documents: DocumentClient, router: FakeRouter) -> None:
    with pytest.raises(InvalidArgumentError, match="8-byte ints"):
        await documents.insert("d.c", [{"n": 2**64}])
    with pytest.raises(ConfigError, match=r"namespace 'orders': write database\.collection"):
        await documents.insert("orders", [{}])
    assert not router.requests
