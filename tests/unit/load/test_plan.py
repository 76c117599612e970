"""Arrival times are fixed in advance: nothing but the rate and the time decides them."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from laura_fast.load.plan import TICK_NS, Batch, Schedule

SECOND_NS = 1_000_000_000


def test_slow_rates_have_a_tick_for_each_call() -> None:
    schedule = Schedule(500, 0.01)
    assert schedule.tick_ns == 2_000_000
    assert list(schedule.due(SECOND_NS)) == [Batch(tick * 2_000_000, 1) for tick in range(5)]


def test_fast_rates_share_the_shortest_tick() -> None:
    schedule = Schedule(50_000, 0.001)
    assert list(schedule.due(SECOND_NS)) == [Batch(0, 25), Batch(TICK_NS, 25)]


def test_nothing_is_due_before_its_time_and_nothing_twice() -> None:
    schedule = Schedule(1_000, 1)
    assert list(schedule.due(-1)) == []
    assert list(schedule.due(0)) == [Batch(0, 1)]
    assert list(schedule.due(999_999)) == []
    assert list(schedule.due(2_000_000)) == [Batch(1_000_000, 1), Batch(2_000_000, 1)]
    assert schedule.remaining == 997


@settings(deadline=None)
@given(rate=st.integers(1, 1_000_000), seconds=st.floats(0.001, 0.1), looks=st.lists(st.integers(0, SECOND_NS)))
def test_whenever_it_is_asked_the_plan_is_the_same(rate: int, seconds: float, looks: list[int]) -> None:
    """The generator's own delays move no intended time: the heart of an open loop."""
    at_once, in_steps = Schedule(rate, seconds), Schedule(rate, seconds)
    plan = list(at_once.due(2 * SECOND_NS))
    steps = [batch for look in (*sorted(looks), 2 * SECOND_NS) for batch in in_steps.due(look)]
    assert steps == plan
    assert sum(batch.calls for batch in plan) == at_once.total == round(rate * seconds)
    assert at_once.exhausted
    sent = 0
    for batch in plan:
        assert abs(sent - batch.offset_ns * rate / SECOND_NS) <= 1 + at_once.tick_ns * rate / SECOND_NS
        sent += batch.calls
