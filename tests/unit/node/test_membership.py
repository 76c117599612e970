"""Membership as a whole: durability and its order, restarts, the detector on a virtual clock."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from laura_fast.domain.membership.changes import Leave
from laura_fast.domain.membership.values import Member, NodeRole, NodeState, Registration
from laura_fast.errors import NotFoundError, OverloadedError, UnavailableError
from laura_fast.node.clock import SystemClock
from laura_fast.node.inbox import Inbox
from laura_fast.node.membership import Membership
from laura_fast.node.settings import MembershipSettings
from laura_fast.testing.clock import VirtualClock
from laura_fast.testing.membership import FragileMetadata

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from laura_fast.domain.membership.values import MemberChanged

HEALTHY, SUSPECT, DOWN = NodeState.HEALTHY, NodeState.SUSPECT, NodeState.DOWN


def encode(member: Member) -> bytes:
    return repr(member).encode()


class World:
    """A membership that can be crashed and started again on what its store kept."""

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.store = FragileMetadata()
        self.settings = MembershipSettings()
        self.membership = Membership(self.store, self.clock, self.settings, encode)

    async def start(self) -> Membership:
        self.membership = Membership(self.store, self.clock, self.settings, encode)
        await self.membership.start()
        self.membership._tasks[1].cancel()  # only `pass_time` ticks: no verdict depends on the machine's speed
        return self.membership

    async def crash(self) -> None:
        for task in self.membership._tasks:
            task.cancel()
        await asyncio.gather(*self.membership._tasks, return_exceptions=True)

    async def join(self, node_id: str, host: str = "h") -> bool:
        return (await self.membership.register(Registration(node_id, host, 1))).success

    def states(self) -> dict[str, NodeState]:
        return {member.id: member.state for member in self.membership.topology.members}

    async def pass_time(self, seconds: float) -> None:
        """Time as a healthy event loop sees it: a tick each quarter of a beat, and the writer gets its turn."""
        for _ in range(round(seconds * 4)):
            self.clock.advance(0.25)
            self.membership.tick()
            await self.settle()

    async def settle(self) -> None:
        for _ in range(5):
            await asyncio.sleep(0)


@pytest.fixture
async def world() -> AsyncIterator[World]:
    made = World()
    await made.start()
    yield made
    await made.membership.stop()


async def test_members_tombstones_incarnations_and_version_survive_a_crash(world: World) -> None:
    for node_id in "abc":
        await world.join(node_id)
    await world.membership.register(Registration("b", "h", 1, NodeRole.ROUTER, 5, {"k": "v"}, take_over=True))
    await world.membership.deregister("c", "bye")
    before = world.membership.topology
    await world.crash()
    after = (await world.start()).topology
    assert (after.version, after.members) == (before.version, before.members)
    assert after.encoded == before.encoded
    outcome = await world.membership.register(Registration("c", "h", 1))
    assert outcome.member
    assert (outcome.member.incarnation, outcome.topology.version) == (2, before.version + 1)


async def test_what_was_not_committed_was_never_seen(world: World) -> None:
    await world.join("a")
    world.store.gate = asyncio.get_running_loop().create_future()
    lost = asyncio.create_task(world.join("b"))
    await world.settle()
    assert world.membership.topology.version == 2
    with pytest.raises(NotFoundError):
        world.membership.heartbeat("b")
    await world.crash()
    lost.cancel()
    world.store.gate = None
    await world.start()
    assert (world.membership.topology.version, list(world.states())) == (2, ["a"])


async def test_changes_that_gather_during_a_commit_share_the_next_one(world: World) -> None:
    world.store.gate = asyncio.get_running_loop().create_future()
    joins = [asyncio.create_task(world.join(f"n{number}")) for number in range(50)]
    await world.settle()
    world.store.gate.set_result(None)
    assert all(await asyncio.gather(*joins))
    assert world.store.commits <= 2
    assert (world.membership.topology.version, len(world.membership.changes_since(1) or [])) == (51, 50)


async def test_every_restored_node_gets_its_full_time_before_down(world: World) -> None:
    for node_id in "abc":
        await world.join(node_id)
    await world.pass_time(4)
    world.membership.heartbeat("b")
    await world.settle()
    assert world.states() == {"a": SUSPECT, "b": HEALTHY, "c": SUSPECT}
    await world.crash()
    world.clock.advance(3_600)
    await world.start()
    await world.pass_time(2.75)
    assert world.states() == {"a": SUSPECT, "b": HEALTHY, "c": SUSPECT}
    await world.pass_time(7)
    assert world.states() == {"a": SUSPECT, "b": SUSPECT, "c": SUSPECT}
    await world.pass_time(0.5)
    assert set(world.states().values()) == {DOWN}


async def test_all_changes_of_one_tick_are_one_version(world: World) -> None:
    for number in range(100):
        await world.join(f"n{number}")
    version = world.membership.topology.version
    await world.pass_time(5)
    assert set(world.states().values()) == {SUSPECT}
    assert world.membership.topology.version == version + 1
    for number in range(100):
        world.membership.heartbeat(f"n{number}")
    await world.settle()
    assert set(world.states().values()) == {HEALTHY}
    assert world.membership.topology.version == version + 2


async def test_beats_keep_a_node_healthy_for_ever_without_any_version(world: World) -> None:
    await world.join("a")
    for _ in range(120):
        await world.pass_time(1)
        world.membership.heartbeat("a")
    assert (world.states(), world.membership.topology.version) == ({"a": HEALTHY}, 2)


async def test_a_node_that_recovered_is_suspected_in_time_again(world: World) -> None:
    await world.join("a")
    await world.pass_time(4)
    world.membership.heartbeat("a")
    await world.pass_time(2.75)
    assert world.states() == {"a": HEALTHY}
    await world.pass_time(0.5)
    assert world.states() == {"a": SUSPECT}


async def test_expiry_waits_while_the_server_itself_is_deaf(world: World) -> None:
    await world.join("a")
    await world.pass_time(1)
    world.clock.advance(300)
    world.membership.tick()
    await world.settle()
    assert world.states() == {"a": HEALTHY}
    await world.pass_time(1.5)
    assert world.states() == {"a": HEALTHY}
    await world.pass_time(1)
    assert world.states() == {"a": SUSPECT}


async def test_a_beat_read_after_a_pause_but_before_the_tick_counts_from_the_tick(world: World) -> None:
    await world.join("a")
    await world.pass_time(1)
    world.clock.advance(300)
    world.membership.heartbeat("a")
    await world.pass_time(9)
    assert world.states() == {"a": SUSPECT}


async def test_a_verdict_that_cannot_be_stored_is_tried_again(world: World) -> None:
    await world.join("a")
    world.store.broken = True
    await world.pass_time(4)
    assert world.states() == {"a": HEALTHY}
    world.store.broken = False
    await world.pass_time(0.5)
    assert world.states() == {"a": SUSPECT}


async def test_observers_hear_of_each_change_after_it_was_published(world: World) -> None:
    heard: list[tuple[int, int, bool, bool]] = []

    def observe(change: MemberChanged) -> None:
        heard.append((change.version, world.membership.topology.version, bool(change.before), bool(change.after)))

    def fail(_change: MemberChanged) -> None:
        raise ValueError("an observer's own bug")

    world.membership.observers += [fail, observe]
    await world.join("a")
    await world.pass_time(4)
    await world.membership.deregister("a", "")
    assert heard == [(2, 2, False, True), (3, 3, True, True), (4, 4, True, False)]


async def test_stop_commits_what_was_taken_and_takes_no_more(world: World) -> None:
    join = asyncio.create_task(world.join("a"))
    await asyncio.sleep(0)
    await world.membership.stop()
    assert await join
    with pytest.raises(UnavailableError):
        await world.join("b")
    await world.start()
    assert list(world.states()) == ["a"]


async def test_a_caller_that_went_away_does_not_disturb_the_writer(world: World) -> None:
    world.store.gate = asyncio.get_running_loop().create_future()
    gone = asyncio.create_task(world.join("a"))
    await world.settle()
    gone.cancel()
    world.store.gate.set_result(None)
    assert await world.join("b")
    assert list(world.states()) == ["a", "b"]


async def test_the_inbox_refuses_what_is_beyond_its_limit() -> None:
    inbox, change = Inbox(limit=1), Leave("a", "", 0)
    inbox.put(change)
    with pytest.raises(OverloadedError):
        inbox.put(change)
    assert len(await inbox.take()) == 1
    inbox.put(change)


async def test_a_bug_in_a_step_is_answered_and_does_not_stop_the_writer(world: World) -> None:
    def broken() -> str:
        raise ValueError("a bug")

    world.membership.elected_primary, working = broken, world.membership.elected_primary
    with pytest.raises(ValueError, match="a bug"):
        await world.join("a")
    world.membership.elected_primary = working
    assert await world.join("a")


async def test_beats_do_not_hammer_a_store_that_fails(world: World) -> None:
    await world.join("a")
    await world.pass_time(4)
    world.store.broken = True
    world.store.refused = 0
    for _ in range(50):
        world.membership.heartbeat("a")
        await world.settle()
    assert world.store.refused == 1
    world.store.broken = False
    await world.pass_time(0.5)
    assert world.states() == {"a": HEALTHY}


async def test_a_dead_writer_refuses_changes_instead_of_holding_them(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_batch: object) -> None:
        raise AssertionError("an invariant")

    monkeypatch.setattr(world.membership, "_publish", broken)
    doomed = asyncio.create_task(world.join("a"))
    await world.settle()
    with pytest.raises(UnavailableError):
        await world.join("b")
    doomed.cancel()


async def test_the_detector_ticks_by_itself() -> None:
    settings = MembershipSettings(heartbeat_interval_ms=10, suspect_after_ms=20, down_after_ms=40)
    membership = Membership(FragileMetadata(), SystemClock(), settings, encode)
    await membership.start()
    await membership.register(Registration("a", "h", 1))
    for version in (2, 3):
        assert await membership.wait_newer(version, 10)
        if membership.topology.members[0].state is DOWN:
            break
    assert membership.topology.members[0].state is DOWN
    await membership.stop()
