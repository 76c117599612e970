"""Documents are written, read at any time of the window, and found through their indexes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from laura_fast.domain.documents import keys
from laura_fast.errors import AlreadyExistsError, NotFoundError, OutOfRangeError
from laura_fast.storage.documents.catalog import IndexState
from laura_fast.storage.documents.layout import record_key
from tests.unit.storage.documents.kit import NS, replace

if TYPE_CHECKING:
    from laura_fast.storage.documents.session import WriteSession
    from tests.unit.storage.documents.kit import Kit

BY_N = {"key": {"n": 1}, "name": "n_1"}
UNIQUE_N = {"key": {"n": 1}, "name": "n_1", "unique": True}


async def test_documents_come_in_the_order_of_their_ids(kit: Kit) -> None:
    await kit.insert({"_id": 3}, {"_id": 1}, {"_id": "a"}, {"_id": 2.5})
    assert [document["_id"] for document in kit.documents()] == [1, 2.5, 3, "a"]
    assert [document["_id"] for document in kit.documents(reverse=True)] == ["a", 3, 2.5, 1]
    assert [document["_id"] for document in kit.documents(after=record_key(2.5))] == [3, "a"]
    assert [document["_id"] for document in kit.documents(after=record_key(2.5), reverse=True)] == [1]
    assert [document["_id"] for document in kit.documents(start=keys.encode_value(2), stop=keys.encode_value(3))] == [
        2.5
    ]


async def test_documents_survive_reopening(kit: Kit) -> None:
    await kit.index(BY_N)
    await kit.insert({"_id": 1, "n": 5})
    kit.reopen()
    assert kit.documents() == [{"_id": 1, "n": 5}]
    assert kit.by_index("n_1") == [1]
    assert kit.store.head.op_id == 3


async def test_reads_of_the_past_see_exactly_their_time(kit: Kit) -> None:
    before = await kit.insert({"_id": 0})
    inserted = await kit.insert({"_id": 1, "n": 1})
    replaced = await kit.replace({"_id": 1, "n": 2})
    removed = await kit.remove(1)
    again = await kit.insert({"_id": 1, "n": 3})
    seen = [kit.documents(at)[1:] for at in (before, inserted, replaced, removed, again)]
    assert seen == [[], [{"_id": 1, "n": 1}], [{"_id": 1, "n": 2}], [], [{"_id": 1, "n": 3}]]
    points = []
    for at in (before, inserted, replaced, removed, again):
        with kit.store.reading(at) as snapshot:
            points.append(snapshot.get(NS, record_key(1)) is not None)
    assert points == [False, True, True, False, True]
    assert kit.documents(inserted, reverse=True) == [{"_id": 1, "n": 1}, {"_id": 0}]


async def test_indexes_answer_for_the_past_too(kit: Kit) -> None:
    await kit.index(BY_N)
    first = await kit.insert({"_id": 1, "n": 1}, {"_id": 2, "n": 2}, {"_id": 3, "n": 3})
    second = await kit.replace({"_id": 1, "n": 9})
    third = await kit.replace({"_id": 1, "n": 1})
    await kit.remove(2)
    assert kit.by_index("n_1", first) == [1, 2, 3]
    assert kit.by_index("n_1", second) == [2, 3, 1]
    assert kit.by_index("n_1", third, reverse=True) == [3, 2, 1]
    assert kit.by_index("n_1") == [1, 3]


async def test_a_time_to_come_is_refused(kit: Kit) -> None:
    time = await kit.insert({"_id": 1})
    with pytest.raises(OutOfRangeError):
        kit.store.reading(time + 1)


async def test_a_taken_id_is_refused_and_the_session_goes_on(kit: Kit) -> None:
    await kit.insert({"_id": 1, "n": 1})

    def job(session: WriteSession) -> str:
        with pytest.raises(AlreadyExistsError) as caught:
            session.insert(NS, {"_id": 1.0, "n": 2})
        session.insert(NS, {"_id": 2})
        return caught.value.message

    assert await kit.store.write(job) == 'duplicate key in db.things, index "_id_": {_id: 1.0}'
    assert kit.documents() == [{"_id": 1, "n": 1}, {"_id": 2}]
    assert kit.store.head.op_id == 3


async def test_a_unique_index_names_itself_and_leaves_nothing(kit: Kit) -> None:
    await kit.index(UNIQUE_N)
    await kit.insert({"_id": 1, "n": 5}, {"_id": 2, "n": 6})

    def job(session: WriteSession) -> None:
        with pytest.raises(AlreadyExistsError, match=r'index "n_1": {n: 5}'):
            session.insert(NS, {"_id": 3, "n": 5})
        with pytest.raises(AlreadyExistsError, match=r'index "n_1": {n: 5}'):
            replace(session, NS, {"_id": 2, "n": 5})

    await kit.store.write(job)
    assert kit.documents() == [{"_id": 1, "n": 5}, {"_id": 2, "n": 6}]
    await kit.replace({"_id": 1, "n": 7})
    await kit.replace({"_id": 2, "n": 5})
    assert kit.by_index("n_1") == [2, 1]


async def test_an_index_is_built_in_slices_while_writes_go_on(kit: Kit) -> None:
    await kit.insert(*({"_id": number, "n": -number} for number in range(5)))
    await kit.store.write(lambda session: session.create_index(NS, BY_N))
    assert not (await kit.store.write(lambda session: session.build_index(NS, "n_1", 2))).ready
    with pytest.raises(NotFoundError):
        kit.by_index("n_1")
    await kit.insert({"_id": 0.5, "n": 10}, {"_id": 9, "n": 11})
    await kit.replace({"_id": 0, "n": 12})
    await kit.remove(4)
    kit.reopen()
    while not (await kit.store.write(lambda session: session.build_index(NS, "n_1", 2))).ready:
        pass
    assert kit.by_index("n_1") == [3, 2, 1, 0.5, 9, 0]
    collection = kit.store.catalog.collections[NS]
    assert collection.indexes[0].state is IndexState.READY


async def test_a_dropped_collection_is_gone_and_its_past_is_not(kit: Kit) -> None:
    time = await kit.insert({"_id": 1})
    assert await kit.store.write(lambda session: session.drop_collection(NS))
    assert kit.documents() == []
    assert kit.documents(time) == [{"_id": 1}]
    await kit.insert({"_id": 2})
    assert kit.documents() == [{"_id": 2}]
    assert kit.documents(time) == [{"_id": 1}]
    assert not await kit.store.write(lambda session: session.drop_collection("db.other"))


async def test_long_keys_are_cut_and_still_tell_documents_apart(kit: Kit) -> None:
    await kit.index(UNIQUE_N)
    names = ["x" * 1000 + tail for tail in ("a", "b", "c")]
    await kit.insert(*({"_id": name, "n": name} for name in names))
    assert sorted(document["_id"] for document in kit.documents()) == names
    assert sorted(kit.by_index("n_1")) == names
    with pytest.raises(AlreadyExistsError, match="_id_"):
        await kit.insert({"_id": names[0], "n": 1})
    with pytest.raises(AlreadyExistsError, match="n_1"):
        await kit.insert({"_id": 1, "n": names[0]})
    collection = kit.store.catalog.collections[NS]
    assert (collection.long_keys, collection.indexes[0].long_keys) == (True, True)
    await kit.remove(names[1])
    assert sorted(kit.by_index("n_1")) == [names[0], names[2]]


async def test_arrays_mark_an_index(kit: Kit) -> None:
    await kit.index(BY_N)
    await kit.insert({"_id": 1, "n": 1})
    assert kit.store.catalog.collections[NS].indexes[0].multikey == 0
    await kit.insert({"_id": 2, "n": [3, 0, 3]})
    assert kit.store.catalog.collections[NS].indexes[0].multikey == 1
    assert kit.by_index("n_1") == [2, 1, 2]


async def test_outcomes_and_states_are_kept(kit: Kit) -> None:
    await kit.store.write(lambda session: session.ledger_put(b"request", b"outcome"))
    await kit.store.write(lambda session: session.set_state(b"key", b"secret"))
    kit.reopen()
    assert await kit.store.write(lambda session: session.ledger_get(b"request")) == b"outcome"
    assert await kit.store.write(lambda session: session.ledger_get(b"other")) is None
    with kit.store.reading() as snapshot:
        assert snapshot.state(b"key") == b"secret"
