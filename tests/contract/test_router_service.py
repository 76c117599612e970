"""lauradb.cluster.RouterService of a whole server, on both transports and both storage engines."""

from __future__ import annotations

import asyncio
import datetime as dt
from typing import TYPE_CHECKING, Any

import grpc
import msgspec
import pytest
from bson.objectid import ObjectId

from laura_fast.app import Server
from laura_fast.domain.documents.codec import decode, encode
from laura_fast.limits import database as limits
from laura_fast.pb.laura.fast.v1 import options_pb2
from laura_fast.pb.lauradb.cluster import routing_pb2
from tests.contract.router_kit import Router, deep, ids, refusal

if TYPE_CHECKING:
    from laura_fast.config import Config

ENGINES = ("disk", "memory")


@pytest.fixture(params=ENGINES)
def config(config: Config, request: pytest.FixtureRequest) -> Config:
    return msgspec.structs.replace(config, storage=request.param)


@pytest.fixture
def router(channel: grpc.aio.Channel) -> Router:
    return Router(channel)


class TestInsert:
    async def test_documents_are_there_with_their_ids(self, router: Router) -> None:
        answer = await router.insert({"_id": 1, "a": 1}, {"b": 2}, request_id="r1")
        assert (answer.request_id, answer.inserted_count, list(answer.errors)) == ("r1", 2, [])
        first, second = (decode(raw) for raw in answer.inserted_ids)
        assert first == {"_id": 1}
        assert isinstance(second["_id"], ObjectId)
        assert await router.find() == [{"_id": 1, "a": 1}, {**second, "b": 2}]

    async def test_the_id_comes_first(self, router: Router) -> None:
        await router.insert({"a": 1, "_id": 7})
        assert list((await router.find())[0]) == ["_id", "a"]

    async def test_nothing_is_fine(self, router: Router) -> None:
        answer = await router.insert(request_id="r1")
        assert answer == routing_pb2.InsertResponse(request_id="r1")

    @pytest.mark.parametrize(("ordered", "there"), [(True, [1, 2]), (False, [1, 2, 3])])
    async def test_a_duplicate_stops_an_ordered_insert_only(
        self, router: Router, ordered: bool, there: list[int]
    ) -> None:
        answer = await router.insert({"_id": 1}, {"_id": 2}, {"_id": 1.0}, {"_id": 3}, ordered=ordered)
        assert answer.inserted_count == len(there)
        assert [error.index for error in answer.errors] == [2]
        assert "duplicate key" in answer.errors[0].error
        assert "_id" in answer.errors[0].error
        assert ids(await router.find()) == there

    async def test_a_bad_document_is_its_own_error(self, router: Router) -> None:
        big = {"_id": "big", "s": "x" * (16 * 1024 * 1024)}
        answer = await router.insert(
            {"_id": 1},
            b"\x05\x00\x00",
            b"",
            deep(101),
            {"_id": [1]},
            _oversized(big),
            deep(100),
            b"\x0e\x00\x00\x00\x02s\x00\x02\x00\x00\x00\xff\x00\x00",
        )
        assert answer.inserted_count == 2
        assert [error.index for error in answer.errors] == [1, 2, 3, 4, 5, 7]
        assert "BSON" in answer.errors[0].error
        assert "_id" in answer.errors[3].error
        assert "16,777,216" in answer.errors[4].error


def _oversized(document: dict[str, Any]) -> bytes:
    text = str(document["s"]).encode() + b"\0"
    body = b"\x02_id\0\x04\0\0\0big\0\x02s\0" + len(text).to_bytes(4, "little") + text + b"\0"
    return (len(body) + 4).to_bytes(4, "little") + body


class TestQuery:
    async def test_the_request_id_comes_back_and_stats_tell(self, router: Router) -> None:
        await router.insert(*({"_id": n} for n in range(5)))
        answer = await router.query({"_id": {"$gte": 3}}, request_id="q1")
        assert answer.request_id == "q1"
        assert answer.stats.documents_returned == 2
        assert 2 <= answer.stats.documents_examined <= 5
        assert len(answer.stats.shards_queried) == 1
        assert answer.stats.execution_time_ms >= 0

    async def test_an_unknown_collection_is_empty(self, router: Router) -> None:
        answer = await router.query({"a": 1})
        assert not answer.documents
        assert not answer.more_available

    async def test_filter_sort_skip_limit_projection(self, router: Router) -> None:
        await router.insert(*({"_id": n, "n": n % 3, "m": n} for n in range(10)))
        found = await router.find(
            {"m": {"$gt": 1}}, sort={"n": -1, "m": 1}, skip=1, limit=3, projection={"m": 1, "_id": 0}
        )
        assert found == [{"m": 5}, {"m": 8}, {"m": 4}]

    async def test_a_point_lookup_examines_one(self, router: Router) -> None:
        await router.insert(*({"_id": n} for n in range(50)))
        answer = await router.query({"_id": 7})
        assert [decode(raw) for raw in answer.documents] == [{"_id": 7}]
        assert answer.stats.documents_examined == 1

    @pytest.mark.parametrize(
        ("fields", "reason"),
        [
            ({"limit": -1}, "NEGATIVE_NUMBER"),
            ({"skip": -1}, "NEGATIVE_NUMBER"),
            ({"batch_size": -1}, "NEGATIVE_NUMBER"),
            ({"max_examined": -1}, "NEGATIVE_NUMBER"),
            ({"database": ""}, "INVALID_NAME"),
            ({"collection": ""}, "INVALID_NAME"),
            ({"query": b"\x05"}, "MALFORMED_BSON"),
            ({"sort": b"\x05"}, "MALFORMED_BSON"),
            ({"projection": b"\x05"}, "MALFORMED_BSON"),
            ({"shard_key": b"\x05"}, "MALFORMED_BSON"),
            ({"cursor_id": "x"}, "CURSOR_INVALID"),
            ({"read_concern": 99}, "READ_CONCERN"),
            ({"read_preference": options_pb2.ReadPreference(mode=99)}, "READ_PREFERENCE"),  # type: ignore[arg-type]
            ({"read_preference": options_pb2.ReadPreference(max_staleness_s=120)}, "READ_PREFERENCE"),
        ],
    )
    async def test_bad_input_is_named(self, router: Router, fields: dict[str, Any], reason: str) -> None:
        request = routing_pb2.QueryRequest(**{**router.where, **fields})
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await router.stub.Query(request)
        assert refusal(caught.value) == ("INVALID_ARGUMENT", reason)

    async def test_an_unknown_operator_is_named(self, router: Router) -> None:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await router.query({"a": {"$near": 1}})
        assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
        assert "$near" in str(caught.value.details())

    async def test_what_one_node_cannot_do_is_refused(self, router: Router) -> None:
        secondary = options_pb2.ReadPreference(mode=options_pb2.ReadPreference.SECONDARY)
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await router.query(read_preference=secondary)
        assert refusal(caught.value) == ("FAILED_PRECONDITION", "NO_SUITABLE_MEMBER")
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await router.query(txn_id="t1")
        assert refusal(caught.value) == ("UNIMPLEMENTED", "NOT_BUILT")

    async def test_a_read_after_a_time_that_has_not_come_is_refused(self, router: Router) -> None:
        await router.insert({"_id": 1})
        assert len((await router.query(after_time=1)).documents) == 1
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await router.query(after_time=(1 << 64) - 1)
        assert refusal(caught.value) == ("FAILED_PRECONDITION", "TIME_AHEAD")

    async def test_max_examined_ends_a_scan(self, router: Router) -> None:
        await router.insert(*({"_id": n} for n in range(50)))
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await router.query({"a": 1}, max_examined=10)
        assert refusal(caught.value) == ("RESOURCE_EXHAUSTED", "MAX_EXAMINED")


class TestCursor:
    async def test_pages_are_whole_and_do_not_overlap(self, router: Router) -> None:
        await router.insert(*({"_id": n, "n": n % 7} for n in range(100)))
        assert ids(await router.find(batch_size=9)) == list(range(100))
        by_n = await router.find(sort={"n": -1}, batch_size=9)
        assert ids(by_n) == [n for rest in range(6, -1, -1) for n in range(100) if n % 7 == rest]

    async def test_a_page_has_a_thousand_documents_or_a_mebibyte(self, router: Router) -> None:
        await router.insert(*({"_id": n} for n in range(1_001)))
        page = await router.query()
        assert (len(page.documents), page.more_available) == (1_000, True)
        rest = await router.query(cursor_id=page.cursor_id)
        assert (len(rest.documents), rest.more_available, rest.cursor_id) == (1, False, "")
        large = Router(router.channel, collection="large")
        await large.insert(*({"_id": n, "s": "x" * 600_000} for n in range(5)))
        page = await large.query()
        assert (len(page.documents), page.more_available) == (2, True)
        assert ids(await large.find()) == list(range(5))

    async def test_the_limit_holds_over_pages_and_skip_counts_once(self, router: Router) -> None:
        await router.insert(*({"_id": n} for n in range(40)))
        assert ids(await router.find(limit=25, skip=3, batch_size=10)) == list(range(3, 28))
        assert ids(await router.find(limit=25, skip=3, batch_size=10, sort={"a": 1, "_id": -1})) == [*range(36, 11, -1)]

    async def test_the_last_page_has_no_cursor(self, router: Router) -> None:
        await router.insert(*({"_id": n} for n in range(20)))
        page = await router.query(batch_size=20)
        assert (len(page.documents), page.more_available) == (20, False)
        page = await router.query(batch_size=10, limit=10)
        assert (len(page.documents), page.more_available) == (10, False)

    async def test_writes_between_pages_neither_repeat_nor_hide_others(self, router: Router) -> None:
        await router.insert(*({"_id": n, "n": n} for n in range(0, 40, 2)))
        page = await router.query(sort={"n": 1}, batch_size=5)
        await router.insert({"_id": 1, "n": 1}, {"_id": 31, "n": 31})
        await router.delete({"_id": {"$in": [8, 12]}}, multi=True)
        rest = await router.find(sort={"n": 1}, batch_size=5)
        assert 1 in ids(rest)
        seen = ids([decode(raw) for raw in page.documents])
        while page.more_available:
            page = await router.query(sort={"n": 1}, batch_size=5, cursor_id=page.cursor_id)
            seen += ids([decode(raw) for raw in page.documents])
        assert seen == [0, 2, 4, 6, 8, *(n for n in range(10, 40) if (n % 2 == 0 and n != 12) or n == 31)]

    async def test_a_cursor_of_another_query_is_refused(self, router: Router) -> None:
        await router.insert(*({"_id": n} for n in range(20)))
        page = await router.query(batch_size=5)
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await router.query({"a": 1}, batch_size=5, cursor_id=page.cursor_id)
        assert refusal(caught.value) == ("INVALID_ARGUMENT", "CURSOR_OTHER_QUERY")


class TestUpdate:
    async def test_one_is_one(self, router: Router) -> None:
        await router.insert(*({"_id": n, "a": 1} for n in range(3)))
        answer = await router.update({"a": 1}, {"$inc": {"a": 1}}, request_id="u1")
        assert answer == routing_pb2.UpdateResponse(request_id="u1", matched_count=1, modified_count=1)
        assert sorted(document["a"] for document in await router.find()) == [1, 1, 2]

    async def test_multi_is_all_and_a_no_op_modifies_nothing(self, router: Router) -> None:
        await router.insert(*({"_id": n, "a": n} for n in range(4)))
        answer = await router.update({"a": {"$gte": 1}}, {"$set": {"a": 2}}, multi=True)
        assert (answer.matched_count, answer.modified_count) == (3, 2)

    async def test_an_upsert_makes_one_of_filter_and_operators(self, router: Router) -> None:
        answer = await router.update({"k": "x"}, {"$inc": {"n": 5}}, upsert=True)
        assert (answer.matched_count, answer.modified_count, answer.upserted_count) == (0, 0, 1)
        made = decode(answer.upserted_id)["_id"]
        assert await router.find() == [{"_id": made, "k": "x", "n": 5}]
        answer = await router.update({"k": "x"}, {"$inc": {"n": 5}}, upsert=True)
        assert (answer.matched_count, answer.modified_count, answer.upserted_count) == (1, 1, 0)
        assert not answer.upserted_id

    async def test_a_replacement_keeps_the_id(self, router: Router) -> None:
        await router.insert({"_id": 1, "a": 1})
        await router.update({"_id": 1}, {"b": 2})
        assert await router.find() == [{"_id": 1, "b": 2}]

    @pytest.mark.parametrize(
        "update",
        [
            {},
            {"$set": {"_id": 2}},
            {"$set": {"a": 1}, "b": 1},
            {"$frob": {"a": 1}},
            {"$set": {"a": 1}, "$inc": {"a": 1}},
        ],
    )
    @pytest.mark.parametrize("multi", [False, True])
    async def test_a_bad_update_changes_nothing(self, router: Router, update: dict[str, Any], multi: bool) -> None:
        await router.insert(*({"_id": n, "a": 5} for n in range(3)))
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await router.update({"a": 5}, update, multi=multi)
        assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
        assert await router.find() == [{"_id": n, "a": 5} for n in range(3)]

    @pytest.mark.parametrize("many", [3, 2_500])
    async def test_one_document_that_cannot_be_changed_leaves_all_as_they_were(self, router: Router, many: int) -> None:
        documents = [{"_id": n, "a": 1 if n < many - 1 else "text"} for n in range(many)]
        await router.insert(*documents)
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await router.update({}, {"$inc": {"a": 1}}, multi=True)
        assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
        assert await router.find() == documents

    async def test_expressions_know_the_time_of_the_command(self, router: Router) -> None:
        await router.insert(
            *({"_id": year, "due": dt.datetime(year, 1, 1, tzinfo=dt.UTC)} for year in (2000, 2020, 2200))
        )
        due = {"$expr": {"$lte": ["$due", "$$NOW"]}}
        assert (await router.update(due, {"$set": {"late": True}}, multi=True)).modified_count == 2
        assert ids(await router.find(due)) == [2000, 2020]
        assert (await router.delete(due)).deleted_count == 1
        assert (await router.delete(due, multi=True)).deleted_count == 1
        assert ids(await router.find({"late": {"$ne": True}})) == [2200]

    async def test_many_are_changed_once_each(self, router: Router) -> None:
        await router.insert(*({"_id": n, "a": 0} for n in range(2_500)))
        answer = await router.update({}, {"$inc": {"a": 1}}, multi=True)
        assert (answer.matched_count, answer.modified_count) == (2_500, 2_500)
        assert {document["a"] for document in await router.find()} == {1}

    async def test_the_only_match_behind_many_others_is_found(self, router: Router) -> None:
        await router.insert(*({"_id": n, "a": n} for n in range(1_000)))
        answer = await router.update({"a": 999}, {"$set": {"b": 1}})
        assert (answer.matched_count, answer.modified_count) == (1, 1)
        answer = await router.update({"a": 1_000}, {"$set": {"b": 1}})
        assert answer.matched_count == 0
        answer = await router.update({"a": 1_000}, {"$set": {"b": 1}}, upsert=True)
        assert answer.upserted_count == 1


class TestDelete:
    async def test_one_is_one_and_multi_is_all(self, router: Router) -> None:
        await router.insert(*({"_id": n, "a": 1} for n in range(5)))
        answer = await router.delete({"a": 1}, request_id="d1")
        assert answer == routing_pb2.DeleteResponse(request_id="d1", deleted_count=1)
        assert (await router.delete(multi=True)).deleted_count == 4
        assert (await router.delete(multi=True)).deleted_count == 0

    async def test_many_are_deleted_in_slices(self, router: Router) -> None:
        await router.insert(*({"_id": n, "a": n % 2} for n in range(2_500)))
        assert (await router.delete({"a": 1}, multi=True)).deleted_count == 1_250
        assert {document["a"] for document in await router.find()} == {0}


class TestExactlyOnce:
    async def test_a_repeated_insert_gets_the_first_answer(self, router: Router) -> None:
        answers = [await router.insert({"a": 1}, {"_id": 1}, {"_id": 1}, request_id="r", client_id="c") for _ in "ab"]
        assert answers[0] == answers[1]
        assert len(await router.find()) == 2

    async def test_a_repeated_increment_counts_once(self, router: Router) -> None:
        await router.insert({"_id": 1, "n": 0})
        many = [router.update({"_id": 1}, {"$inc": {"n": 1}}, request_id="r", client_id="c") for _ in range(8)]
        answers = await asyncio.gather(*many)
        answers.append(await router.update({"_id": 1}, {"$inc": {"n": 1}}, request_id="r", client_id="c"))
        assert all(answer == answers[0] for answer in answers)
        assert await router.find() == [{"_id": 1, "n": 1}]

    async def test_a_repeated_delete_has_the_same_count(self, router: Router) -> None:
        await router.insert({"_id": 1}, {"_id": 2})
        counts = [(await router.delete({}, multi=True, request_id="r")).deleted_count for _ in "ab"]
        assert counts == [2, 2]

    async def test_another_request_under_the_id_is_refused(self, router: Router) -> None:
        await router.delete({"a": 1}, request_id="r")
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await router.delete({"a": 2}, request_id="r")
        assert refusal(caught.value) == ("ALREADY_EXISTS", "REQUEST_ID_REUSED")

    async def test_clients_collections_and_methods_have_ids_of_their_own(self, router: Router) -> None:
        other = Router(router.channel, collection="others")
        answers = [
            await router.insert({"a": 1}, request_id="r", client_id="c1"),
            await router.insert({"a": 1}, request_id="r", client_id="c2"),
            await other.insert({"a": 1}, request_id="r", client_id="c1"),
        ]
        assert [answer.inserted_count for answer in answers] == [1, 1, 1]
        assert (await router.delete({"a": 1}, multi=True, request_id="r", client_id="c1")).deleted_count == 2

    async def test_without_an_id_each_is_new(self, router: Router) -> None:
        for _ in range(2):
            await router.insert({"a": 1})
        assert len(await router.find()) == 2


class TestWriteConcern:
    @pytest.mark.parametrize("w", ["", "majority", "1", "0"])
    async def test_what_one_node_can_promise(self, router: Router, w: str) -> None:
        concern = options_pb2.WriteConcern(w=w, j=False, wtimeout_ms=20_000)
        assert (await router.insert({"a": 1}, write_concern=concern)).inserted_count == 1

    @pytest.mark.parametrize(
        ("concern", "refused"),
        [
            ({"w": "2"}, ("FAILED_PRECONDITION", "WRITE_CONCERN_UNSATISFIABLE")),
            ({"w": "99999999999999999999"}, ("FAILED_PRECONDITION", "WRITE_CONCERN_UNSATISFIABLE")),
            ({"w": "everywhere"}, ("INVALID_ARGUMENT", "WRITE_CONCERN")),
            ({"w": "-1"}, ("INVALID_ARGUMENT", "WRITE_CONCERN")),
            ({"wtimeout_ms": -1}, ("INVALID_ARGUMENT", "WRITE_CONCERN")),
        ],
    )
    async def test_what_it_cannot_is_refused_before_anything_is_written(
        self, router: Router, concern: dict[str, Any], refused: tuple[str, str]
    ) -> None:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await router.insert({"a": 1}, write_concern=options_pb2.WriteConcern(**concern))
        assert refusal(caught.value) == refused
        assert await router.find() == []


class TestShardMap:
    async def test_one_shard_has_everything(self, router: Router, server: Server) -> None:
        await router.insert({"a": 1})
        answer = await router.stub.GetShardMap(routing_pb2.GetShardMapRequest(**router.where))
        assert (answer.shard_key_field, answer.strategy) == ("_id", routing_pb2.ShardingStrategy.HASH)
        (shard,) = answer.shards
        assert f"{shard.host}:{shard.port}" == server.address
        (chunk,) = shard.chunks
        assert (chunk.min_key, chunk.max_key) == (b"", b"")

    async def test_a_known_version_is_answered_without_shards(self, router: Router) -> None:
        await router.insert({"a": 1})
        version = (await router.stub.GetShardMap(routing_pb2.GetShardMapRequest(**router.where))).version
        assert version > 0
        again = routing_pb2.GetShardMapRequest(**router.where, version=version)
        answer = await router.stub.GetShardMap(again)
        assert (answer.version, list(answer.shards)) == (version, [])

    async def test_an_unknown_database_has_no_shards(self, router: Router) -> None:
        answer = await router.stub.GetShardMap(routing_pb2.GetShardMapRequest(database="none", collection="c"))
        assert answer.version > 0
        assert not answer.shards


class TestAggregate:
    async def test_a_pipeline_runs(self, router: Router) -> None:
        await router.insert(*({"_id": n, "k": n % 3, "n": n} for n in range(10)))
        stages = ({"$match": {"n": {"$gt": 0}}}, {"$group": {"_id": "$k", "n": {"$sum": "$n"}}}, {"$sort": {"_id": 1}})
        assert await router.aggregate(*stages) == [{"_id": 0, "n": 18}, {"_id": 1, "n": 12}, {"_id": 2, "n": 15}]

    async def test_a_pipeline_reads_other_collections(self, router: Router) -> None:
        await router.insert({"_id": 1, "item": "a"}, {"_id": 2, "item": "b"})
        items = Router(router.channel, collection="items")
        await items.insert({"_id": "a", "price": 5}, {"_id": "b", "price": 7}, {"_id": "c", "price": 9})
        equal = {"from": "items", "localField": "item", "foreignField": "_id", "as": "item"}
        dearer = {
            "from": "items",
            "let": {"price": {"$first": "$item.price"}},
            "pipeline": [{"$match": {"$expr": {"$gt": ["$price", "$$price"]}}}, {"$count": "n"}],
            "as": "dearer",
        }
        stages = ({"$lookup": equal}, {"$lookup": dearer}, {"$project": {"dearer": {"$first": "$dearer.n"}}})
        assert await router.aggregate(*stages) == [{"_id": 1, "dearer": 2}, {"_id": 2, "dearer": 1}]
        union = ({"$unionWith": "items"}, {"$facet": {"n": [{"$count": "n"}], "top": [{"$sort": {"price": -1}}]}})
        [facets] = await router.aggregate(*union)
        assert facets["n"] == [{"n": 5}]
        assert facets["top"][0] == {"_id": "c", "price": 9}

    async def test_no_stages_are_all_documents(self, router: Router) -> None:
        await router.insert(*({"_id": n} for n in range(5)))
        assert ids(await router.aggregate()) == list(range(5))
        nowhere = Router(router.channel, collection="nowhere")
        assert await nowhere.aggregate() == []

    @pytest.mark.parametrize("stage", [{"$frob": {}}, {}, {"$match": {}, "$limit": 1}])
    async def test_a_bad_stage_is_named(self, router: Router, stage: dict[str, Any]) -> None:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await router.aggregate(stage)
        assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
        if stage == {"$frob": {}}:
            assert "unsupported stage type: $frob" in str(caught.value.details())

    async def test_loops_end_with_their_request(self, router: Router) -> None:
        """A million times a million steps for one document hold no thread beyond the deadline."""
        await router.insert({"_id": 0})
        stage = encode({"$set": {"x": {"$size": ENDLESS}}})
        request = routing_pb2.AggregationRequest(**router.where, pipeline=[stage])
        calls = [router.stub.Aggregate(request, timeout=0.5) for _ in range(limits.RUNNING_AGGREGATES + 1)]
        for answer in await asyncio.gather(*calls, return_exceptions=True):
            assert isinstance(answer, grpc.aio.AioRpcError)
            assert answer.code() is grpc.StatusCode.DEADLINE_EXCEEDED
        assert await router.aggregate({"$count": "n"}) == [{"n": 1}]

    async def test_loops_of_a_query_end_soon(self, router: Router, monkeypatch: pytest.MonkeyPatch) -> None:
        """All other reads wait for them."""
        monkeypatch.setattr(limits, "SLICE_LOOP_S", 0.2)
        await router.insert({"_id": 0})
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await router.find({"$expr": {"$eq": [0, {"$size": ENDLESS}]}})
        assert refusal(caught.value) == ("RESOURCE_EXHAUSTED", "EXPRESSION_TOO_LONG")
        assert await router.find() == [{"_id": 0}]


MANY = {"$range": [0, {"$add": [1_000_000, "$_id"]}]}
ENDLESS = {"$map": {"input": MANY, "in": {"$size": {"$map": {"input": MANY, "in": {"$add": ["$$this", 1]}}}}}}


async def test_everything_survives_a_restart(config: Config) -> None:
    """Documents, the answers of requests, and a cursor in the middle of its pages."""
    config = msgspec.structs.replace(config, storage="disk")
    first = Server(config)
    await first.start()
    async with grpc.aio.insecure_channel(first.address) as channel:
        router = Router(channel)
        await router.insert(*({"_id": n} for n in range(30)))
        made = await router.insert({"n": 1}, request_id="r", client_id="c")
        page = await router.query({"_id": {"$lt": 30}}, batch_size=10)
    await first.stop(grace_s=0)
    second = Server(config)
    await second.start()
    async with grpc.aio.insecure_channel(second.address) as channel:
        router = Router(channel)
        assert await router.insert({"n": 1}, request_id="r", client_id="c") == made
        rest = await router.query({"_id": {"$lt": 30}}, cursor_id=page.cursor_id)
        assert ids([decode(raw) for raw in rest.documents]) == list(range(10, 30))
        assert len(await router.find()) == 31
    await second.stop(grace_s=0)
