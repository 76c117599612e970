"""Replica sets whose logs are those of the storage engine: documents agree everywhere, whatever was rolled back."""

from __future__ import annotations

import asyncio
import itertools
from collections import defaultdict
from contextlib import closing, suppress
from typing import TYPE_CHECKING

import pytest

from laura_fast.domain.documents.codec import decode_stored
from laura_fast.errors import ClientError
from laura_fast.storage.documents.layout import record_key
from laura_fast.storage.memory import MemoryStore
from tests.sim.scenario import Scenario

if TYPE_CHECKING:
    from laura_fast.storage.documents.oplog import OplogEntry
    from laura_fast.storage.documents.session import WriteSession

SEEDS = 8
NAMESPACE = "shop.orders"
IDENTIFIERS = 8


class Shop(Scenario):
    """A set whose clients keep counters in documents."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self.acknowledged: dict[int, int] = defaultdict(int)
        self.closed = False
        self._requests = itertools.count(1)

    async def client(self) -> None:
        """Counts in some document on whoever says to be primary, all the time."""
        while not self.closed:
            await asyncio.sleep(self.dice.uniform(0.01, 0.3))
            for life in self.leading:
                with suppress(ClientError):
                    await self._count(life.id, self.dice.randrange(IDENTIFIERS))

    async def _count(self, member_id: str, identifier: int) -> None:
        request = next(self._requests)
        await self.ask(member_id, lambda life: life.write(lambda session: count(session, identifier, request)))
        self.acknowledged[identifier] += 1

    def documents(self, member_id: str) -> dict[bytes, bytes]:
        with self.lives[member_id].store.reading() as snapshot:
            return dict(snapshot.documents(NAMESPACE))

    def history(self, member_id: str) -> list[OplogEntry]:
        store = self.lives[member_id].store
        return list(store.read_oplog(store.first_id(), store.head.op_id, 1 << 30))

    async def check(self) -> None:
        """All members hold the same, sound in itself, with every acknowledged count in it."""
        first = self.ids[0]
        histories = [self.history(each) for each in self.ids]
        kept = min(map(len, histories))  # a member that came late copied the beginning
        assert [history[-kept:] for history in histories] == [histories[0][-kept:]] * len(histories)
        for each in self.ids:
            assert self.documents(each) == self.documents(first)
            async for report in self.lives[each].store.verify(MemoryStore()):
                assert not report.findings
        with self.lives[first].store.reading() as snapshot:
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
    await shop.begin()
    clients = [asyncio.create_task(shop.client()) for _ in range(2)]
    await shop.suffer()
    before = sum(shop.acknowledged.values())
    await shop.until(lambda: sum(shop.acknowledged.values()) > before, "clients are answered")
    shop.closed = True
    await asyncio.gather(*clients)
    await shop.until(shop.agree, "one member leads and all hold the same")
    await shop.check()


@pytest.mark.parametrize("seed", range(SEEDS))
def test_documents_agree_and_no_acknowledged_count_is_lost(seed: int) -> None:
    with closing(Shop(seed)) as shop:
        shop.run(suffer(shop))
