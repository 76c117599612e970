"""The log of a member over real storage: what a commit that many writes share says to the event loop."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any

import pytest

from laura_fast.node.replication.document_log import DocumentLog
from laura_fast.storage.documents.store import DocumentStore
from laura_fast.storage.embedded import EmbeddedStore
from laura_fast.storage.environment import Environment

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from laura_fast.storage.documents.layout import Head
    from laura_fast.storage.documents.session import WriteSession

WRITES = 50


def no_index(_definition: object) -> Any:
    raise NotImplementedError


async def save_nothing(_undone: Sequence[Any]) -> None:
    raise NotImplementedError


@pytest.fixture
def store(tmp_path: Path) -> Iterator[DocumentStore]:
    found = DocumentStore(EmbeddedStore(Environment.open(tmp_path / "data")), no_index)
    yield found
    found.close()


async def test_writes_that_share_a_commit_are_told_of_once_and_before_they_are_answered(store: DocumentStore) -> None:
    """Each telling looks at every write that waits: for a thousand it took a quarter of the loop's time."""
    log, told = DocumentLog(store, save_nothing), list[int]()
    await log.lead(1)
    log.on_growth = lambda: told.append(log.last.op_id)
    gate, all_committed, tell = threading.Event(), threading.Event(), store.on_commit

    def committed(head: Head) -> None:
        tell(head)
        if head.op_id == 1 + WRITES:
            all_committed.set()

    store.on_commit = committed

    async def insert(number: int) -> None:
        def job(session: WriteSession) -> None:
            gate.wait()
            session.log_noop()

        await store.write(job)
        assert told, "the answer came first"

    first = asyncio.create_task(insert(0))
    await asyncio.sleep(0)
    others = [asyncio.create_task(insert(number)) for number in range(1, WRITES)]
    await asyncio.sleep(0)
    gate.set()
    assert all_committed.wait(30)  # the loop hears of nothing until then
    await asyncio.gather(first, *others)
    assert told[-1] == log.last.op_id == 1 + WRITES
    assert len(told) <= 2, "the lead's own entry and the rest, and not each write"
