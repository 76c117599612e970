"""Members that lose their directory, or were away for longer than the log reaches back, copy everything by themselves.

Until they have, who came empty does not vote and nobody of them leads: whatever happens meanwhile, every request counts
once on every member, and the set goes on.
"""

from __future__ import annotations

import asyncio
from contextlib import closing
from typing import TYPE_CHECKING, Any, cast

import pytest

from laura_fast.domain.documents.codec import decode_stored
from laura_fast.errors import FailedPreconditionError
from laura_fast.node.replication import copies, document_log
from laura_fast.storage.documents.retention import Retention
from laura_fast.testing.sim.knobs import TIMEOUT_S
from laura_fast.testing.sim.world import CONVERGES_S
from tests.sim.scenario import Host
from tests.sim.test_exactly_once import BATCH_ENTRIES, NAMESPACE, Stock, insert

if TYPE_CHECKING:
    from laura_fast.storage.memory import MemoryStore
    from laura_fast.testing.sim.world import World

SEEDS = 10
COPY_BYTES = 200
"""Of one part: a few documents, so that faults meet copies that are under way."""
OPLOG_BYTES = 6_000
"""Some seconds of writes."""


class ForgetfulHost(Host):
    """A member whose log is short.

    Attributes:
        too_short_for: Members that it tells that it reaches not so far back, however far they are.
    """

    def __init__(self, world: World, member_id: str, files: MemoryStore) -> None:
        super().__init__(world, member_id, files)
        self.store.retention = Retention(oplog_bytes=OPLOG_BYTES)
        self.too_short_for: set[str] = set()

    async def serve(self, method: str, given: tuple[Any, ...]) -> Any:
        if method == "fetch" and given[0].member in self.too_short_for:
            raise FailedPreconditionError("it begins later", "OPLOG_TRUNCATED")
        return await super().serve(method, given)


class Wiped(Stock):
    """A set whose members lose their disks, never two before the first is whole again."""

    life_type = ForgetfulHost

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self.wiped = 0

    def whole(self, member_id: str) -> bool:
        """Whether what a member may have acknowledged is on its disk."""
        return self.engine.whole(self.files[member_id])

    async def lose_disks(self) -> None:
        """Somebody's, now and then, for as long as there are faults."""
        while True:
            await asyncio.sleep(self.dice.uniform(0, TIMEOUT_S))
            if self.faults.over:
                return
            if self.dice.random() < 0.3:
                self.wipe()

    def wipe(self) -> None:
        """A member comes back with an empty directory, if the others are whole."""
        victim = self.dice.choice(self.ids)
        if all(self.whole(each) for each in self.ids if each != victim):
            self.lose_directory(victim)
            self.wiped += 1


async def suffer(stock: Wiped) -> None:
    await stock.fill()
    clients = [asyncio.create_task(stock.client(f"client {number}")) for number in range(2)]
    await asyncio.gather(stock.suffer(), stock.lose_disks())
    stock.ends = True
    async with asyncio.timeout(CONVERGES_S):  # nobody leads, else
        await asyncio.gather(*clients)
    await stock.until(stock.agree, "one member leads and all have everything")
    stock.check()
    for each in stock.ids:
        assert not stock.lives[each].member.sync_progress
        async for report in stock.lives[each].store.verify():
            assert not report.findings


@pytest.mark.parametrize("seed", range(SEEDS))
def test_members_that_lost_everything_copy_it_and_nothing_is_counted_twice(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(document_log, "MAX_OPLOG_BATCH_ENTRIES", BATCH_ENTRIES)
    monkeypatch.setattr(copies, "COPY_BYTES", COPY_BYTES)
    with closing(Wiped(seed)) as stock:
        stock.run(suffer(stock))
        assert stock.wiped


async def watch_a_stale_member(stock: Wiped) -> None:
    await stock.fill()
    forgetful = cast("ForgetfulHost", stock.primary)
    primary = forgetful.id
    stale, behind = (life.id for life in stock.secondaries)
    stock.isolate(behind)
    document = {"_id": "only two have it", "shelf": -1}
    await stock.ask(primary, lambda life: life.write(lambda session: insert(session, [document])))
    await begin_to_copy(stock, forgetful, stale)
    stock.crash(forgetful, "killed")
    stock.isolate()
    await asyncio.sleep(8 * TIMEOUT_S)
    assert not stock.leading  # what the stale one acknowledged, the other one lacks
    stock.crash(stock.lives[stale], "killed")
    stock.start(stale)
    await asyncio.sleep(8 * TIMEOUT_S)
    assert not stock.leading
    stock.isolate(behind)
    stock.start(primary)
    await asyncio.sleep(8 * TIMEOUT_S)
    assert stock.primary.id == primary
    assert not stock.whole(stale)
    stock.isolate()
    await asyncio.sleep(8 * TIMEOUT_S)
    assert all(map(stock.whole, stock.ids))
    assert [held(stock, each) for each in stock.ids] == ["only two have it"] * 3


async def begin_to_copy(stock: Wiped, primary: ForgetfulHost, stale: str) -> None:
    """Returns in the middle of the copy."""
    primary.too_short_for.add(stale)
    async with asyncio.timeout(TIMEOUT_S):
        while stock.whole(stale):  # noqa: ASYNC110 - virtual time
            await asyncio.sleep(0.001)
    assert "replaying" not in stock.lives[stale].member.sync_progress


def held(stock: Wiped, member_id: str) -> object:
    """The document behind the others."""
    with stock.lives[member_id].store.reading() as snapshot:
        return [decode_stored(body) for _, body in snapshot.documents(NAMESPACE)][-1]["_id"]


@pytest.mark.parametrize("seed", range(3))
def test_a_stale_member_votes_for_whom_has_all_it_acknowledged_and_does_not_lead(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copies, "COPY_BYTES", COPY_BYTES)
    with closing(Wiped(seed)) as stock:
        stock.run(watch_a_stale_member(stock))
