"""Members come, go and change while the network falls apart: one primary a term, and nothing acknowledged is lost."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from laura_fast.domain.replication.members import ReplicaMember
from laura_fast.domain.replication.reconfiguration import with_member, without_member
from laura_fast.errors import LauraError
from laura_fast.testing.sim.group import TIMEOUT_S, Group
from laura_fast.testing.sim.loop import VirtualLoop
from tests.sim.list_log import ListLog
from tests.sim.test_replica_set import History, simulate

if TYPE_CHECKING:
    from laura_fast.domain.replication.members import Configuration
    from laura_fast.node.replication.driver import ReplicaSet

SEEDS = 10
FAULTS = 25
SIZE, SPARES = 3, 2


class Operated(History):
    """A group whose members are changed all the time."""

    def __init__(self, seed: int, loop: VirtualLoop) -> None:
        super().__init__(seed, SIZE, loop)
        self.group = Group(seed, SIZE, lambda each, dice: ListLog(self.disks[each], dice), SPARES)
        self.changes = 0

    async def operator(self) -> None:
        """Asks whoever says to be primary for some change."""
        while True:
            await asyncio.sleep(self.group.dice.uniform(0.05, 0.6))
            for member in self.group.leading:
                try:
                    await self._change(member)
                except (LauraError, TimeoutError):
                    continue

    async def _change(self, member: ReplicaSet) -> None:
        dice = self.group.dice
        chosen, kind, priority = dice.choice(self.group.ids), dice.randrange(4), dice.randrange(4)

        def edit(configuration: Configuration) -> Configuration:
            present = configuration.get(chosen)
            if present is None:
                return with_member(configuration, ReplicaMember(chosen, f"{chosen}:1", votes=False))
            if kind == 0:
                return without_member(configuration, chosen)
            if kind == 1:
                return with_member(configuration, replace(present, priority=priority))
            return with_member(configuration, replace(present, votes=kind > 2 or not present.votes))

        async with asyncio.timeout(2 * TIMEOUT_S):
            before = member.configuration
            if await member.reconfigure(edit) != before:
                self.changes += 1

    def check(self) -> None:
        """The members of the last configuration have the same log, and all that was acknowledged is in it."""
        [primary] = self.group.leading
        logs = [self.disks[each.id].entries for each in primary.configuration.members]
        assert all(log == logs[0] for log in logs)
        assert {op_id: logs[0][op_id - 1].namespace for op_id in self.acknowledged} == self.acknowledged
        for each in self.group.ids:
            if primary.configuration.get(each) is None:
                assert self.group.network.members[each].status().state in {"removed", "waiting"}


async def suffer(history: Operated) -> None:
    """Faults and changes, then peace, in which the group must agree."""
    group = history.group
    await history.start()
    busy = [asyncio.create_task(history.client()), asyncio.create_task(history.operator())]
    for _ in range(FAULTS):
        await group.disturb()
        await asyncio.sleep(group.dice.uniform(0, 1.5 * TIMEOUT_S))
        if group.dice.random() < 0.5:
            await history.start()
    group.heal()
    await history.start()
    await asyncio.sleep(8 * TIMEOUT_S)
    before = len(history.acknowledged)
    await asyncio.sleep(3 * TIMEOUT_S)
    assert len(history.acknowledged) > before, "it does not go on after the faults"
    for task in busy:
        task.cancel()
    await asyncio.sleep(8 * TIMEOUT_S)
    history.check()
    await group.stop()


@pytest.mark.parametrize("seed", range(SEEDS))
def test_changes_amid_faults_keep_one_primary_a_term_and_lose_nothing(
    seed: int, caplog: pytest.LogCaptureFixture
) -> None:
    loop = VirtualLoop()
    history = Operated(seed, loop)
    simulate(suffer(history), loop)
    assert history.changes
    assert "replica_set_task_failed" not in caplog.text, "a member found that an invariant does not hold"
