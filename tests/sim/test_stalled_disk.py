"""A disk that does not answer: its member leads no longer, and is heard of all the same."""

from __future__ import annotations

import asyncio
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING

import pytest

from laura_fast.domain.documents.codec import decode_stored
from laura_fast.errors import RemoteError
from laura_fast.testing.sim.knobs import TIMEOUT_S
from tests.sim.test_documents import Shop, count

if TYPE_CHECKING:
    from laura_fast.testing.sim.life import Life

STALL_S = 10 * TIMEOUT_S
LONG_S = 2 * STALL_S
"""For whoever waits for a disk that stalls."""


class Stalling(Shop):
    """A set whose disks can be told to take exactly `STALL_S` for the next sync."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self.stalling: set[str] = set()

    def sync_s(self, member_id: str) -> float:
        if member_id in self.stalling:
            self.stalling.discard(member_id)
            return STALL_S
        return super().sync_s(member_id)


async def write(identifier: int, life: Life) -> int:
    return await life.write(lambda session: count(session, identifier, identifier))


async def stall_the_primary(world: Stalling) -> None:
    primary = await world.begin()
    await asyncio.sleep(TIMEOUT_S)
    world.stalling.add(primary.id)
    stalled_at = world.loop.time()
    begun = asyncio.create_task(world.ask(primary.id, partial(write, 1), LONG_S))
    await world.until(lambda: not world.stalling, "its sync has begun")
    waiting = asyncio.create_task(world.ask(primary.id, partial(write, 2), LONG_S))
    await world.until(
        lambda: [life.member.leads for life in world.leading if life is not primary] == [True], "another leads"
    )
    assert primary not in world.leading
    assert world.loop.time() - stalled_at < 3.5 * TIMEOUT_S
    await world.ask(world.primary.id, partial(write, 3))
    assert world.loop.time() < stalled_at + STALL_S
    with pytest.raises(RemoteError, match="lost its office"):
        await begun
    with pytest.raises(RemoteError, match="not primary"):
        await waiting
    await world.until(world.agree, "one member leads and all hold the same")
    for member_id in world.ids:
        held = [decode_stored(body)["_id"] for body in world.documents(member_id).values()]
        assert held == [3]  # what had begun was undone


def test_a_primary_whose_disk_stalls_for_longer_than_its_lease_steps_down_and_comes_back() -> None:
    with closing(Stalling(1)) as world:
        world.run(stall_the_primary(world))


async def stall_the_secondaries(world: Stalling) -> None:
    primary = await world.begin()
    await asyncio.sleep(TIMEOUT_S)
    others = [life.id for life in world.secondaries]
    world.stalling.update(others)
    writing = asyncio.create_task(world.ask(primary.id, partial(write, 1), LONG_S))
    await asyncio.sleep(0.9 * STALL_S)
    assert world.leading == [primary]
    assert not world.stalling
    assert not writing.done()
    states = {each.member.id: each.state for each in primary.member.status().members}
    assert states == {primary.id: "primary"} | dict.fromkeys(others, "secondary")
    await writing


def test_a_secondary_whose_disk_stalls_answers_its_primary() -> None:
    with closing(Stalling(1)) as world:
        world.run(stall_the_secondaries(world))
