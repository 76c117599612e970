"""Inserts, updates and deletes that take several transactions, and crash between any two of them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from bson.objectid import ObjectId
from bson.timestamp import Timestamp

from laura_fast.domain.documents.codec import decode, encode
from laura_fast.domain.documents.filters import compile_filter
from laura_fast.domain.documents.updates import compile_update
from laura_fast.errors import AlreadyExistsError, InvalidArgumentError, OverloadedError, UnavailableError
from laura_fast.limits import database as limits
from laura_fast.node.database.changes import Changes, Counts, Job
from laura_fast.node.database.choosing import Asked, choose
from laura_fast.node.database.commands import InsertCommand, InsertOutcome, Origin
from laura_fast.node.database.inserts import Insert
from laura_fast.node.database.modifying import Deleting, Updating
from laura_fast.node.database.once import ticket
from tests.unit.node.database.kit import PLACE, CrashError, MortalStore, budget, finished

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

ORIGIN = Origin("client", "r1")


class Inline:
    """`Readers` without a thread."""

    @staticmethod
    async def run(start: Callable[[], Generator[None, None, Any]]) -> Any:
        return finished(start())


@pytest.fixture(autouse=True)
def small_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "WRITE_SLICE_DOCUMENTS", 3)
    monkeypatch.setattr(limits, "CHANGE_LOOKS", 2)


@pytest.fixture
def store() -> MortalStore:
    return MortalStore()


def _respond_insert(outcome: InsertOutcome) -> bytes:
    ids = [decode(raw)["_id"] for raw in outcome.inserted_ids]
    return repr((ids, [place for place, _ in outcome.errors])).encode()


async def _insert(
    store: MortalStore, *documents: dict[str, Any], ordered: bool = False, request_id: str = "r1"
) -> bytes:
    command = InsertCommand(PLACE, tuple(map(encode, documents)), ordered)
    origin = Origin("client", request_id)
    request = ticket(origin, PLACE, "Insert", command)
    return await Insert(command, origin, request, _respond_insert).run(store)


async def _fill(store: MortalStore, count: int, **fields: Any) -> None:
    await _insert(store, *({"_id": number, "n": 0, **fields} for number in range(count)), request_id="")


async def _update(
    store: MortalStore,
    query: dict[str, Any],
    update: dict[str, Any],
    *,
    multi: bool = True,
    upsert: bool = False,
    request_id: str = "r1",
) -> bytes:
    filter_ = compile_filter(query)
    change = Updating(PLACE, filter_, compile_update(update), upsert, ObjectId, lambda: (0, Timestamp(0, 1)))
    request = ticket(Origin("client", request_id), PLACE, "Update", (str(query), str(update), multi))
    job = Job(PLACE, partial(choose, asked=Asked(PLACE, filter_)), change, multi, request, _respond, budget)
    return await Changes(store, Inline()).run(job)  # type: ignore[arg-type]  # what it needs of Readers


async def _delete(store: MortalStore, query: dict[str, Any], *, multi: bool = True) -> bytes:
    filter_ = compile_filter(query)
    request = ticket(ORIGIN, PLACE, "Delete", str(query))
    choosing = partial(choose, asked=Asked(PLACE, filter_))
    job = Job(PLACE, choosing, Deleting(PLACE, filter_), multi, request, _respond, budget)
    return await Changes(store, Inline()).run(job)  # type: ignore[arg-type]  # what it needs of Readers


def _respond(counts: Counts) -> bytes:
    return f"{counts.matched} {counts.modified} {bool(counts.upserted_id)}".encode()


async def _through_crashes(store: MortalStore, write: Callable[[], Any]) -> tuple[bytes, int]:
    """The answer of a write whose process dies behind each of its commits, and how often that was."""
    crashes = 0
    while True:
        store.writes_left = 1 if crashes % 2 else 2
        try:
            return await write(), crashes
        except CrashError:
            crashes += 1
        finally:
            store.writes_left = None


async def test_an_increment_of_many_counts_once_through_crashes(store: MortalStore) -> None:
    await _fill(store, 20)
    answer, crashes = await _through_crashes(store, lambda: _update(store, {}, {"$inc": {"n": 1}}))
    assert crashes > 4
    assert answer == b"20 20 False"
    assert {document["n"] for document in store.all()} == {1}
    assert await _update(store, {}, {"$inc": {"n": 1}}) == answer
    assert {document["n"] for document in store.all()} == {1}


async def test_a_change_of_many_does_not_go_on_where_a_rollback_may_have_undone_its_slices(
    store: MortalStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    await _fill(store, 10)

    async def next_office(start: Callable[[], Generator[None, None, Any]]) -> Any:
        store.term += 1
        return finished(start())

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(Inline, "run", staticmethod(next_office))
        with pytest.raises(UnavailableError, match="lost its office"):
            await _update(store, {}, {"$inc": {"n": 1}})
    assert {document["n"] for document in store.all()} == {0}
    assert await _update(store, {}, {"$inc": {"n": 1}}) == b"10 10 False"


async def test_an_update_that_ends_its_own_match_is_counted_whole(store: MortalStore) -> None:
    await _fill(store, 10)
    answer, crashes = await _through_crashes(store, lambda: _update(store, {"n": 0}, {"$set": {"n": 1}}))
    assert crashes
    assert answer == b"10 10 False"


async def test_a_delete_of_many_counts_once_through_crashes(store: MortalStore) -> None:
    await _fill(store, 20)
    answer, crashes = await _through_crashes(store, lambda: _delete(store, {"_id": {"$gte": 5}}))
    assert crashes
    assert answer == b"15 15 False"
    assert len(store.all()) == 5


async def test_an_insert_of_many_goes_on_after_crashes(store: MortalStore) -> None:
    documents = [{"a": number} if number % 2 else {"_id": number // 4, "a": number} for number in range(20)]
    answer, crashes = await _through_crashes(store, lambda: _insert(store, *documents))
    assert crashes > 2
    assert answer.endswith(b", [2, 6, 10, 14, 18])")
    assert await _insert(store, *documents) == answer
    assert sorted(document["a"] for document in store.all()) == [n for n in range(20) if n % 4 != 2]


async def test_an_ordered_insert_stops_at_its_first_error_in_any_slice(store: MortalStore) -> None:
    documents = [{"_id": number if number != 7 else 0} for number in range(12)]
    answer, _ = await _through_crashes(store, lambda: _insert(store, *documents, ordered=True))
    assert answer == repr(([0, 1, 2, 3, 4, 5, 6], [7])).encode()
    assert len(store.all()) == 7


async def test_a_full_disk_ends_the_request_and_a_repetition_goes_on(store: MortalStore) -> None:
    documents = [{"_id": number, "s": "x" * 1_000} for number in range(9)]
    store.max_bytes = 12_000
    with pytest.raises(OverloadedError, match="quota"):
        await _insert(store, *documents)
    before = len(store.all())
    assert before < 9
    store.max_bytes = 0
    assert await _insert(store, *documents) == repr((list(range(9)), [])).encode()
    assert len(store.all()) == 9


async def test_one_of_many_is_changed_where_the_search_is_long(store: MortalStore) -> None:
    await _fill(store, 10)
    assert await _update(store, {"n": 0, "_id": {"$gt": 4}}, {"$inc": {"n": 1}}, multi=False) == b"1 1 False"
    assert [document["_id"] for document in store.all() if document["n"]] == [5]


async def test_one_document_that_cannot_be_changed_leaves_all_of_many(store: MortalStore) -> None:
    await _fill(store, 10)
    await _insert(store, {"_id": 99, "n": "text"}, request_id="")
    with pytest.raises(InvalidArgumentError, match="n"):
        await _update(store, {}, {"$inc": {"n": 1}})
    assert {document["n"] for document in store.all()} == {0, "text"}


async def test_an_upsert_makes_one_where_the_search_was_long(store: MortalStore) -> None:
    await _fill(store, 10)
    for _ in range(2):
        assert await _update(store, {"k": "x"}, {"$inc": {"n": 1}}, multi=False, upsert=True) == b"0 0 True"
    assert len(store.all()) == 11


async def test_a_unique_index_refuses_a_change_by_name(store: MortalStore) -> None:
    await store.write(
        lambda session: session.create_index(PLACE, {"key": {"u": 1}, "name": "u_1", "unique": True}), request_id=""
    )
    await _insert(store, {"_id": 1, "u": 1}, {"_id": 2, "u": 2}, request_id="")
    with pytest.raises(AlreadyExistsError, match="u_1") as caught:
        await _update(store, {"_id": 2}, {"$set": {"u": 1}}, multi=False)
    assert caught.value.reason == "DUPLICATE_KEY"
    assert store.all() == [{"_id": 1, "u": 1}, {"_id": 2, "u": 2}]


async def test_one_of_many_is_found_through_any_of_two_indexes(store: MortalStore) -> None:
    for name in ("a", "b"):
        definition = {"key": {name: 1}, "name": f"{name}_1"}
        await store.write(lambda session, definition=definition: session.create_index(PLACE, definition))
    documents = [{"_id": number, "a": number % 2, "b": number % 3, "n": 0} for number in range(20)]
    await _insert(store, *documents, request_id="")
    query = {"$or": [{"a": 1, "n": 0}, {"b": 2, "n": 0}]}
    wanted = [document["_id"] for document in documents if document["a"] == 1 or document["b"] == 2]
    for count in range(len(wanted)):
        assert await _update(store, query, {"$inc": {"n": 1}}, multi=False, request_id=f"u{count}") == b"1 1 False"
    assert await _update(store, query, {"$inc": {"n": 1}}, multi=False, request_id="last") == b"0 0 False"
    assert [document["_id"] for document in store.all() if document["n"]] == wanted
