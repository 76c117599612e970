"""Members come, go and change while the network falls apart: one primary a term, and nothing acknowledged is lost."""

from __future__ import annotations

import asyncio
import itertools
from contextlib import closing, suppress
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import pytest

from laura_fast.domain.replication.members import ReplicaMember
from laura_fast.domain.replication.reconfiguration import with_member, without_member
from laura_fast.errors import ClientError
from laura_fast.testing.sim.engines import Lists
from laura_fast.testing.sim.knobs import TIMEOUT_S
from laura_fast.testing.sim.links import FASTEST_S
from tests.sim.scenario import Scenario

if TYPE_CHECKING:
    from laura_fast.domain.replication.members import Configuration
    from laura_fast.testing.sim.life import Life

SEEDS = 10
PATIENCE_S = 0.0001
SYNC_S = 0.1
"""No sync is as short as the first, nor as long as the second."""
SPARES = ("n4", "n5")
"""They run, and are no members in the beginning."""


class Operated(Scenario):
    """A set whose members are changed all the time."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed, Lists())
        self.ids += SPARES
        self.changes = 0
        self.acknowledged: dict[int, bytes] = {}
        self.closed = False
        self._values = itertools.count()

    async def client(self) -> None:
        """Writes to whoever says to be primary."""
        while not self.closed:
            await asyncio.sleep(self.dice.uniform(0.01, 0.3))
            for life in self.leading:
                with suppress(ClientError):
                    await self._write(life.id)

    async def _write(self, member_id: str) -> None:
        value = str(next(self._values)).encode()
        put = partial(self.engine.put, register="r1", value=value)
        op_id = await self.ask(member_id, lambda life: life.write(put))
        assert self.acknowledged.setdefault(op_id, value) == value, "two writes were acknowledged as one entry"

    async def operator(self) -> None:
        """Asks whoever says to be primary for some change."""
        while not self.closed:
            await asyncio.sleep(self.dice.uniform(0.05, 0.6))
            for life in self.leading:
                with suppress(ClientError):
                    self.changes += await self.ask(life.id, self._change)

    async def _change(self, life: Life) -> bool:
        chosen, kind, priority = self.dice.choice(self.ids), self.dice.randrange(4), self.dice.randrange(4)

        def edit(configuration: Configuration) -> Configuration:
            present = configuration.get(chosen)
            if present is None:
                return with_member(configuration, ReplicaMember(chosen, f"{chosen}:1", votes=False))
            if kind == 0:
                return without_member(configuration, chosen)
            if kind == 1:
                return with_member(configuration, replace(present, priority=priority))
            return with_member(configuration, replace(present, votes=kind > 2 or not present.votes))

        before = life.member.configuration
        return await life.member.reconfigure(edit) != before

    def check(self) -> None:
        """All that was acknowledged is there, and who is no member knows it."""
        entries = self.safety.logs[self.primary.id]
        assert {op_id: entries[op_id - 1].document for op_id in self.acknowledged} == self.acknowledged
        now = self.primary.member.configuration
        for life in self.lives.values():
            if now.get(life.id) is None:
                missed = life.member.configuration.get(life.id)
                if missed is None:
                    assert life.member.status().state in {"removed", "waiting"}
                else:  # the primary that removed it lost its office before it could say so, and nobody else will
                    assert life.member.configuration.stamp.term < now.stamp.term
                    assert not (missed.votes and missed.priority), "who stands for election is told"


async def suffer(world: Operated) -> None:
    """Faults and changes, then peace, in which the set must agree."""
    await world.begin()
    busy = [asyncio.create_task(world.client()), asyncio.create_task(world.operator())]
    await world.suffer()
    before = len(world.acknowledged)
    await world.until(lambda: len(world.acknowledged) > before, "clients are answered")
    world.closed = True
    await asyncio.gather(*busy)
    await world.until(world.agree, "one member leads and all hold the same")
    await asyncio.sleep(8 * TIMEOUT_S)
    world.check()


@pytest.mark.parametrize("seed", range(SEEDS))
def test_changes_amid_faults_keep_one_primary_a_term_and_lose_nothing(seed: int) -> None:
    with closing(Operated(seed)) as world:
        world.run(suffer(world))
        assert world.changes


def retagged(configuration: Configuration) -> Configuration:
    """The next version."""
    first = configuration.members[0]
    return with_member(configuration, replace(first, tags={"version": str(configuration.version)}))


async def leave_amid_a_change(stand: Scenario) -> None:
    """Whoever asked leaves while the disk keeps the configuration: the operator, then the primary that tells it."""
    primary = await stand.begin()
    await asyncio.sleep(TIMEOUT_S)
    stand.isolate(primary.id)
    with pytest.raises(ClientError):
        await stand.ask(primary.id, lambda life: life.member.reconfigure(retagged), PATIENCE_S + FASTEST_S)
    await asyncio.sleep(SYNC_S)
    assert primary.member.configuration.version == 2
    for life in stand.secondaries:
        learn = life.member._steps.learn(primary.member.configuration)
        learning = stand.loop.create_task(learn, context=life.process.context)
        await asyncio.sleep(PATIENCE_S)
        learning.cancel()
        await asyncio.sleep(SYNC_S)
        assert life.member.configuration.version == 2
    stand.network.cut = set()
    await stand.until(lambda: primary.member.lead().rollout.complete, "the primary hears of a majority")
    assert (await stand.ask(primary.id, lambda life: life.member.reconfigure(retagged))).version == 3


@pytest.mark.parametrize("seed", range(3))
def test_a_change_is_made_whoever_waits_for_it(seed: int) -> None:
    with closing(Scenario(seed, Lists())) as stand:
        stand.network.weather.slowest_s = FASTEST_S
        stand.run(leave_amid_a_change(stand))
