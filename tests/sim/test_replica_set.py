"""What members of a set tell and do in a calm network, over lists: elections, writes, hand-overs."""

from __future__ import annotations

import asyncio
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from laura_fast.errors import ClientError, RemoteError, RpcError
from laura_fast.node.replication.messages import Batch
from laura_fast.testing.sim.engines import Lists
from laura_fast.testing.sim.knobs import TIMEOUT_S
from laura_fast.testing.sim.links import SimulatedPeers
from tests.sim.scenario import Scenario

if TYPE_CHECKING:
    from collections.abc import Iterator

    from laura_fast.domain.replication.members import ReplicaMember
    from laura_fast.node.replication.messages import Fetch, Report
    from laura_fast.testing.sim.life import Life


@pytest.fixture
def calm() -> Iterator[Scenario]:
    with closing(Scenario(7, Lists())) as calm:
        calm.run(calm.begin())
        calm.run(asyncio.sleep(TIMEOUT_S))
        yield calm


def test_a_secondary_names_the_primary(calm: Scenario) -> None:
    for life in calm.secondaries:
        with pytest.raises(RpcError) as refused:
            life.member.lead()
        assert refused.value.reason == "NOT_PRIMARY"
        assert refused.value.metadata["primary_address"] == f"{calm.primary.id}:1"


def test_a_write_is_committed_within_a_few_messages(calm: Scenario) -> None:
    async def write(life: Life) -> None:
        await life.write(lambda session: calm.engine.put(session, "r1", b"1"))

    calm.network.weather.slowest_s, calm.stalls = 0.001, dict.fromkeys(calm.ids, 0.001)
    began = calm.loop.time()
    calm.run(calm.ask(calm.primary.id, write))
    assert calm.loop.time() - began < 0.008  # two syncs, and messages there and back, twice


def test_a_step_down_hands_over_within_a_third_of_a_second(calm: Scenario) -> None:
    before = calm.primary
    calm.run(calm.ask(before.id, lambda life: life.member.step_down(TIMEOUT_S)))
    calm.run(asyncio.sleep(0.3))
    assert calm.primary is not before


def test_who_votes_does_not_count_what_its_own_disk_still_writes(
    calm: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    primary, [candidate, other] = calm.primary, calm.secondaries
    monkeypatch.setattr(calm, "sync_s", lambda member_id: TIMEOUT_S / 5 if member_id == primary.id else 0.001)
    calm.network.weather.slowest_s, calm.network.cut = 0.001, {(candidate.id, other.id)}

    async def write(life: Life) -> None:
        await life.write(lambda session: calm.engine.put(session, "r1", b"1"))

    async def vote_amid_a_write() -> None:
        writing = asyncio.create_task(calm.ask(primary.id, write))
        await asyncio.sleep(TIMEOUT_S / 10)  # in the middle of its sync
        term = primary.member.term
        calm.loop.create_task(candidate.member.run_now(term, "for this test"), context=candidate.process.context)
        await asyncio.sleep(TIMEOUT_S / 50)
        assert primary.member.term == term + 1
        assert calm.engine.ballot(calm.files[primary.id]).term == term  # it waits behind the write
        assert not primary.member.leads
        with pytest.raises(RemoteError, match="lost its office"):
            await writing
        await calm.until(lambda: calm.leading == [candidate], "the vote is on disk, and won")
        calm.network.cut = set()
        await calm.until(calm.agree, "what no majority was counted for is undone")

    calm.run(vote_amid_a_write())
    assert not [entry for entry in calm.safety.logs[primary.id] if entry.document == b"1"]


def test_who_ran_in_a_later_term_and_is_ahead_comes_back(calm: Scenario) -> None:
    async def write(life: Life) -> None:
        await life.write(lambda session: calm.engine.put(session, "r1", b"1"))

    async def run_alone() -> None:
        alone = calm.primary
        calm.isolate(alone.id)
        async with asyncio.TaskGroup() as writing:
            for _ in range(5):
                writing.create_task(refused(alone))
        await calm.until(lambda: [life.member.leads for life in calm.leading if life is not alone] == [True], "another")
        while alone.member.term <= calm.primary.member.term:
            await calm.ask(alone.id, lambda life: life.member.run_now(life.member.term, "for this test"))
        assert alone.log.last.op_id > calm.primary.log.last.op_id
        calm.network.cut = set()
        await calm.until(calm.agree, "all follow one")

    async def refused(life: Life) -> None:
        with pytest.raises(ClientError):
            await calm.ask(life.id, write)

    calm.run(run_alone())


def test_a_step_down_that_nobody_waits_for_begins_all_the_same(calm: Scenario) -> None:
    async def ask_and_leave(life: Life) -> None:
        asking = asyncio.create_task(life.member.step_down(TIMEOUT_S))
        await asyncio.sleep(0)
        asking.cancel()

    before = calm.primary
    calm.run(calm.ask(before.id, ask_and_leave))
    calm.run(asyncio.sleep(TIMEOUT_S))
    assert calm.primary is not before


def test_what_waited_in_a_buffer_keeps_no_dead_primary_alive(calm: Scenario) -> None:
    before, others = calm.primary, calm.secondaries
    batch = Batch(before.id, before.member.term, 0, 1, ())
    for life in others:
        life.member._following._peers = Buffered(batch)
    calm.run(asyncio.sleep(TIMEOUT_S))  # what was asked before is answered by now
    calm.crash(before, "killed")
    calm.run(asyncio.sleep(3 * TIMEOUT_S))
    assert calm.primary in others


class Buffered(SimulatedPeers):
    """Its streams hold many batches yet, and take a while to apply each."""

    def __init__(self, batch: Batch) -> None:
        self._batch = batch

    async def fetch(self, member: ReplicaMember, fetch: Fetch) -> Batch:
        await asyncio.sleep(TIMEOUT_S / 2)
        return self._batch

    async def report(self, member: ReplicaMember, report: Report) -> None:
        pass
