"""The driver of replica sets on a virtual clock, with faults from seeds: no acknowledged write is lost."""

from __future__ import annotations

import asyncio
import itertools
from collections import defaultdict
from typing import TYPE_CHECKING, Any

import pytest

from laura_fast.domain.replication.progress import WriteConcern
from laura_fast.errors import LauraError, RpcError
from laura_fast.node.replication.messages import Batch
from laura_fast.testing.sim.group import TIMEOUT_S, Group
from laura_fast.testing.sim.loop import VirtualLoop
from laura_fast.testing.sim.network import SimulatedPeers
from tests.sim.list_log import Disk, ListLog

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterator

    from laura_fast.domain.replication.members import ReplicaMember
    from laura_fast.node.replication.messages import Fetch, Report

SEEDS = 8
FAULTS = 30


def simulate(program: Coroutine[Any, Any, Any], loop: VirtualLoop) -> Any:
    try:
        return loop.run_until_complete(program)
    finally:
        loop.run_until_complete(_end(asyncio.all_tasks(loop)))
        loop.close()


async def _end(tasks: set[asyncio.Task[Any]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


class History:
    """A group with clients, and what they were told."""

    def __init__(self, seed: int, size: int, loop: VirtualLoop) -> None:
        self.disks: dict[str, Disk] = defaultdict(Disk)
        self.loop = loop
        self.group = Group(seed, size, lambda each, dice: ListLog(self.disks[each], dice))
        self.acknowledged: dict[int, str] = {}
        self._values = itertools.count()

    async def start(self) -> None:
        await self.group.start(self.loop, lambda log: log)

    async def client(self) -> None:
        """Writes to whoever says to be primary, all the time."""
        while True:
            await asyncio.sleep(self.group.dice.uniform(0.01, 0.3))
            for member in self.group.leading:
                try:
                    await self._write(member.me)
                except (LauraError, TimeoutError, KeyError):
                    continue

    async def _write(self, member_id: str) -> None:
        value = str(next(self._values))
        op_id = await self.group.logs[member_id].write(value)
        async with asyncio.timeout(2 * TIMEOUT_S):
            await self.group.network.members[member_id].wait(op_id, WriteConcern())
        assert self.acknowledged.setdefault(op_id, value) == value, "two writes were acknowledged as one entry"

    def check(self) -> None:
        """Every log is the same, and has what was acknowledged."""
        first, *others = (self.disks[each].entries for each in self.group.ids)
        assert all(other == first for other in others)
        assert {op_id: first[op_id - 1].namespace for op_id in self.acknowledged} == self.acknowledged


async def suffer(history: History) -> None:
    """Faults, then peace, in which the group must go on and agree."""
    group = history.group
    await history.start()
    clients = [asyncio.create_task(history.client()) for _ in range(2)]
    for _ in range(FAULTS):
        await group.disturb()
        await asyncio.sleep(group.dice.uniform(0, 1.5 * TIMEOUT_S))
        if group.dice.random() < 0.4:
            await history.start()
    group.heal()
    await history.start()
    await asyncio.sleep(8 * TIMEOUT_S)
    before = len(history.acknowledged)
    await asyncio.sleep(3 * TIMEOUT_S)
    assert len(history.acknowledged) > before, "it does not go on after the faults"
    for client in clients:
        client.cancel()
    await asyncio.sleep(3 * TIMEOUT_S)
    history.check()
    await group.stop()


@pytest.mark.parametrize("seed", range(SEEDS))
def test_nothing_acknowledged_by_a_majority_is_lost(seed: int) -> None:
    loop = VirtualLoop()
    history = History(seed, 3 + 2 * (seed % 3 == 2), loop)
    simulate(suffer(history), loop)
    assert history.group.network.counts["lost"] > FAULTS


@pytest.fixture
def calm() -> Iterator[History]:
    loop = VirtualLoop()
    history = History(7, 3, loop)
    loop.run_until_complete(history.start())
    loop.run_until_complete(asyncio.sleep(4 * TIMEOUT_S))
    yield history
    simulate(history.group.stop(), loop)


def test_a_secondary_names_the_primary(calm: History) -> None:
    [primary] = calm.group.leading
    for member in calm.group.network.members.values():
        if member is not primary:
            with pytest.raises(RpcError) as refused:
                member.lead()
            assert refused.value.reason == "NOT_PRIMARY"
            assert refused.value.metadata["primary_address"] == f"{primary.me}:1"


def test_a_write_is_committed_within_a_few_messages(calm: History) -> None:
    calm.group.network.weather.slowest_s = 0.001
    client = calm.loop.create_task(calm.client())
    calm.loop.run_until_complete(asyncio.sleep(TIMEOUT_S))
    client.cancel()
    assert calm.acknowledged


def test_a_step_down_hands_over_within_a_third_of_a_second(calm: History) -> None:
    [before] = calm.group.leading
    calm.loop.run_until_complete(before.step_down(TIMEOUT_S))
    calm.loop.run_until_complete(asyncio.sleep(0.3))
    [after] = calm.group.leading
    assert after is not before


def test_what_waited_in_a_buffer_keeps_no_dead_primary_alive(calm: History) -> None:
    [before] = calm.group.leading
    batch = Batch(before.me, before.term, 0, 1, ())
    others = [member for member in calm.group.network.members.values() if member is not before]
    for member in others:
        member._following._peers = Buffered(batch)
    calm.loop.run_until_complete(calm.group.crash(before.me))
    calm.loop.run_until_complete(asyncio.sleep(3 * TIMEOUT_S))
    assert any(member in others for member in calm.group.leading)


class Buffered(SimulatedPeers):
    """Its streams hold many batches yet, and take a while to apply each."""

    def __init__(self, batch: Batch) -> None:
        self._batch = batch

    async def fetch(self, member: ReplicaMember, fetch: Fetch) -> Batch:
        await asyncio.sleep(TIMEOUT_S / 2)
        return self._batch

    async def report(self, member: ReplicaMember, report: Report) -> None:
        pass


def test_the_same_seed_takes_the_same_steps() -> None:
    def fingerprint() -> tuple[Any, ...]:
        loop = VirtualLoop()
        history = History(3, 3, loop)
        simulate(suffer(history), loop)
        return history.acknowledged, history.group.network.counts, history.group.primaries

    assert fingerprint() == fingerprint()
