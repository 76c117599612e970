"""What reads of a replica set see: of the newest, of what a majority has, of everything acknowledged before."""

from __future__ import annotations

import asyncio
from contextlib import closing, suppress
from functools import partial
from typing import TYPE_CHECKING

import pytest

from laura_fast.domain.documents.codec import decode_stored
from laura_fast.errors import ClientError, FailedPreconditionError, RemoteError, RpcError
from laura_fast.node.database.concerns import ReadConcern, ReadPreference
from laura_fast.node.replication import copies
from laura_fast.storage.documents import times
from laura_fast.storage.documents.layout import record_key
from laura_fast.testing.sim.knobs import TIMEOUT_S
from tests.sim.test_documents import NAMESPACE, Shop, count

if TYPE_CHECKING:
    from collections.abc import Iterator

    from laura_fast.testing.sim.life import Life

SEEDS = 6
IDENTIFIER = 1


class Calm(Shop):
    """A set that has elected somebody."""

    def rest(self, seconds: float) -> None:
        self.run(asyncio.sleep(seconds))

    def write(self, life: Life, request: int) -> None:
        """Into its own log; it need not be safe."""
        self.run(life.store.write(lambda session: count(session, IDENTIFIER, request)))

    def seen(self, life: Life, concern: ReadConcern, after: int = 0) -> list[int]:
        return self.run(self.ask(life.id, partial(look, concern, after)))


async def look(concern: ReadConcern, after: int, life: Life) -> list[int]:
    """Requests that a read on a member sees."""
    return requests_at(life, await life.shared.moment(concern, after))


def requests_at(life: Life, at: int | None) -> list[int]:
    with life.store.reading(at) as snapshot:
        body = snapshot.get(NAMESPACE, record_key(IDENTIFIER)) if snapshot.collection(NAMESPACE) else None
    return list(decode_stored(body)["requests"]) if body else []


@pytest.fixture
def calm() -> Iterator[Calm]:
    with closing(Calm(5)) as calm:
        calm.run(calm.begin())
        calm.rest(TIMEOUT_S)
        yield calm


def test_a_majority_read_sees_no_write_that_a_rollback_may_take_back(calm: Calm) -> None:
    primary = calm.primary
    calm.write(primary, 1)
    calm.rest(TIMEOUT_S)
    calm.isolate(primary.id)
    calm.write(primary, 2)
    assert calm.seen(primary, ReadConcern.LOCAL) == [1, 2]
    assert calm.seen(primary, ReadConcern.MAJORITY) == [1]


def test_a_cut_off_primary_answers_no_linearizable_read(calm: Calm) -> None:
    primary = calm.primary
    calm.write(primary, 1)
    calm.rest(TIMEOUT_S)
    assert calm.seen(primary, ReadConcern.LINEARIZABLE) == [1]
    calm.isolate(primary.id)
    with pytest.raises(RemoteError) as refused:
        calm.seen(primary, ReadConcern.LINEARIZABLE)
    assert refused.value.reason in {"NO_QUORUM", "NOT_PRIMARY"}


def test_a_secondary_answers_no_linearizable_read(calm: Calm) -> None:
    with pytest.raises(RemoteError) as refused:
        calm.seen(calm.secondaries[0], ReadConcern.LINEARIZABLE)
    assert refused.value.reason == "NOT_PRIMARY"


def test_reads_that_come_together_share_a_round(calm: Calm) -> None:
    async def many(life: Life) -> None:
        await asyncio.gather(*(life.shared.moment(ReadConcern.LINEARIZABLE, 0) for _ in range(100)))

    before = calm.journal.counts["arrived"]
    calm.run(calm.ask(calm.primary.id, many))
    assert calm.journal.counts["arrived"] - before < 20


@pytest.mark.parametrize("concern", [ReadConcern.LOCAL, ReadConcern.MAJORITY])
def test_a_secondary_waits_for_what_the_client_has_seen_elsewhere(calm: Calm, concern: ReadConcern) -> None:
    primary, secondary = calm.primary, calm.secondaries[0]
    calm.write(primary, 1)
    told = primary.shared.told_time(None)
    assert secondary.log.moments.newest() < told
    assert calm.run(look(concern, told, secondary)) == [1]


def test_a_wait_for_a_time_does_not_end_with_half_a_copy(calm: Calm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copies, "COPY_BYTES", 1)
    primary, secondary = calm.primary, calm.secondaries[0]
    for request in range(20):
        calm.write(primary, request)
    calm.rest(TIMEOUT_S)
    calm.isolate(secondary.id)
    calm.write(primary, 20)

    async def read_amid_a_copy() -> None:
        read = look(ReadConcern.LOCAL, primary.shared.told_time(None), secondary)
        reading = calm.loop.create_task(read, context=secondary.process.context)
        await asyncio.sleep(TIMEOUT_S / 10)
        assert secondary.member._syncing
        secondary.member._syncing.start_over("its log is too old, the test says")
        calm.network.cut = set()
        with pytest.raises(FailedPreconditionError, match="after_time: this member copies everything"):
            await reading

    calm.run(read_amid_a_copy())


def test_a_time_that_no_clock_has_come_to_is_refused(calm: Calm) -> None:
    with pytest.raises(RemoteError) as refused:
        calm.seen(calm.secondaries[0], ReadConcern.LOCAL, times.at_ms(calm.loop.wall_ms() + 60_000))
    assert refused.value.reason == "TIME_AHEAD"


def test_a_secondary_that_fell_behind_refuses_who_wants_it_fresher(calm: Calm) -> None:
    secondary = calm.secondaries[0]
    reads = secondary.shared
    fresh, old = (ReadPreference("SECONDARY", max_staleness_s=seconds) for seconds in (90, 600))
    reads.check_read(fresh)
    calm.isolate(secondary.id)
    calm.rest(200)
    reads.check_read(old)
    with pytest.raises(RpcError) as refused:
        reads.check_read(fresh)
    assert refused.value.reason == "NO_SUITABLE_MEMBER"


def test_tags_that_a_member_lacks_are_refused(calm: Calm) -> None:
    reads = calm.secondaries[0].shared
    reads.check_read(ReadPreference("SECONDARY", ({"region": "north"}, {})))
    with pytest.raises(RpcError) as refused:
        reads.check_read(ReadPreference("SECONDARY", ({"region": "north"},)))
    assert refused.value.reason == "NO_SUITABLE_MEMBER"


class Read(Shop):
    """A set whose readers ask whoever answers, and judge what they saw."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self.linearizable = 0
        self.safe: set[int] = set()
        """Requests that a majority read saw."""

    async def reader(self) -> None:
        while not self.closed:
            await asyncio.sleep(self.dice.uniform(0.01, 0.3))
            with suppress(ClientError):
                await self._look(self.dice.choice(self.ids))

    async def _look(self, member_id: str) -> None:
        acknowledged = self.acknowledged[IDENTIFIER]
        concern = self.dice.choice([ReadConcern.MAJORITY, ReadConcern.LINEARIZABLE])
        seen = await self.ask(member_id, partial(look, concern, 0))
        self.safe |= set(seen)
        if concern is ReadConcern.LINEARIZABLE:
            self.linearizable += 1
            assert len(seen) >= acknowledged, f"{member_id} missed what was acknowledged before the read began"


async def suffer(shop: Read) -> None:
    await shop.begin()
    work = [asyncio.create_task(each) for each in (shop.client(), shop.client(), shop.reader(), shop.reader())]
    await shop.suffer()
    await asyncio.sleep(3 * TIMEOUT_S)
    shop.closed = True
    await asyncio.gather(*work)
    await shop.until(shop.agree, "one member leads and all hold the same")
    assert shop.safe <= set(requests_at(shop.lives[shop.ids[0]], None)), "a majority read saw what was taken back"


@pytest.mark.parametrize("seed", range(SEEDS))
def test_no_read_misses_or_sees_what_it_must_not(seed: int) -> None:
    with closing(Read(seed)) as shop:
        shop.run(suffer(shop))
        assert shop.linearizable
        assert shop.safe
