"""Load over time, without any load."""

from __future__ import annotations

import pytest
from common.plans import PLANS, STEPS, stage

DURATION_S = 100.0
PEAK = 200


def users(plan: str, elapsed_s: float) -> int:
    now = stage(plan, elapsed_s, DURATION_S, PEAK)
    assert now is not None
    return now.users


@pytest.mark.parametrize("plan", PLANS)
def test_every_plan_ends_and_stays_within_its_peak(plan: str) -> None:
    assert stage(plan, DURATION_S, DURATION_S, PEAK) is None
    assert all(1 <= users(plan, second) <= PEAK for second in range(int(DURATION_S)))


def test_ramp_grows_in_a_straight_line() -> None:
    assert [users("ramp", second) for second in (25, 50, 75)] == [50, 100, 150]


def test_step_has_equal_stairs() -> None:
    stairs = sorted({users("step", second) for second in range(int(DURATION_S))})
    assert stairs == [PEAK * number // STEPS for number in range(1, STEPS + 1)]


def test_spike_goes_back_to_where_it_came_from() -> None:
    assert [users("spike", second) for second in (39, 40, 59, 60)] == [20, 200, 200, 20]


def test_soak_holds_the_peak() -> None:
    assert {users("soak", second) for second in range(5, 100)} == {PEAK}
