"""Members that lose their directory, or were away for longer than the log reaches back, copy everything by themselves.

Until they have, who came empty does not vote and nobody of them leads: whatever happens meanwhile, every request counts
once on every member, and the set goes on.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from laura_fast.domain.documents.codec import decode_stored
from laura_fast.domain.replication.progress import WriteConcern
from laura_fast.errors import StorageFailedError
from laura_fast.node.replication import copies, document_log
from laura_fast.node.replication.copies import ADMITTED, SYNC
from laura_fast.storage.documents.layout import OWN, Tables
from laura_fast.storage.documents.retention import Retention
from laura_fast.storage.memory import MemoryStore
from laura_fast.testing.sim.group import TIMEOUT_S
from laura_fast.testing.sim.loop import VirtualLoop
from tests.sim.test_exactly_once import BATCH_ENTRIES, NAMESPACE, Stock
from tests.sim.test_replica_set import simulate

if TYPE_CHECKING:
    from laura_fast.storage.documents.store import DocumentStore

SEEDS = (*range(10), 112)
"""In the last one, two members copy when the third loses its office: without the vote of the stale one nobody leads."""
FAULTS = 30
COPY_BYTES = 200
"""Of one part: a few documents, so that faults meet copies that are under way."""
OPLOG_BYTES = 6_000
"""Some seconds of writes."""


class Wiped(Stock):
    """A group whose members lose their disks, never two before the first is whole again, and whose logs are short."""

    def __init__(self, seed: int, loop: VirtualLoop) -> None:
        super().__init__(seed, loop)
        self.wiped = 0
        self.collectors: dict[str, DocumentStore] = {}

    async def start(self) -> None:
        await super().start()
        for each, life in self.group.logs.items():
            if self.collectors.get(each) is not life.store:
                self.collectors[each] = life.store
                life.store.retention = Retention(oplog_bytes=OPLOG_BYTES)
                self.loop.create_task(collect(life.store))

    def whole(self, member_id: str) -> bool:
        """Whether what a member may have acknowledged is on its disk."""
        files = self.files[member_id]
        tables = Tables.of(files)
        with files.read() as reader:
            return bool(reader.get(tables.state, OWN + ADMITTED)) and not reader.get(tables.state, OWN + SYNC)

    async def wipe(self) -> None:
        """A member comes back with an empty directory, if the others are whole."""
        victim = self.group.dice.choice(self.group.ids)
        if all(self.whole(each) for each in self.group.ids if each != victim):
            await self.group.crash(victim)
            self.files[victim] = MemoryStore()
            self.wiped += 1


async def collect(store: DocumentStore) -> None:
    """Lets the beginning of the log go, now and then, for as long as the member lives."""
    while True:
        await asyncio.sleep(0.5)
        try:
            await store.collect()
        except StorageFailedError:
            return


async def suffer(stock: Wiped) -> None:
    group = stock.group
    await stock.start()
    await stock.fill()
    clients = [asyncio.create_task(stock.client(f"client {number}")) for number in range(2)]
    for _ in range(FAULTS):
        await group.disturb()
        await asyncio.sleep(group.dice.uniform(0, 1.5 * TIMEOUT_S))
        if group.dice.random() < 0.3:
            await stock.wipe()
        if group.dice.random() < 0.5:
            await stock.start()
    group.heal()
    await stock.start()
    await asyncio.sleep(10 * TIMEOUT_S)
    stock.ends = True
    async with asyncio.timeout(10 * TIMEOUT_S):  # nobody leads, else
        await asyncio.gather(*clients)
    await asyncio.sleep(3 * TIMEOUT_S)
    assert [each for each in group.ids if group.network.members[each].sync_progress] == []
    stock.check()
    for each in group.ids:
        async for report in group.logs[each].store.verify():
            assert not report.findings
    await group.stop()


@pytest.mark.parametrize("seed", SEEDS)
def test_members_that_lost_everything_copy_it_and_nothing_is_counted_twice(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(document_log, "MAX_OPLOG_BATCH_ENTRIES", BATCH_ENTRIES)
    monkeypatch.setattr(copies, "COPY_BYTES", COPY_BYTES)
    loop = VirtualLoop()
    stock = Wiped(seed, loop)
    simulate(suffer(stock), loop)
    assert stock.wiped


async def watch_a_stale_member(stock: Wiped) -> None:
    group = stock.group
    await stock.start()
    await stock.fill()
    [primary] = [member.me for member in group.leading]
    stale, behind = (each for each in group.ids if each != primary)
    apart = {pair for other in (primary, stale) for pair in ((behind, other), (other, behind))}
    group.network.cut = apart
    await write(stock, primary, "only two have it")
    await begin_to_copy(stock, stale)
    await group.crash(primary)
    group.heal()
    await asyncio.sleep(8 * TIMEOUT_S)
    assert not group.leading  # what the stale one acknowledged, the other one lacks
    await group.crash(stale)
    await stock.start()
    await group.crash(primary)
    await asyncio.sleep(8 * TIMEOUT_S)
    assert not group.leading
    group.network.cut = apart
    await stock.start()
    await asyncio.sleep(8 * TIMEOUT_S)
    assert [member.me for member in group.leading] == [primary]
    assert not stock.whole(stale)
    group.heal()
    await asyncio.sleep(8 * TIMEOUT_S)
    assert all(map(stock.whole, group.ids))
    assert [held(stock, each) for each in group.ids] == ["only two have it"] * 3
    await group.stop()


async def write(stock: Wiped, primary: str, what: str) -> None:
    document = {"_id": what, "shelf": -1}
    await stock.group.logs[primary].store.write(lambda session: session.insert(NAMESPACE, document))
    await stock.group.network.members[primary].settle(WriteConcern())


async def begin_to_copy(stock: Wiped, member_id: str) -> None:
    """As after a primary's answer that its log does not reach back so far. Returns in the middle of the copy."""
    syncing = stock.group.network.members[member_id]._syncing
    assert syncing
    syncing.start_over("it is told so")
    for _ in range(1000):
        await asyncio.sleep(0.001)
        if not stock.whole(member_id):
            break
    assert syncing.copying
    assert not stock.whole(member_id)


def held(stock: Wiped, member_id: str) -> object:
    """The document behind the others."""
    with stock.group.logs[member_id].store.reading() as snapshot:
        return [decode_stored(body) for _, body in snapshot.documents(NAMESPACE)][-1]["_id"]


@pytest.mark.parametrize("seed", range(3))
def test_a_stale_member_votes_for_whom_has_all_it_acknowledged_and_does_not_lead(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copies, "COPY_BYTES", COPY_BYTES)
    loop = VirtualLoop()
    simulate(watch_a_stale_member(Wiped(seed, loop)), loop)
