"""A member that is dead for long costs the others no more than one that died just now."""

from __future__ import annotations

import asyncio
from contextlib import closing

from laura_fast.testing.sim.knobs import TIMEOUT_S
from laura_fast.testing.sim.links import SimulatedPeers
from tests.sim.scenario import Scenario

PATIENCE_S = 100 * TIMEOUT_S
"""The network's own."""
CALLS = 24
"""Beats to a member that does not answer: a few within each timeout, each of which gives up after one."""


async def lose(world: Scenario) -> None:
    primary = await world.begin()
    primary.member._calls._peers = SimulatedPeers(world.network, primary.id, PATIENCE_S, lambda *_: None)
    world.network.cut = {(primary.id, world.secondaries[0].id)}
    most = 0
    for _ in range(200):
        await asyncio.sleep(TIMEOUT_S / 2)
        most = max(most, len(asyncio.all_tasks()))
    assert world.leading == [primary]
    assert most < CALLS


def test_the_calls_to_a_dead_member_do_not_pile_up() -> None:
    with closing(Scenario(1)) as world:
        world.run(lose(world))
