"""The two loops on a virtual clock, against a server that answers at once except while it stalls."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any, cast

import pytest

from laura_fast.load.calls import Workload
from laura_fast.load.driving import ClosedLoop, OpenLoop
from laura_fast.load.plan import Schedule
from laura_fast.load.saturation import Saturation
from laura_fast.pb.lauradb.cluster.cluster_pb2 import Node
from laura_fast.testing.clock import VirtualClock
from laura_fast.wire.grpc.request_blocks import Route

if TYPE_CHECKING:
    from collections.abc import Iterator

    from laura_fast.load.calls import Call
    from laura_fast.load.link import Link, Owner
    from laura_fast.load.measuring import Histogram

STALL = 1000.2, 1000.4
"""Seconds of the clock, which starts at 1000, in which the server answers nothing."""
SERVICE_S = 0.001


class FakeLink:
    """A connection to a server that answers each call of a turn in the next one, except while it stalls."""

    owner: Owner

    def __init__(self, clock: VirtualClock, streams: int) -> None:
        self.clock = clock
        self.streams = streams
        self.open: list[tuple[Call, float]] = []

    @property
    def room(self) -> int:
        return self.streams - len(self.open)

    @property
    def in_flight(self) -> int:
        return len(self.open)

    def send(self, calls: Iterator[Call], count: int, intended: float) -> None:
        self.open += [(call, intended) for call in itertools.islice(calls, count)]

    def flush(self) -> None:
        """What was sent is with the server already."""

    def answer(self) -> None:
        if STALL[0] <= self.clock.monotonic() < STALL[1]:
            return
        answered, self.open = self.open, []
        for call, intended in answered:
            call.method.done.append(intended)
            call.method.take(self.clock.monotonic())
        self.owner.answered(cast("Link", self))


def workload() -> Workload:
    return Workload("heartbeat", lambda path: Route(path, "localhost", "http", "test"), [Node(id="n")], 1)


def latencies(calls: Workload) -> Histogram:
    (method,) = calls.methods
    method.flush()
    return method.histogram


def links(clock: VirtualClock, number: int, streams: int) -> list[FakeLink]:
    return [FakeLink(clock, streams) for _ in range(number)]


def open_loop(
    clock: VirtualClock, connections: list[FakeLink], calls: Workload, *, rate: int = 1000, saturation: Any = None
) -> OpenLoop:
    schedule = Schedule(rate, 1)
    loop = OpenLoop(
        cast("list[Link]", connections),
        calls,
        schedule,
        saturation or Saturation(),
        clock_ns=lambda: round(clock.monotonic() * 1e9),
    )
    loop._start_ns = round(clock.monotonic() * 1e9)
    return loop


def test_an_open_loop_reports_a_stall_and_a_closed_one_hides_it() -> None:
    """Coordinated omission: 200 ms of silence in a second are a fifth of all calls, or a single one."""
    clock, calls = VirtualClock(), workload()
    (link,) = links(clock, 1, 1000)
    loop = open_loop(clock, [link], calls)
    while not loop.done.is_set():
        loop.tick()
        clock.advance(SERVICE_S)
        link.answer()
    p50, p99 = latencies(calls).percentiles_us((0.5, 0.99))
    assert p50 <= 2_000
    assert 180_000 <= p99 <= 201_000

    clock, calls = VirtualClock(), workload()
    (link,) = links(clock, 1, 1)
    closed = ClosedLoop(cast("list[Link]", [link]), calls, clock.monotonic)
    closed.start()
    while clock.monotonic() < 1001:
        clock.advance(SERVICE_S)
        link.answer()
    closed.end_sending()
    clock.advance(SERVICE_S)
    link.answer()
    assert closed.done.is_set()
    assert latencies(calls).longest_us >= 199_000
    assert latencies(calls).percentiles_us((0.99,))[0] <= 2_000


def test_calls_that_find_no_stream_wait_and_count_from_their_intended_time() -> None:
    clock, calls = VirtualClock(), workload()
    (link,) = links(clock, 1, 2)
    loop = open_loop(clock, [link], calls, rate=4000)
    clock.advance(0.01)
    loop.tick()
    assert link.in_flight == 2
    clock.advance(0.01)
    link.answer()
    assert link.in_flight == 2, "the answers made room for the next two"
    assert latencies(calls).longest_us == pytest.approx(20_000, abs=1)


def test_connections_get_equal_shares() -> None:
    clock, calls = VirtualClock(), workload()
    connections = links(clock, 4, 100)
    loop = open_loop(clock, connections, calls, rate=80_000)
    loop.tick()
    assert [link.in_flight for link in connections] == [10, 10, 10, 10]


def test_a_generator_that_is_late_says_so() -> None:
    clock, calls, saturation = VirtualClock(), workload(), Saturation()
    (link,) = links(clock, 1, 10_000)
    loop = open_loop(clock, [link], calls, saturation=saturation)
    for _ in range(100):
        loop.tick()
        clock.advance(0.001)
        link.answer()
    assert saturation.reasons(cpu_s=0.1, wall_s=1) == []
    clock.advance(0.01)
    loop.tick()
    (reason,) = saturation.reasons(cpu_s=0.1, wall_s=1)
    assert "late" in reason


def test_a_generator_without_a_core_left_says_so() -> None:
    assert Saturation().reasons(cpu_s=0.95, wall_s=1) == ["the generator used 95% of a core"]


def test_calls_that_were_never_sent_have_failed() -> None:
    clock, calls = VirtualClock(), workload()
    (link,) = links(clock, 1, 10)
    loop = open_loop(clock, [link], calls)
    loop.tick()
    link.open.clear()
    loop.lost(cast("Link", link))
    assert loop.done.is_set()
    loop.give_up()
    assert calls.methods[0].failures == {"UNAVAILABLE": 999}
    assert loop.lost_connections == 1
