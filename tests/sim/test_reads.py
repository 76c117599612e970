"""What reads of a replica set see: of the newest, of what a majority has, of everything acknowledged before."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from laura_fast.domain.documents.codec import decode_stored
from laura_fast.errors import LauraError, RpcError
from laura_fast.node.database.concerns import ReadConcern, ReadPreference
from laura_fast.node.replication.concerns import Shared
from laura_fast.storage.documents import times
from laura_fast.storage.documents.layout import record_key
from laura_fast.testing.sim.group import TIMEOUT_S
from laura_fast.testing.sim.loop import VirtualLoop
from tests.sim.test_documents import FAULTS, NAMESPACE, Shop, count
from tests.sim.test_replica_set import simulate

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterator

    from laura_fast.node.replication.driver import ReplicaSet

SEEDS = 6
IDENTIFIER = 1


class Calm:
    """A set that has elected somebody."""

    def __init__(self, loop: VirtualLoop) -> None:
        self.loop = loop
        self.shop = Shop(5, loop)

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.loop.run_until_complete(work)

    def rest(self, seconds: float) -> None:
        self.run(asyncio.sleep(seconds))

    @property
    def primary(self) -> ReplicaSet:
        [primary] = self.shop.group.leading
        return primary

    def secondary(self) -> ReplicaSet:
        return next(each for each in self.shop.group.network.members.values() if each is not self.primary)

    def cut(self, member: ReplicaSet) -> None:
        ids = [each for each in self.shop.group.ids if each != member.me]
        self.shop.group.network.cut = {(member.me, each) for each in ids} | {(each, member.me) for each in ids}

    def write(self, member: ReplicaSet, request: int) -> None:
        """Into its own log; it need not be safe."""
        store = self.shop.group.logs[member.me].store
        self.run(store.write(lambda session: count(session, IDENTIFIER, request)))

    def moment(self, member: ReplicaSet, concern: ReadConcern, after: int = 0) -> Any:
        return self.run(shared(self.shop, member.me).moment(concern, after))

    def seen(self, member: ReplicaSet, concern: ReadConcern, after: int = 0) -> list[int]:
        return requests_at(self.shop, member.me, self.moment(member, concern, after))


def shared(shop: Shop, member_id: str) -> Shared:
    return Shared(shop.group.network.members[member_id], shop.group.logs[member_id].log.moments, shop.loop)


def requests_at(shop: Shop, member_id: str, at: int | None) -> list[int]:
    with shop.group.logs[member_id].store.reading(at) as snapshot:
        body = snapshot.get(NAMESPACE, record_key(IDENTIFIER)) if snapshot.collection(NAMESPACE) else None
    return list(decode_stored(body)["requests"]) if body else []


@pytest.fixture
def calm() -> Iterator[Calm]:
    loop = VirtualLoop()
    calm = Calm(loop)
    calm.run(calm.shop.start())
    calm.rest(4 * TIMEOUT_S)
    yield calm
    simulate(calm.shop.group.stop(), loop)


def test_a_majority_read_sees_no_write_that_a_rollback_may_take_back(calm: Calm) -> None:
    primary = calm.primary
    calm.write(primary, 1)
    calm.rest(TIMEOUT_S)
    calm.cut(primary)
    calm.write(primary, 2)
    assert calm.seen(primary, ReadConcern.LOCAL) == [1, 2]
    assert calm.seen(primary, ReadConcern.MAJORITY) == [1]


def test_a_cut_off_primary_answers_no_linearizable_read(calm: Calm) -> None:
    primary = calm.primary
    calm.write(primary, 1)
    calm.rest(TIMEOUT_S)
    assert calm.seen(primary, ReadConcern.LINEARIZABLE) == [1]
    calm.cut(primary)
    with pytest.raises(RpcError) as refused:
        calm.moment(primary, ReadConcern.LINEARIZABLE)
    assert refused.value.reason in {"NO_QUORUM", "NOT_PRIMARY"}


def test_a_secondary_answers_no_linearizable_read(calm: Calm) -> None:
    with pytest.raises(RpcError) as refused:
        calm.moment(calm.secondary(), ReadConcern.LINEARIZABLE)
    assert refused.value.reason == "NOT_PRIMARY"


def test_reads_that_come_together_share_a_round(calm: Calm) -> None:
    member, network = calm.primary, calm.shop.group.network
    reads = shared(calm.shop, member.me)
    before = network.counts["messages"]

    async def many() -> None:
        await asyncio.gather(*(reads.moment(ReadConcern.LINEARIZABLE, 0) for _ in range(100)))

    calm.run(many())
    assert network.counts["messages"] - before < 40


@pytest.mark.parametrize("concern", [ReadConcern.LOCAL, ReadConcern.MAJORITY])
def test_a_secondary_waits_for_what_the_client_has_seen_elsewhere(calm: Calm, concern: ReadConcern) -> None:
    primary, secondary = calm.primary, calm.secondary()
    calm.write(primary, 1)
    told = shared(calm.shop, primary.me).told_time(None)
    assert calm.shop.group.logs[secondary.me].log.moments.newest() < told
    assert calm.seen(secondary, concern, told) == [1]


def test_a_time_that_no_clock_has_come_to_is_refused(calm: Calm) -> None:
    with pytest.raises(RpcError) as refused:
        calm.moment(calm.secondary(), ReadConcern.LOCAL, times.at_ms(calm.loop.wall_ms() + 60_000))
    assert refused.value.reason == "TIME_AHEAD"


def test_a_secondary_that_fell_behind_refuses_who_wants_it_fresher(calm: Calm) -> None:
    secondary = calm.secondary()
    reads = shared(calm.shop, secondary.me)
    fresh, old = (ReadPreference("SECONDARY", max_staleness_s=seconds) for seconds in (90, 600))
    reads.check_read(fresh)
    calm.cut(secondary)
    calm.rest(200)
    reads.check_read(old)
    with pytest.raises(RpcError) as refused:
        reads.check_read(fresh)
    assert refused.value.reason == "NO_SUITABLE_MEMBER"


def test_tags_that_a_member_lacks_are_refused(calm: Calm) -> None:
    reads = shared(calm.shop, calm.secondary().me)
    reads.check_read(ReadPreference("SECONDARY", ({"region": "north"}, {})))
    with pytest.raises(RpcError) as refused:
        reads.check_read(ReadPreference("SECONDARY", ({"region": "north"},)))
    assert refused.value.reason == "NO_SUITABLE_MEMBER"


class Readers:
    """Read all the time, whoever answers, and judge what they saw."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.linearizable = 0
        self.safe: set[int] = set()
        """Requests that a majority read saw."""

    async def read(self) -> None:
        dice = self.shop.group.dice
        while True:
            await asyncio.sleep(dice.uniform(0.01, 0.3))
            member_id = dice.choice(self.shop.group.ids)
            if member_id in self.shop.group.network.members:
                try:
                    await self._look(member_id)
                except (LauraError, TimeoutError):
                    continue

    async def _look(self, member_id: str) -> None:
        log, reads = self.shop.group.logs[member_id], shared(self.shop, member_id)
        acknowledged = self.shop.acknowledged[IDENTIFIER]
        concern = self.shop.group.dice.choice([ReadConcern.MAJORITY, ReadConcern.LINEARIZABLE])
        async with asyncio.timeout(2 * TIMEOUT_S):
            at = await reads.moment(concern, 0)
        if self.shop.group.logs.get(member_id) is not log:
            return  # it crashed meanwhile
        seen = requests_at(self.shop, member_id, at)
        self.safe |= set(seen)
        if concern is ReadConcern.LINEARIZABLE:
            self.linearizable += 1
            assert len(seen) >= acknowledged, f"{member_id} missed what was acknowledged before the read began"


async def suffer(shop: Shop) -> Readers:
    group, readers = shop.group, Readers(shop)
    await shop.start()
    work = [asyncio.create_task(each) for each in (shop.client(), shop.client(), readers.read(), readers.read())]
    for _ in range(FAULTS):
        await group.disturb()
        await asyncio.sleep(group.dice.uniform(0, 1.5 * TIMEOUT_S))
        if group.dice.random() < 0.4:
            await shop.start()
    group.heal()
    await shop.start()
    await asyncio.sleep(8 * TIMEOUT_S)
    for each in work:
        each.cancel()
        if not each.cancelled() and each.done():
            each.result()
    await asyncio.sleep(3 * TIMEOUT_S)
    assert readers.safe <= set(requests_at(shop, group.ids[0], None)), "a majority read saw what was taken back"
    await group.stop()
    return readers


@pytest.mark.parametrize("seed", range(SEEDS))
def test_no_read_misses_or_sees_what_it_must_not(seed: int) -> None:
    loop = VirtualLoop()
    found: list[Readers] = []

    async def run() -> None:
        found.append(await suffer(Shop(seed, loop)))

    simulate(run(), loop)
    assert found[0].linearizable
    assert found[0].safe
