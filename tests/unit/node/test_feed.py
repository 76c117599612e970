"""The feed of versions: history, resuming watchers, limits."""

from __future__ import annotations

import asyncio

import pytest

from laura_fast.domain.membership.topology import TopologyDelta, TopologySnapshot
from laura_fast.domain.membership.values import Member
from laura_fast.errors import OverloadedError, UnavailableError
from laura_fast.node.feed import TopologyFeed
from laura_fast.node.history import TopologyHistory
from laura_fast.node.registry import Registry


def feed_of(history: TopologyHistory | None = None, **limits: int) -> TopologyFeed:
    return TopologyFeed(Registry(1), history=history, **limits)


def advance(feed: TopologyFeed, *versions: int) -> None:
    for version in versions:
        feed.publish(TopologySnapshot(version), [TopologyDelta(version)])


async def test_changes_since() -> None:
    feed = feed_of(TopologyHistory(max_versions=3))
    advance(feed, 2, 3, 4, 5)
    assert [delta.version for delta in feed.changes_since(2) or []] == [3, 4, 5]
    assert feed.changes_since(5) == []
    for unknown in (1, 0, -(2**63), 6, 2**63 - 1):
        assert feed.changes_since(unknown) is None


async def test_history_is_bounded_in_members_too() -> None:
    history = TopologyHistory(max_members=10)
    members = tuple(Member(str(number), "h", 1) for number in range(4))
    for version in range(2, 7):
        history.append(TopologyDelta(version, members))
    assert [history.step_from(version) is not None for version in range(1, 6)] == [False, False, False, True, True]


async def test_a_slow_watcher_gets_a_snapshot_then_deltas_again() -> None:
    feed = feed_of(TopologyHistory(max_versions=2))
    watch = feed.watch(1)
    advance(feed, 2, 3, 4, 5)
    first = await anext(watch)
    assert isinstance(first, TopologySnapshot)
    assert first.version == 5
    advance(feed, 6)
    second = await anext(watch)
    assert isinstance(second, TopologyDelta)
    assert second.version == 6


async def test_watchers_beyond_the_limit_are_refused_until_one_leaves() -> None:
    feed = feed_of(max_watchers=1)
    first = feed.watch(0)
    await anext(first)
    with pytest.raises(OverloadedError):
        await anext(feed.watch(0))
    await first.aclose()
    assert (await anext(feed.watch(0))).version == 1


async def test_long_polls_beyond_the_limit_are_answered_at_once() -> None:
    feed = feed_of(max_long_polls=1)
    parked = asyncio.create_task(feed.wait_newer(1, 60.0))
    await asyncio.sleep(0)
    assert await feed.wait_newer(1, 60.0) is None
    advance(feed, 2)
    newer = await parked
    assert newer is not None
    assert newer.version == 2


async def test_cancelled_long_polls_give_their_place_back() -> None:
    feed = feed_of(max_long_polls=1)
    parked = asyncio.create_task(feed.wait_newer(1, 60.0))
    await asyncio.sleep(0)
    parked.cancel()
    await asyncio.gather(parked, return_exceptions=True)
    waiting = asyncio.create_task(feed.wait_newer(1, 60.0))
    await asyncio.sleep(0)
    assert not waiting.done()
    feed.drain()
    assert await waiting is None


async def test_a_watch_ends_when_the_server_drains() -> None:
    feed = feed_of()
    watch = feed.watch(0)
    await anext(watch)
    pending = asyncio.ensure_future(anext(watch))
    await asyncio.sleep(0)
    feed.drain()
    with pytest.raises(UnavailableError):
        await pending
