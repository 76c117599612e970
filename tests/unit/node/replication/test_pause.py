"""A primary that hands over takes no new writes, and what it took before is on disk."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from laura_fast.errors import RpcError
from laura_fast.node.replication.document_log import DocumentLog
from laura_fast.storage.documents.store import DocumentStore
from laura_fast.storage.memory import MemoryStore

if TYPE_CHECKING:
    from laura_fast.storage.documents.session import WriteSession


def insert(number: int, session: WriteSession) -> None:
    session.insert("shop.orders", {"_id": number})


async def reason(store: DocumentStore, number: int) -> str:
    """Why a write is refused; empty where it is made."""
    try:
        await store.write(lambda session: insert(number, session))
    except RpcError as refused:
        return refused.reason
    return ""


@pytest.fixture
async def store() -> DocumentStore:
    return DocumentStore(MemoryStore())


async def test_a_pause_waits_for_what_was_taken_and_refuses_what_comes(store: DocumentStore) -> None:
    log = DocumentLog(store, _nothing)
    await log.lead(1)
    writes = [asyncio.create_task(reason(store, number)) for number in range(5)]
    await asyncio.sleep(0)
    await log.pause()
    ended, last = [write.done() for write in writes], store.head.op_id
    assert [await write for write in writes].count("") == last - 2, "behind the no-op and the collection"
    assert await reason(store, 9) == "HANDING_OVER"
    assert (all(ended), store.head.op_id) == (True, last)
    log.resume()
    assert await reason(store, 9) == ""


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
