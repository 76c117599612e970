"""A member that is dead for long costs the others no more than one that died just now."""

from __future__ import annotations

import asyncio
from collections import defaultdict

from laura_fast.storage.memory import MemoryStore
from laura_fast.testing.sim.group import TIMEOUT_S, Group
from laura_fast.testing.sim.loop import VirtualLoop
from tests.sim.test_documents import Life
from tests.sim.test_replica_set import simulate

CALLS = 24
"""Beats to a member that does not answer: a few within each timeout, each of which gives up after one."""


def test_the_calls_to_a_dead_member_do_not_pile_up() -> None:
    loop = VirtualLoop()

    async def run() -> None:
        files: dict[str, MemoryStore] = defaultdict(MemoryStore)
        group: Group[Life] = Group(1, 3, lambda each, dice: Life(files[each], dice, loop))
        await group.start(loop, lambda life: life.log)
        await asyncio.sleep(4 * TIMEOUT_S)
        [primary] = group.leading
        dead = next(each for each in group.ids if each != primary.me)
        group.network.cut = {(primary.me, dead)}
        most = 0
        for _ in range(200):
            await asyncio.sleep(TIMEOUT_S / 2)
            most = max(most, len(asyncio.all_tasks()))
        assert group.leading == [primary]
        assert most < CALLS
        await group.stop()

    simulate(run(), loop)
