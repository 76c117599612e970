"""The oplog is read, appended to on a replica, replayed and rolled back."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from laura_fast.domain.documents import codec
from laura_fast.errors import AlreadyExistsError, DataLossError, FailedPreconditionError, OutOfRangeError
from laura_fast.limits import documents as limits
from laura_fast.storage.documents.layout import Tables, record_key
from laura_fast.storage.documents.oplog import Operation, OplogEntry
from laura_fast.storage.documents.retention import Retention
from laura_fast.storage.documents.session import WriteSession
from laura_fast.storage.documents.store import DocumentStore
from laura_fast.storage.memory import MemoryStore
from tests.unit.storage.documents.kit import NS, FieldIndex, read, replace

if TYPE_CHECKING:
    from tests.unit.storage.documents.kit import Kit


def entries(kit: Kit, start: int = 1) -> list[OplogEntry]:
    return kit.store.read_oplog(start, 1000, 1 << 20)


def replica() -> DocumentStore:
    return DocumentStore(MemoryStore(), FieldIndex)


async def test_entries_say_what_became_of_each_document(kit: Kit) -> None:
    await kit.store.write(lambda session: session.insert(NS, {"_id": 1, "n": 1}), request_id="r1")

    def change(session: WriteSession) -> None:
        key = record_key(1)
        session.replace(NS, key, {"_id": 1, "n": 1}, {"_id": 1, "n": 2}, {"$set": {"n": 2}})
        session.replace(NS, key, {"_id": 1, "n": 2}, {"_id": 1, "m": 2})
        session.remove(NS, key, {"_id": 1, "m": 2})
        session.log_noop()

    kit.store.term = 7
    await kit.store.write(change)
    found = entries(kit)
    assert [(entry.op_id, entry.term, Operation(entry.operation), entry.request_id) for entry in found] == [
        (1, 1, Operation.CREATE_COLLECTION, "r1"),
        (2, 1, Operation.INSERT, "r1"),
        (3, 7, Operation.UPDATE, ""),
        (4, 7, Operation.UPDATE, ""),
        (5, 7, Operation.DELETE, ""),
        (6, 7, Operation.NOOP, ""),
    ]
    assert codec.decode(found[1].document) == {"_id": 1, "n": 1}
    assert (codec.decode(found[2].query), codec.decode(found[2].update)) == ({"_id": 1}, {"$set": {"n": 2}})
    assert codec.decode(found[3].update) == {"_id": 1, "m": 2}
    assert codec.decode(found[4].query) == {"_id": 1}
    assert kit.store.head[:3] == (6, 7, found[5].time)


async def test_reading_ends_at_either_limit_and_never_hides_a_gap(kit: Kit) -> None:
    await kit.insert(*({"_id": number, "filler": "x" * 100} for number in range(20)))
    assert [entry.op_id for entry in kit.store.read_oplog(5, 3, 1 << 20)] == [5, 6, 7]
    assert [entry.op_id for entry in kit.store.read_oplog(5, 100, 200)] == [5, 6]
    assert entries(kit, 22) == []
    with pytest.raises(OutOfRangeError) as ahead:
        entries(kit, 23)
    kit.store.retention = Retention(oplog_bytes=1)
    while await kit.store.collect():
        pass
    with pytest.raises(FailedPreconditionError) as behind:
        entries(kit, 20)
    assert (ahead.value.reason, behind.value.reason) == ("DIVERGED", "OPLOG_TRUNCATED")


async def test_a_damaged_entry_is_noticed(kit: Kit) -> None:
    await kit.insert({"_id": 1, "text": "whole"})
    table, key = Tables.of(kit.engine).oplog, (2).to_bytes(8)
    with kit.engine.read() as reader:
        data = reader.get(table, key) or b""
    await kit.engine.write(lambda writer: writer.put(table, key, data.replace(b"whole", b"wh0le")))
    with pytest.raises(DataLossError, match="entry 2"):
        entries(kit)


async def test_a_replica_takes_each_entry_once_and_in_order(kit: Kit) -> None:
    await kit.index({"key": {"n": 1}, "name": "n_1"})
    await kit.insert({"_id": 1, "n": 1})
    await kit.replace({"_id": 1, "n": 2})
    log, follower = entries(kit), replica()
    with pytest.raises(OutOfRangeError, match="gap: expected 1"):
        await follower.write(lambda session: session.append(log[1]))
    for entry in log:
        assert await follower.write(partial(WriteSession.append, entry=entry))
    assert not await follower.write(lambda session: session.append(log[0]))
    with pytest.raises(AlreadyExistsError, match="conflict at op 2"):
        await follower.write(lambda session: session.append(msgspec.structs.replace(log[1], term=9)))
    with pytest.raises(FailedPreconditionError):
        await follower.write(lambda session: session.append(msgspec.structs.replace(log[-1], op_id=len(log) + 1)))
    assert follower.head[:3] == kit.store.head[:3]
    with follower.reading(log[-2].time) as snapshot:
        assert read(snapshot, NS, record_key(1)) == {"_id": 1, "n": 1}


async def test_the_last_entry_of_a_job_carries_what_became_of_its_request(kit: Kit) -> None:
    def count(session: WriteSession) -> None:
        for identifier in (1, 2):
            session.insert(NS, {"_id": identifier})
        session.ledger_put(b"request", b"half")
        session.ledger_put(b"request", b"two")
        assert session.ledger_get(b"request") == b"two"

    await kit.store.write(count)
    await kit.store.write(lambda session: session.ledger_put(b"found nothing", b"zero"))
    log, follower = entries(kit), replica()
    assert [(entry.more, entry.outcomes) for entry in log] == [
        (True, ()),
        (True, ()),
        (False, ((b"request", b"two"),)),
        (False, ((b"found nothing", b"zero"),)),
    ]
    assert log[-1].operation == Operation.NOOP
    assert [kit.store.job_end(op_id) for op_id in range(5)] == [0, 0, 0, 3, 4]
    await follower.write(lambda session: [session.append(entry) for entry in log])
    assert await outcomes(follower) == [b"two", b"zero"]
    await follower.write(lambda session: session.roll_back(3, 10))
    assert await outcomes(follower) == [b"two", None]
    for _ in range(2):
        await follower.write(lambda session: session.replay(log))
        assert await outcomes(follower) == [b"two", b"zero"]


async def outcomes(store: DocumentStore) -> list[bytes | None]:
    names = (b"request", b"found nothing")
    return [await store.write(partial(WriteSession.ledger_get, key=name)) for name in names]


async def test_what_was_replayed_has_no_past(kit: Kit) -> None:
    first = await kit.insert({"_id": 1, "n": 1})
    await kit.replace({"_id": 1, "n": 2})
    log, copy = entries(kit), replica()
    await copy.write(lambda session: session.replay(log))
    with pytest.raises(OutOfRangeError, match="older"):
        copy.reading(first)
    with pytest.raises(OutOfRangeError, match="gap: expected 2"):
        await copy.write(lambda session: session.replay([log[0], log[2]]))


async def test_a_replay_passes_states_that_no_document_ever_had(monkeypatch: pytest.MonkeyPatch) -> None:
    """Over a later state, an early entry can make a document too large, impossible to index, or a second of its key."""
    monkeypatch.setattr(limits, "MAX_DOCUMENT_BYTES", 1000)
    store = DocumentStore(MemoryStore())
    for fields in ({"a": 1, "b": 1}, {"n": 1}):
        definition = {"key": fields, "name": "_".join(fields), "unique": True}
        await store.write(partial(WriteSession.create_index, namespace=NS, definition=definition))
    large = "x" * 800
    steps: list[tuple[int, dict[str, Any], dict[str, Any]]] = [
        (1, {"a": [1], "n": 1, "p": large}, {"$set": {"a": [1], "p": large}}),
        (1, {"a": 2, "n": 1}, {"$set": {"a": 2}, "$unset": {"p": True}}),
        (1, {"a": 2, "n": 1, "b": [3], "q": large}, {"$set": {"b": [3], "q": large}}),
        (2, {"n": 2, "a": 5}, {"$set": {"n": 2, "a": 5}}),
        (1, {"a": 2, "n": 3, "b": [3], "q": large}, {"$set": {"n": 3}}),
        (2, {"n": 1, "a": 5}, {"$set": {"n": 1}}),
    ]

    def change(session: WriteSession) -> None:
        session.insert(NS, {"_id": 1, "n": 1})
        session.insert(NS, {"_id": 2, "n": 4, "a": 4})
        for identifier, content, delta in steps:
            key = record_key(identifier)
            session.replace(NS, key, read(session, NS, key), {"_id": identifier, **content}, delta)

    await store.write(change)
    log = store.read_oplog(1, 100, 1 << 30)
    with store.reading() as snapshot:
        expected = list(snapshot.documents(NS))
    for start in range(len(log)):
        await store.write(partial(WriteSession.replay, entries=log[start:]))
        with store.reading() as snapshot:
            assert [(key, codec.decode(body)) for key, body in snapshot.documents(NS)] == [
                (key, codec.decode(body)) for key, body in expected
            ]
        async for report in store.verify():
            last = report
        assert last.findings == []


async def test_a_rollback_takes_outcomes_back_too(kit: Kit) -> None:
    await kit.index({"key": {"n": 1}, "name": "n_1"})
    await kit.insert({"_id": 1, "n": 1}, {"_id": 2, "n": 2})
    await kit.store.write(lambda session: session.ledger_put(b"kept", b"1"))
    await kit.store.write(lambda session: session.ledger_put(b"went on", b"half"))
    time, op_id = kit.store.head.time, kit.store.head.op_id

    def change(session: WriteSession) -> None:
        replace(session, NS, {"_id": 1, "n": 3})
        session.remove(NS, record_key(2), {"_id": 2, "n": 2})
        session.drop_index(NS, "n_1")
        session.ledger_put(b"undone", b"2")
        session.ledger_put(b"went on", b"three quarters")
        session.ledger_put(b"went on", b"done")
        session.drop_collection(NS)
        session.create_collection(NS)

    await kit.store.write(change)
    undone = await kit.store.write(lambda session: session.roll_back(op_id, 100))
    assert [entry.op_id for entry in undone] == [op_id + number for number in (5, 4, 3, 2, 1)]
    assert kit.documents() == [{"_id": 1, "n": 1}, {"_id": 2, "n": 2}]
    assert kit.by_index("n_1") == [1, 2]
    outcomes = [
        await kit.store.write(partial(WriteSession.ledger_get, key=key)) for key in (b"kept", b"undone", b"went on")
    ]
    assert outcomes == [b"1", None, b"half"]
    assert kit.store.head.op_id == op_id
    assert kit.store.head.time <= time


async def test_a_rollback_restores_what_its_own_entry_dropped(kit: Kit) -> None:
    """Not what an entry of the same op id did that was undone before, nor what was dropped without an entry."""
    await kit.insert({"_id": 1, "n": 1}, {"_id": 2, "n": 1})
    await kit.index({"key": {"n": 1}, "name": "first"})
    await kit.index({"key": {"n": 1}, "name": "second", "sparse": True})
    op_id = kit.store.head.op_id
    with pytest.raises(AlreadyExistsError):
        await kit.index({"key": {"n": 1}, "name": "unique", "unique": True})
    await kit.store.write(lambda session: session.drop_index(NS, "unique"))
    for drop in (
        lambda session: session.drop_index(NS, "first"),
        lambda session: session.drop_index(NS, "second"),
        lambda session: session.drop_collection(NS),
    ):
        await kit.store.write(drop)
        await kit.store.write(lambda session: session.roll_back(op_id, 10))
        assert kit.store.head.op_id == op_id
        assert [kit.by_index("first"), kit.by_index("second")] == [[1, 2], [1, 2]]
        assert kit.documents() == [{"_id": 1, "n": 1}, {"_id": 2, "n": 1}]


async def test_a_build_given_up_is_nothing_that_a_rollback_must_know(kit: Kit) -> None:
    await kit.insert({"_id": 1, "n": 1}, {"_id": 2, "n": 1})
    head = kit.store.head
    kit.now += 1
    with pytest.raises(AlreadyExistsError):
        await kit.index({"key": {"n": 1}, "name": "unique", "unique": True})
    await kit.store.write(lambda session: session.drop_index(NS, "unique"))
    kit.store.commit_point = head.op_id
    kit.now += 10**6
    while await kit.store.collect():
        pass
    await kit.insert({"_id": 3, "n": 3})
    await kit.store.write(lambda session: session.roll_back(head.op_id, 10))
    assert kit.store.head[:3] == head[:3]


async def test_nothing_is_rolled_back_beyond_what_is_kept(kit: Kit) -> None:
    await kit.insert({"_id": 1, "n": 1})
    await kit.replace({"_id": 1, "n": 2})
    kit.now += 10**6
    while await kit.store.collect():
        pass
    with pytest.raises(FailedPreconditionError, match="no longer kept"):
        await kit.store.write(lambda session: session.roll_back(0, 10))
    assert kit.documents() == [{"_id": 1, "n": 2}]
