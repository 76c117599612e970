"""The live view: keys, scrolling, and a terminal that is left as it was."""

from __future__ import annotations

import asyncio
import os
import signal
import termios
from typing import TYPE_CHECKING

import pytest

from laura_fast.client import ClusterClient, RetryPolicy
from laura_fast.client.console.keyboard import keys_in
from laura_fast.client.console.status import Look
from laura_fast.client.console.top import Screen, render, show_plain, show_top
from laura_fast.client.console.view import ClusterView, MemberView, view_of
from laura_fast.errors import UnavailableError, UnreachableError
from laura_fast.pb.laura.fast.v1 import admin_pb2
from laura_fast.pb.lauradb.cluster import cluster_pb2 as pb

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from rich.console import Console

    from tests.unit.client.fake_cluster import FakeCluster
    from tests.unit.client.virtual_time import VirtualTime


def cluster_of(count: int, down: int = -1) -> ClusterView:
    status = admin_pb2.GetClusterStatusResponse(
        members=[
            admin_pb2.MemberStatus(
                node=pb.Node(id=f"n{number:02}", host="h", port=1, state=pb.DOWN if number == down else pb.HEALTHY)
            )
            for number in range(count)
        ]
    )
    return view_of("s:1", status)


def ids(rows: Sequence[MemberView]) -> list[str]:
    return [row.id for row in rows]


@pytest.mark.parametrize(
    ("read", "keys"),
    [
        (b"q", ["quit"]),
        (b"\x1b", ["quit"]),
        (b"\x03", ["quit"]),
        (b"\x1b[A\x1b[Bjk", ["up", "down", "down", "up"]),
        (b"\x1b[5~\x1b[6~ gG", ["page-up", "page-down", "page-down", "home", "end"]),
        (b"xs\xff", ["sort"]),
    ],
)
def test_keys_are_recognised_in_what_a_terminal_sends(read: bytes, keys: list[str]) -> None:
    assert keys_in(read) == keys


def test_the_worst_members_come_first_until_sorted_by_id() -> None:
    screen = Screen(rows=3)
    assert ids(screen.chosen(cluster_of(5, down=3))) == ["n03", "n00", "n01"]
    screen.press("sort")
    assert ids(screen.chosen(cluster_of(5, down=3))) == ["n00", "n01", "n02"]


def test_scrolling_stops_at_both_ends() -> None:
    screen = Screen(rows=4)
    for keys, first in (
        (["down"], "n01"),
        (["page-down", "page-down", "page-down"], "n06"),
        (["up"], "n05"),
        (["home"], "n00"),
        (["up"], "n00"),
        (["end"], "n06"),
        (["page-up"], "n02"),
    ):
        for key in keys:
            screen.press(key)
        assert ids(screen.chosen(cluster_of(10)))[0] == first
    assert ids(screen.chosen(cluster_of(1))) == ["n00"]  # the cluster shrank


@pytest.mark.parametrize("height", [5, 8, 20])
def test_a_picture_fits_the_terminal(
    status: admin_pb2.GetClusterStatusResponse,
    cluster: FakeCluster,
    make_console: Callable[..., Console],
    shown: Callable[[Console], str],
    height: int,
) -> None:
    for number in range(30):
        status.members.add(node=pb.Node(id=f"x{number:02}", host="h", port=1))
    console = make_console(width=80, height=height)
    look = Look(ClusterClient(cluster.address), view_of("s:1", status), "no server answered: " + "very long " * 20)
    console.print(render(look, Screen(), console), end="")
    lines = shown(console).split("\n")
    assert len(lines) <= max(height, 7)
    assert "q quit" in lines[-1]
    assert f"of {len(status.members)}" in lines[-1]
    assert lines[5].startswith("n2")  # the one that is down


@pytest.fixture
def terminal() -> Iterator[tuple[int, int]]:
    """Both ends of a pseudo-terminal: what a person types into, and what the program reads."""
    person, program = os.openpty()
    yield person, program
    os.close(person)
    os.close(program)


@pytest.mark.parametrize("end", ["q", "SIGTERM"])
async def test_it_is_live_until_q_and_leaves_the_terminal_as_it_was(
    *,
    end: str,
    cluster: FakeCluster,
    terminal: tuple[int, int],
    make_console: Callable[..., Console],
    shown: Callable[[Console], str],
) -> None:
    person, program = terminal
    before = termios.tcgetattr(program)
    console = make_console(terminal=True)
    async with ClusterClient(cluster.address, policy=RetryPolicy(max_passes=1)) as client:
        running = asyncio.create_task(show_top(client, console, every_s=0.01, timeout_s=5, keyboard=program))
        await cluster.reached("GetClusterStatus", 2)
        assert not termios.tcgetattr(program)[3] & termios.ICANON
        cluster.put(pb.Node(id="n1", host="h", port=1))
        cluster.failures.append(UnavailableError("stopping", "TEST"))
        await cluster.reached("GetClusterStatus", cluster.counts["GetClusterStatus"] + 3)
        assert not running.done()
        if end == "q":
            os.write(person, b"q")
        else:
            os.kill(os.getpid(), signal.SIGTERM)
        await running
    assert termios.tcgetattr(program) == before
    assert "n1" in shown(console)
    assert "\x1b[?1049h" in shown(console)  # the alternate screen was entered
    assert shown(console).rstrip().endswith("\x1b[?25h\x1b[?1049l")  # the cursor shown, the screen left


async def test_a_first_look_that_fails_is_an_error(
    cluster: FakeCluster, terminal: tuple[int, int], make_console: Callable[..., Console]
) -> None:
    await cluster.stop()
    async with ClusterClient(cluster.address, policy=RetryPolicy(max_passes=1)) as client:
        with pytest.raises(UnreachableError):
            await show_top(client, make_console(), every_s=1, timeout_s=5, keyboard=terminal[1])


class _EnoughError(Exception):
    """Ends a command that runs for ever."""


async def test_without_a_terminal_one_table_follows_the_other(
    cluster: FakeCluster, time: VirtualTime, make_console: Callable[..., Console], shown: Callable[[Console], str]
) -> None:
    console = make_console()
    time.stop_after(2, _EnoughError())
    async with ClusterClient(cluster.address, timing=time.timing) as client:
        with pytest.raises(_EnoughError):
            await show_plain(client, console, every_s=3, timeout_s=5)
    assert (shown(console).count("Cluster as fake"), time.sleeps) == (2, [3, 3])
