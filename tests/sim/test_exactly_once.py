"""A request that is repeated at whoever leads next counts once, whatever happened to the members in between."""

from __future__ import annotations

import asyncio
from contextlib import closing, suppress
from functools import partial
from typing import TYPE_CHECKING, Any, cast

import bson
import pytest
from bson.timestamp import Timestamp

from laura_fast.domain.documents.codec import decode_stored
from laura_fast.domain.documents.filters import compile_filter
from laura_fast.domain.documents.updates import compile_update
from laura_fast.errors import ClientError
from laura_fast.node.database.changes import Changes, Counts, Job
from laura_fast.node.database.choosing import Asked, choose
from laura_fast.node.database.commands import Origin, UpdateCommand
from laura_fast.node.database.modifying import Updating
from laura_fast.node.database.once import ticket
from laura_fast.node.replication import document_log
from laura_fast.storage.documents.layout import Tables
from laura_fast.testing.sim.knobs import TIMEOUT_S
from laura_fast.testing.sim.life import MAJORITY
from laura_fast.testing.sim.world import CONVERGES_S
from tests.sim.scenario import Scenario

if TYPE_CHECKING:
    from laura_fast.domain.documents.budget import Budget
    from laura_fast.node.database.readers import Readers
    from laura_fast.storage.documents.session import WriteSession
    from laura_fast.testing.sim.life import Life

SEEDS = 10
NAMESPACE = "shop.stock"
SHELVES = 2
DOCUMENTS = 10
BATCH_ENTRIES = 3
"""Of the log on its way to members: fewer than the documents that one request changes."""


class Stock(Scenario):
    """A set whose clients count shelves up, each request until it is acknowledged."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self.counted = dict.fromkeys(range(SHELVES), 0)
        self.repeated = 0
        self.ends = False

    async def fill(self) -> None:
        """Puts documents on the shelves of a set that begins."""
        primary = await self.begin()
        documents = [{"_id": each, "shelf": each % SHELVES, "n": 0} for each in range(DOCUMENTS)]
        await self.ask(primary.id, lambda life: life.write(lambda session: insert(session, documents)))

    async def client(self, name: str) -> None:
        """One request after the other."""
        number = 0
        while not self.ends:
            number += 1
            shelf = self.dice.randrange(SHELVES)
            job = increment(Origin(name, str(number)), shelf)
            while not await self._acknowledged(job):
                self.repeated += 1
                await asyncio.sleep(self.dice.uniform(0.01, TIMEOUT_S))
            self.counted[shelf] += 1
            await asyncio.sleep(self.dice.uniform(0.05, 0.5))

    async def _acknowledged(self, job: Job) -> bool:
        for life in self.leading:
            with suppress(ClientError):
                await self.ask(life.id, partial(change, job))
                return True
        return False

    def check(self) -> None:
        """Every member counted every request once, and remembers the same of them."""
        ledgers = []
        for each in self.ids:
            store = self.lives[each].store
            with store.reading() as snapshot:
                held = [decode_stored(body) for _, body in snapshot.documents(NAMESPACE)]
            assert {(document["shelf"], document["n"]) for document in held} == set(self.counted.items())
            tables = Tables.of(self.files[each])
            with self.files[each].read() as reader:
                ledgers.append(list(reader.scan(tables.ledger)))
        assert ledgers == [ledgers[0]] * len(ledgers)
        assert len(ledgers[0]) == sum(self.counted.values())


def insert(session: WriteSession, documents: list[dict[str, Any]]) -> int:
    """Puts documents there; the last op id."""
    for document in documents:
        session.insert(NAMESPACE, document)
    return session.changes.op_id


NO_READERS = cast("Readers", None)
"""A few documents are looked at by the writer itself."""


async def change(job: Job, life: Life) -> None:
    """Does a job on a member, safe on a majority."""
    await Changes(life.store, NO_READERS).run(job)
    await life.shared.settle(MAJORITY)


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
    await stock.fill()
    clients = [asyncio.create_task(stock.client(f"client {number}")) for number in range(2)]
    await stock.suffer()
    stock.ends = True
    async with asyncio.timeout(CONVERGES_S):
        await asyncio.gather(*clients)
    await stock.until(stock.agree, "one member leads and all hold the same")
    stock.check()


@pytest.mark.parametrize("seed", range(SEEDS))
def test_every_request_counts_once(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(document_log, "MAX_OPLOG_BATCH_ENTRIES", BATCH_ENTRIES)
    with closing(Stock(seed)) as stock:
        stock.run(suffer(stock))
        assert stock.repeated
