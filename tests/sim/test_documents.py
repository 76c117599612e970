"""Replica sets whose logs are those of the storage engine: documents agree everywhere, whatever was rolled back."""

from __future__ import annotations

import asyncio
import itertools
from collections import defaultdict
from typing import TYPE_CHECKING, Any

import pytest

from laura_fast.domain.documents.codec import decode_stored
from laura_fast.domain.replication.progress import WriteConcern
from laura_fast.errors import LauraError
from laura_fast.node.replication.document_log import DocumentLog
from laura_fast.storage.documents.layout import record_key
from laura_fast.storage.documents.store import DocumentStore
from laura_fast.storage.memory import MemoryStore
from laura_fast.testing.sim.disk import SimulatedDisk
from laura_fast.testing.sim.group import TIMEOUT_S, Group
from laura_fast.testing.sim.loop import VirtualLoop
from tests.sim.test_replica_set import simulate

if TYPE_CHECKING:
    import random
    from collections.abc import Sequence

    from laura_fast.storage.documents.oplog import OplogEntry
    from laura_fast.storage.documents.session import WriteSession

SEEDS = 8
FAULTS = 25
NAMESPACE = "shop.orders"
IDENTIFIERS = 8


def no_index(_definition: object) -> Any:
    raise NotImplementedError


class Life:
    """One life of a member: its engine over what its disk holds."""

    disk_type = SimulatedDisk

    def __init__(self, files: MemoryStore, dice: random.Random, loop: VirtualLoop) -> None:
        self.undone: list[OplogEntry] = []
        self.disk = self.disk_type(files, dice)
        self.store = DocumentStore(self.disk, no_index, now_ms=loop.wall_ms)
        self.log = DocumentLog(self.store, self._save)

    async def _save(self, undone: Sequence[OplogEntry]) -> None:
        self.undone += undone

    def crash(self) -> None:
        self.disk.crash()


class Shop:
    """A group whose clients keep counters in documents."""

    def __init__(self, seed: int, loop: VirtualLoop) -> None:
        self.loop = loop
        self.files: dict[str, MemoryStore] = defaultdict(MemoryStore)
        self.group: Group[Life] = Group(seed, 3, lambda each, dice: Life(self.files[each], dice, loop))
        self.acknowledged: dict[int, int] = defaultdict(int)
        self.undone = 0
        self._requests = itertools.count(1)

    async def start(self) -> None:
        await self.group.start(self.loop, lambda life: life.log)

    async def client(self) -> None:
        """Counts in some document on whoever says to be primary, all the time."""
        while True:
            await asyncio.sleep(self.group.dice.uniform(0.01, 0.3))
            for member in self.group.leading:
                try:
                    await self._count(member.me, self.group.dice.randrange(IDENTIFIERS))
                except (LauraError, TimeoutError, KeyError):
                    continue

    async def _count(self, member_id: str, identifier: int) -> None:
        request = next(self._requests)
        member = self.group.network.members[member_id]
        op_id = await self.group.logs[member_id].store.write(lambda session: count(session, identifier, request))
        async with asyncio.timeout(2 * TIMEOUT_S):
            await member.wait(op_id, WriteConcern())
        self.acknowledged[identifier] += 1

    def documents(self, member_id: str) -> dict[bytes, bytes]:
        with self.group.logs[member_id].store.reading() as snapshot:
            return dict(snapshot.documents(NAMESPACE))

    def history(self, member_id: str) -> list[OplogEntry]:
        store = self.group.logs[member_id].store
        return store.read_oplog(store.first_id(), store.head.op_id, 1 << 30)

    async def check(self) -> None:
        """All members hold the same, sound in itself, with every acknowledged count in it."""
        first = self.group.ids[0]
        histories = [self.history(each) for each in self.group.ids]
        kept = min(map(len, histories))  # a member that came late copied the beginning
        assert [history[-kept:] for history in histories] == [histories[0][-kept:]] * len(histories)
        for each in self.group.ids:
            assert self.documents(each) == self.documents(first)
            async for report in self.group.logs[each].store.verify(MemoryStore()):
                assert not report.findings
        with self.group.logs[first].store.reading() as snapshot:
            held = {
                body["_id"]: body["requests"]
                for body in map(decode_stored, dict(snapshot.documents(NAMESPACE)).values())
            }
        for identifier, counted in self.acknowledged.items():
            assert len(held[identifier]) >= counted
        requests = [request for each in held.values() for request in each]
        assert len(requests) == len(set(requests)), "a write was applied twice"


def count(session: WriteSession, identifier: int, request: int) -> int:
    """Adds a request to a document."""
    before = session.get(NAMESPACE, record_key(identifier)) if session.collection(NAMESPACE) else None
    if before is None:
        session.insert(NAMESPACE, {"_id": identifier, "requests": [request]})
    else:
        old = decode_stored(before)
        after = old | {"requests": [*old["requests"], request]}
        session.replace(NAMESPACE, record_key(identifier), old, after)
    return session.changes.op_id


async def suffer(shop: Shop) -> None:
    group = shop.group
    await shop.start()
    clients = [asyncio.create_task(shop.client()) for _ in range(2)]
    for _ in range(FAULTS):
        await group.disturb()
        await asyncio.sleep(group.dice.uniform(0, 1.5 * TIMEOUT_S))
        if group.dice.random() < 0.4:
            await shop.start()
    group.heal()
    await shop.start()
    await asyncio.sleep(8 * TIMEOUT_S)
    before = sum(shop.acknowledged.values())
    await asyncio.sleep(3 * TIMEOUT_S)
    assert sum(shop.acknowledged.values()) > before, "it does not go on after the faults"
    for client in clients:
        client.cancel()
    await asyncio.sleep(3 * TIMEOUT_S)
    await shop.check()
    await group.stop()


@pytest.mark.parametrize("seed", range(SEEDS))
def test_documents_agree_and_no_acknowledged_count_is_lost(seed: int) -> None:
    loop = VirtualLoop()

    async def run() -> None:
        await suffer(Shop(seed, loop))

    simulate(run(), loop)
