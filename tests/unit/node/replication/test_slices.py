"""An index on a member that follows is built in slices, whatever interrupts it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from laura_fast.limits import indexes as limits
from laura_fast.node.replication.document_log import DocumentLog
from laura_fast.node.replication.slices import parts
from laura_fast.storage.documents.catalog import IndexState
from laura_fast.storage.documents.oplog import Operation, OplogEntry
from laura_fast.storage.documents.store import DocumentStore
from laura_fast.storage.memory import MemoryStore
from tests.unit.storage.documents.kit import NS, FieldIndex

if TYPE_CHECKING:
    from collections.abc import Sequence

    from laura_fast.storage.documents.layout import Head
    from laura_fast.storage.documents.session import WriteSession

DOCUMENTS = 100
SLICE = 10
N_1 = {"key": {"n": 1}, "name": "n_1"}


async def primary() -> DocumentStore:
    store = DocumentStore(MemoryStore(), FieldIndex)

    def fill(session: WriteSession) -> None:
        for number in range(DOCUMENTS):
            session.insert(NS, {"_id": number, "n": number % 7})

    await store.write(fill)
    await store.write(lambda session: session.create_index(NS, N_1))
    while not (await store.write(lambda session: session.build_index(NS, "n_1", 30))).ready:
        pass
    await store.write(lambda session: session.insert(NS, {"_id": DOCUMENTS, "n": 1}))
    return store


async def save_undone(_undone: Sequence[OplogEntry]) -> None:
    raise NotImplementedError


@pytest.fixture(autouse=True)
def slices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "INDEX_BUILD_DOCUMENTS", SLICE)


async def test_an_index_is_built_in_slices_before_its_entry_is_taken() -> None:
    source, engine = await primary(), MemoryStore()
    entries = source.read_oplog(1, 1000, 1 << 30)
    store = DocumentStore(engine, FieldIndex)
    log, heads = DocumentLog(store, save_undone), list[int]()

    def committed(head: Head) -> None:
        heads.append(head.op_id)

    store.on_commit = committed
    await log.append(entries)
    index_id = entries[-2].op_id
    assert entries[-2].operation == Operation.CREATE_INDEX
    assert heads == [index_id - 1] * (1 + DOCUMENTS // SLICE) + [index_id + 1]
    async for report in store.verify(MemoryStore()):
        last = report
    assert last.findings == []


async def test_a_build_that_was_interrupted_goes_on() -> None:
    source, engine = await primary(), MemoryStore()
    entries = source.read_oplog(1, 1000, 1 << 30)
    store = DocumentStore(engine, FieldIndex)
    await DocumentLog(store, save_undone).append(entries[:-2])
    for _ in range(3):
        await store.write(lambda session: session.prepare_index(NS, N_1, SLICE), guarded=False)
    again = DocumentStore(engine, FieldIndex)
    with again.reading() as snapshot:
        [index] = snapshot.catalog.collections[NS].indexes
    assert index.state is IndexState.BUILDING
    await DocumentLog(again, save_undone).append(entries[-2:])
    async for report in again.verify(MemoryStore()):
        last = report
    assert last.findings == []
    with again.reading() as snapshot:
        assert len(list(snapshot.entries(NS, "n_1"))) == DOCUMENTS + 1


async def test_another_index_that_was_being_built_under_the_name_makes_way() -> None:
    source, store = await primary(), DocumentStore(MemoryStore(), FieldIndex)
    entries = source.read_oplog(1, 1000, 1 << 30)
    log = DocumentLog(store, save_undone)
    await log.append(entries[:-2])
    other = {"key": {"_id": 1}, "name": "n_1"}
    await store.write(lambda session: session.prepare_index(NS, other, SLICE), guarded=False)
    await log.append(entries[-2:])
    with store.reading() as snapshot:
        assert snapshot.index(NS, "n_1")[1].definition == N_1
    async for report in store.verify(MemoryStore()):
        last = report
    assert last.findings == []


def test_a_job_is_never_cut() -> None:
    def entry(operation: Operation, *, more: bool = False) -> OplogEntry:
        return OplogEntry(1, 1, 1, operation, NS, more=more)

    whole = [
        entry(Operation.INSERT),
        entry(Operation.CREATE_INDEX),
        entry(Operation.INSERT),
        entry(Operation.CREATE_COLLECTION, more=True),
        entry(Operation.CREATE_INDEX),
    ]
    assert list(parts(whole)) == [whole[:1], whole[1:]]
    assert list(parts([])) == []
