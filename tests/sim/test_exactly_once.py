"""A request that is repeated at whoever leads next counts once, whatever happened to the members in between."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from typing import TYPE_CHECKING, Any, cast

import bson
import pytest
from bson.timestamp import Timestamp

from laura_fast.domain.documents.codec import decode_stored
from laura_fast.domain.documents.filters import compile_filter
from laura_fast.domain.documents.updates import compile_update
from laura_fast.domain.replication.progress import WriteConcern
from laura_fast.errors import LauraError
from laura_fast.node.database.changes import Changes, Counts, Job
from laura_fast.node.database.choosing import Asked, choose
from laura_fast.node.database.commands import Origin, UpdateCommand
from laura_fast.node.database.modifying import Updating
from laura_fast.node.database.once import ticket
from laura_fast.node.replication import document_log
from laura_fast.storage.documents.layout import Tables
from laura_fast.storage.memory import MemoryStore
from laura_fast.testing.sim.group import TIMEOUT_S, Group
from laura_fast.testing.sim.loop import VirtualLoop
from tests.sim.test_documents import Life
from tests.sim.test_replica_set import simulate

if TYPE_CHECKING:
    from laura_fast.domain.documents.budget import Budget
    from laura_fast.node.database.readers import Readers

SEEDS = 10
FAULTS = 25
NAMESPACE = "shop.stock"
SHELVES = 2
DOCUMENTS = 10
BATCH_ENTRIES = 3
"""Of the log on its way to members: fewer than the documents that one request changes."""


class Stock:
    """A group whose clients count shelves up, each request until it is acknowledged."""

    def __init__(self, seed: int, loop: VirtualLoop) -> None:
        self.loop = loop
        self.files: dict[str, MemoryStore] = defaultdict(MemoryStore)
        self.group: Group[Life] = Group(seed, 3, lambda each, dice: Life(self.files[each], dice, loop))
        self.counted: dict[int, int] = defaultdict(int)
        self.repeated = 0
        self.ends = False

    async def start(self) -> None:
        await self.group.start(self.loop, lambda life: life.log)

    async def fill(self) -> None:
        """Puts documents on the shelves."""
        await asyncio.sleep(4 * TIMEOUT_S)
        [member] = self.group.leading
        documents = [{"_id": each, "shelf": each % SHELVES, "n": 0} for each in range(DOCUMENTS)]
        store = self.group.logs[member.me].store
        await store.write(lambda session: [session.insert(NAMESPACE, document) for document in documents])
        await member.settle(WriteConcern())

    async def client(self, name: str) -> None:
        """One request after the other."""
        number = 0
        while not self.ends:
            number += 1
            shelf = self.group.dice.randrange(SHELVES)
            job = increment(Origin(name, str(number)), shelf)
            while not await self._acknowledged(job):
                self.repeated += 1
                await asyncio.sleep(self.group.dice.uniform(0.01, TIMEOUT_S))
            self.counted[shelf] += 1
            await asyncio.sleep(self.group.dice.uniform(0.05, 0.5))

    async def _acknowledged(self, job: Job) -> bool:
        for member in self.group.leading:
            try:
                async with asyncio.timeout(2 * TIMEOUT_S):
                    await Changes(self.group.logs[member.me].store, NO_READERS).run(job)
                    await member.settle(WriteConcern())
            except (LauraError, TimeoutError, KeyError):
                continue
            return True
        return False

    def check(self) -> None:
        """Every member counted every request once, and remembers the same of them."""
        ledgers = []
        for each in self.group.ids:
            store = self.group.logs[each].store
            with store.reading() as snapshot:
                held = [decode_stored(body) for _, body in snapshot.documents(NAMESPACE)]
            assert {(document["shelf"], document["n"]) for document in held} == set(self.counted.items())
            tables = Tables.of(self.files[each])
            with self.files[each].read() as reader:
                ledgers.append(list(reader.scan(tables.ledger)))
        assert ledgers == [ledgers[0]] * len(ledgers)
        assert len(ledgers[0]) == sum(self.counted.values())


NO_READERS = cast("Readers", None)
"""A few documents are looked at by the writer itself."""


def increment(origin: Origin, shelf: int) -> Job:
    """`{"$inc": {"n": 1}}` for all that is on a shelf."""
    query, update = bson.encode({"shelf": shelf}), bson.encode({"$inc": {"n": 1}})
    filter_ = compile_filter({"shelf": shelf})
    change = Updating(
        NAMESPACE,
        filter_,
        compile_update({"$inc": {"n": 1}}),
        upsert=False,
        new_id=int,
        times=lambda: (0, Timestamp(0, 1)),
    )
    request = ticket(origin, NAMESPACE, "Update", UpdateCommand(NAMESPACE, query, update, multi=True))
    return Job(
        NAMESPACE,
        lambda state: choose(state, Asked(NAMESPACE, filter_)),
        change,
        multi=True,
        request=request,
        respond=respond,
        budget=unbounded,
    )


def respond(counts: Counts) -> bytes:
    assert counts.matched == counts.modified == DOCUMENTS // SHELVES, "it saw half of another request"
    return bson.encode({"matched": counts.matched})


def unbounded() -> Budget:
    raise AssertionError("nothing is searched apart from the write")


async def suffer(stock: Stock) -> None:
    group = stock.group
    await stock.start()
    await stock.fill()
    clients = [asyncio.create_task(stock.client(f"client {number}")) for number in range(2)]
    for _ in range(FAULTS):
        await group.disturb()
        await asyncio.sleep(group.dice.uniform(0, 1.5 * TIMEOUT_S))
        if group.dice.random() < 0.4:
            await stock.start()
    group.heal()
    await stock.start()
    await asyncio.sleep(8 * TIMEOUT_S)
    stock.ends = True
    await asyncio.gather(*clients)
    await asyncio.sleep(3 * TIMEOUT_S)
    stock.check()
    await group.stop()


@pytest.mark.parametrize("seed", range(SEEDS))
def test_every_request_counts_once(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(document_log, "MAX_OPLOG_BATCH_ENTRIES", BATCH_ENTRIES)
    loop = VirtualLoop()
    stock = Stock(seed, loop)

    async def run() -> Any:
        await suffer(stock)

    simulate(run(), loop)
    assert stock.repeated
