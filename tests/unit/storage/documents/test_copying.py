"""A copy that is read in pieces while writes go on becomes, with the log replayed over it, what is copied."""

from __future__ import annotations

from functools import partial
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from laura_fast.errors import InvalidArgumentError, NotFoundError
from laura_fast.storage.documents.copying import Place, decode_pieces, encode_pieces
from laura_fast.storage.documents.layout import record_key
from laura_fast.storage.documents.session import WriteSession
from laura_fast.storage.documents.store import DocumentStore
from laura_fast.storage.memory import MemoryStore
from tests.unit.storage.documents.kit import NS, FieldIndex, read

if TYPE_CHECKING:
    from tests.unit.storage.documents.kit import Kit

OTHER = "db.others"
PORTION = 300
STALE = 50


async def change(store: DocumentStore, dice: Random, number: int) -> None:
    """Something at random, with an outcome."""
    namespace, identifier = dice.choice((NS, NS, OTHER)), dice.randrange(30)

    def job(session: WriteSession) -> None:
        session.ledger_put(b"request %d" % number, b"outcome")
        collection = session.collection(namespace)
        if dice.random() < 0.03:
            session.drop_collection(namespace)
        elif dice.random() < 0.05:
            session.drop_index(namespace, "n_1")
        elif dice.random() < 0.05 and (collection is None or collection.index("n_1") is None):
            session.create_index(namespace, {"key": {"n": 1}, "name": "n_1"})
            while not session.build_index(namespace, "n_1", 100).ready:
                pass
        elif session.get(namespace, record_key(identifier)) is None:
            session.insert(namespace, {"_id": identifier, "n": number, "filler": "x" * dice.randrange(80)})
        elif dice.random() < 0.3:
            session.remove(namespace, record_key(identifier), read(session, namespace, record_key(identifier)))
        else:
            before = read(session, namespace, record_key(identifier))
            delta = {"$set": {"n": number}}
            session.replace(namespace, record_key(identifier), before, before | {"n": number}, delta)

    await store.write(job)


async def copied(source: DocumentStore, target: DocumentStore, dice: Random, writes: int) -> None:
    """Copies with changes in between, each portion now and then twice, then replays what the log has since."""
    last = source.copy(Place(), 1).last
    await target.write(lambda session: session.begin_copy(last))
    place: Place | None = Place()
    number = 1000
    while place is not None:
        portion = source.copy(place, PORTION)
        pieces = decode_pieces(encode_pieces(portion.pieces))
        for _ in range(dice.randint(1, 2)):
            await target.write(partial(WriteSession.take_copied, pieces=pieces))
        place = portion.place
        for _ in range(writes):
            number += 1
            await change(source, dice, number)
    while target.head.op_id < source.head.op_id:
        entries = source.read_oplog(target.head.op_id + 1, 7, 1 << 20)
        await target.write(partial(WriteSession.replay, entries=entries))


def content(store: DocumentStore) -> dict[str, Any]:
    with store.reading() as snapshot:
        collections = snapshot.catalog.collections
        return {
            name: (found.since, {each.name for each in found.indexes}, list(snapshot.documents(name)))
            for name, found in collections.items()
        }


@pytest.mark.parametrize("seed", range(6))
async def test_a_copy_becomes_its_source(kit: Kit, seed: int) -> None:
    dice = Random(seed)  # noqa: S311 - reproducible
    await kit.index({"key": {"n": 1}, "name": "n_1"})
    for number in range(60):
        await change(kit.store, dice, number)
    target = DocumentStore(MemoryStore(), FieldIndex)
    for number in range(STALE):
        await change(target, dice, number)  # what was there before does not matter
    await copied(kit.store, target, dice, writes=seed)
    assert content(target) == content(kit.store)
    assert target.head[:3] == kit.store.head[:3]
    for number in (0, 59):
        key = b"request %d" % number
        assert await target.write(partial(WriteSession.ledger_get, key=key)) == b"outcome"
    async for report in target.verify():
        last = report
    assert last.findings == []


async def test_a_store_on_disk_forgets_what_it_had_before_a_copy(kit: Kit) -> None:
    source = DocumentStore(MemoryStore(), FieldIndex)
    await source.write(lambda session: session.insert(NS, {"_id": 1, "n": 1}))
    await kit.index({"key": {"n": 1}, "name": "n_1"})
    await kit.insert(*({"_id": number} for number in range(100)))
    await kit.store.write(lambda session: session.set_state(b"ballot", b"kept"))
    await copied(source, kit.store, Random(1), writes=0)  # noqa: S311 - reproducible
    kit.reopen()
    assert kit.documents() == [{"_id": 1, "n": 1}]
    assert kit.store.head[:3] == source.head[:3]
    with kit.store.reading() as snapshot:
        assert snapshot.state(b"ballot") == b"kept"
        assert [index.name for found in snapshot.catalog.collections.values() for index in found.indexes] == []
    async for report in kit.store.verify():
        last = report
    assert last.findings == []


async def test_some_collections_are_copied_without_outcomes(kit: Kit) -> None:
    await kit.insert({"_id": 1})
    await kit.insert({"_id": 2}, namespace=OTHER)
    await kit.store.write(lambda session: session.ledger_put(b"request", b"outcome"))
    portion = kit.store.copy(Place(), PORTION, [OTHER])
    assert [piece.namespace for piece in portion.pieces] == [OTHER]
    assert (portion.place, portion.documents) == (None, 1)
    with pytest.raises(NotFoundError):
        kit.store.copy(Place(), PORTION, ["db.absent"])


def test_what_is_no_part_of_a_copy_is_refused() -> None:
    with pytest.raises(InvalidArgumentError):
        decode_pieces(b"\xc1")
