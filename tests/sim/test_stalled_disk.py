"""A disk that does not answer: its member leads no longer, and is heard of all the same."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from typing import TYPE_CHECKING

import pytest

from laura_fast.domain.replication.progress import WriteConcern
from laura_fast.errors import FailedPreconditionError
from laura_fast.storage.memory import MemoryStore
from laura_fast.testing.sim.disk import SimulatedDisk
from laura_fast.testing.sim.group import TIMEOUT_S, Group
from laura_fast.testing.sim.loop import VirtualLoop
from tests.sim.test_documents import Life, count
from tests.sim.test_replica_set import simulate

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

    from laura_fast.storage.ordered import Value, Writer


class StallingDisk(SimulatedDisk):
    """A disk that can be told to stop."""

    def __init__(self, files: MemoryStore, dice: random.Random) -> None:
        super().__init__(files, dice)
        self.flows = asyncio.Event()
        self.flows.set()

    async def write(self, job: Callable[[Writer], Value], *, committed: Callable[[Value], None] | None = None) -> Value:
        await self.flows.wait()
        return await super().write(job, committed=committed)


class StallingLife(Life):
    """A life on such a disk."""

    disk_type = StallingDisk
    disk: StallingDisk


async def calm_group(loop: VirtualLoop) -> Group[StallingLife]:
    files: dict[str, MemoryStore] = defaultdict(MemoryStore)
    group: Group[StallingLife] = Group(1, 3, lambda each, dice: StallingLife(files[each], dice, loop))
    await group.start(loop, lambda life: life.log)
    await asyncio.sleep(4 * TIMEOUT_S)
    return group


def test_a_primary_whose_disk_stalls_for_longer_than_its_lease_steps_down_and_comes_back() -> None:
    loop = VirtualLoop()

    async def run() -> None:
        group = await calm_group(loop)
        [primary] = group.leading
        life = group.logs[primary.me]
        life.disk.flows.clear()
        began = loop.time()
        write = asyncio.create_task(life.store.write(lambda session: count(session, 1, 1)))
        while primary.leads or not any(member.leads for member in group.leading):  # noqa: ASYNC110 - virtual time
            await asyncio.sleep(0.05)
        assert loop.time() - began < 3.5 * TIMEOUT_S
        [successor] = group.leading
        op_id = await group.logs[successor.me].store.write(lambda session: count(session, 2, 2))
        await successor.wait(op_id, WriteConcern())
        life.disk.flows.set()
        with pytest.raises(FailedPreconditionError, match="not primary"):
            await write  # it had not begun: nothing of it is there
        await asyncio.sleep(3 * TIMEOUT_S)
        assert group.logs[primary.me].store.head == group.logs[successor.me].store.head
        await group.stop()

    simulate(run(), loop)


def test_a_secondary_whose_disk_stalls_answers_its_primary() -> None:
    loop = VirtualLoop()

    async def run() -> None:
        group = await calm_group(loop)
        [primary] = group.leading
        others = [each for each in group.ids if each != primary.me]
        for each in others:
            group.logs[each].disk.flows.clear()
        write = asyncio.create_task(group.logs[primary.me].store.write(lambda session: count(session, 1, 1)))
        await asyncio.sleep(10 * TIMEOUT_S)
        assert group.leading == [primary]
        states = {each.member.id: each.state for each in primary.status().members}
        assert states == {primary.me: "primary"} | dict.fromkeys(others, "secondary")
        for each in others:
            group.logs[each].disk.flows.set()
        await primary.wait(await write, WriteConcern())
        await group.stop()

    simulate(run(), loop)
