"""What a primary and a follower hold in memory does not grow with the log, nor with who is slow or dead."""

from __future__ import annotations

import asyncio
import tracemalloc
from typing import TYPE_CHECKING, Any

import pytest

from laura_fast.domain.replication.members import BEGINNING, Configuration, Position, ReplicaMember
from laura_fast.limits.replication import COPY_BYTES, MAX_OPLOG_BATCH_BYTES
from laura_fast.limits.units import MIB
from laura_fast.node.replication.document_log import DocumentLog
from laura_fast.node.replication.following import Following
from laura_fast.node.replication.leading import Leading
from laura_fast.node.replication.messages import Batch, Copy, Fetch
from laura_fast.storage.documents.store import DocumentStore
from tests.contract.stores import open_store

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from pathlib import Path

    from laura_fast.storage.documents.oplog import OplogEntry
    from laura_fast.storage.documents.session import WriteSession

NS = "shop.orders"
TEXT = "x" * 4_000
JOBS, JOB_DOCUMENTS = 40, 150
HELD_BYTES = 8 * MIB
"""What one reader may cost: a batch as it is stored and as it is decoded, and Python's share. The log has 24 MB."""
CONFIGURATION = Configuration("rs0", 1, tuple(ReplicaMember(each, f"{each}:1") for each in ("n1", "n2", "n3")))


class Primary:
    """A primary with a large log, whose other members have reported nothing."""

    def __init__(self, path: Path) -> None:
        self.store = DocumentStore(open_store("embedded", path))
        self.log = DocumentLog(self.store, save_undone)
        self.leading: Leading

    async def begin(self) -> None:
        no_op = await self.log.lead(1)
        self.leading = Leading("n1", CONFIGURATION, 1, self.log, no_op)
        for job in range(JOBS):
            await self.write(job)

    async def write(self, job: int) -> None:
        def insert(session: WriteSession) -> None:
            for number in range(JOB_DOCUMENTS):
                session.insert(NS, {"_id": job * JOB_DOCUMENTS + number, "text": TEXT})

        await self.store.write(insert)
        self.leading.grew()


async def save_undone(_undone: Sequence[OplogEntry]) -> None:
    raise NotImplementedError


@pytest.fixture
async def primary(tmp_path: Path) -> AsyncIterator[Primary]:
    made = Primary(tmp_path / "primary")
    await made.begin()
    tracemalloc.start()
    yield made
    tracemalloc.stop()
    made.leading.end()
    made.store.close()


def held() -> int:
    """The most bytes that Python held at once since the last look."""
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.reset_peak()
    return peak


async def test_a_slow_reader_is_served_from_disk(primary: Primary) -> None:
    last, job = BEGINNING, JOBS
    while last.op_id < primary.log.last.op_id:
        batch = await primary.leading.fetch(Fetch("n2", last, 0))
        assert sum(entry.size for entry in batch.entries) <= MAX_OPLOG_BATCH_BYTES + len(TEXT) + 100
        last = Position(batch.entries[-1].term, batch.entries[-1].op_id)
        if job < JOBS + 5:  # while it reads, the log grows
            await primary.write(job)
            job += 1
    assert held() < HELD_BYTES


async def test_a_copy_is_read_part_by_part(primary: Primary) -> None:
    token = b""
    while not (part := await primary.leading.copy(Copy("n2", token))).complete:
        assert len(part.pieces) <= COPY_BYTES + 2 * len(TEXT)
        token = part.token
    assert held() < HELD_BYTES
    assert primary.store.pins == {"n2": primary.log.last.op_id}


async def test_a_stranger_s_copies_keep_nothing(primary: Primary) -> None:
    for number in range(50):
        await primary.leading.copy(Copy(f"stranger {number}"))
    assert primary.store.pins == {}


class OnePrimary:
    """`Peers` of a follower, in this process."""

    def __init__(self, primary: Primary) -> None:
        self._primary = primary

    async def fetch(self, _member: ReplicaMember, fetch: Fetch) -> Batch:
        return await self._primary.leading.fetch(Fetch(fetch.member, fetch.last, 0))

    async def report(self, *_given: Any) -> None:
        await asyncio.sleep(0)


async def test_a_follower_holds_a_batch_and_the_job_that_is_not_complete(primary: Primary, tmp_path: Path) -> None:
    store = DocumentStore(open_store("embedded", tmp_path / "follower"))
    log = DocumentLog(store, save_undone)

    async def heard(_batch: Batch) -> bool:
        await asyncio.sleep(0)
        return True

    peers: Any = OnePrimary(primary)
    following = Following("n2", log, peers, 1.0, heard, syncing=None)
    task = asyncio.create_task(following.follow(CONFIGURATION.members[0], 1))
    async with asyncio.timeout(30):
        while log.last != primary.log.last:  # noqa: ASYNC110 - it says when it is level
            await asyncio.sleep(0.01)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert held() < 2 * HELD_BYTES
    store.close()
