"""A primary that hands over takes no new writes, and what it took before is on disk."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from laura_fast.errors import RpcError
from laura_fast.node.replication.document_log import DocumentLog
from laura_fast.storage.documents.store import DocumentStore
from tests.contract.stores import open_store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from laura_fast.storage.documents.session import WriteSession


async def reason(store: DocumentStore, number: int, taken: Callable[[], object] = lambda: None) -> str:
    """Why a write is refused; empty where it is made. `taken` is called on the writer's thread before its commit."""

    def job(session: WriteSession) -> None:
        session.insert("shop.orders", {"_id": number})
        taken()

    try:
        await store.write(job)
    except RpcError as refused:
        return refused.reason
    return ""


@pytest.fixture
def store(tmp_path: Path) -> Iterator[DocumentStore]:
    """On the engine that has a disk to wait for."""
    store = DocumentStore(open_store("embedded", tmp_path))
    yield store
    store.close()


async def test_a_pause_waits_for_what_was_taken_and_refuses_what_comes(store: DocumentStore) -> None:
    log, taken, loop = DocumentLog(store, _nothing), asyncio.Event(), asyncio.get_running_loop()
    await log.lead(1)
    before = asyncio.create_task(reason(store, 1, lambda: loop.call_soon_threadsafe(taken.set)))
    await taken.wait()
    await log.pause()
    on_disk = store.head.op_id
    assert await before == ""
    assert await reason(store, 2) == "HANDING_OVER"
    assert store.head.op_id == on_disk == 3, "the no-op, the collection and the document"
    log.resume()
    assert await reason(store, 2) == ""


async def test_a_next_term_takes_writes_again(store: DocumentStore) -> None:
    log = DocumentLog(store, _nothing)
    await log.lead(1)
    await log.pause()
    log.fence()
    assert await reason(store, 1) == "NOT_PRIMARY"
    await log.lead(2)
    assert await reason(store, 1) == ""


async def _nothing(_undone: object) -> None:
    """Saves nothing."""
