"""The failure detector's arithmetic: verdicts, the wheel, and time in which nobody could be heard."""

from __future__ import annotations

import pytest

from laura_fast.domain.membership.detector import ListeningTime, Patience, TimingWheel, Verdict, judge
from laura_fast.domain.membership.values import NodeState

PATIENCE = Patience(3.0, 10.0)
HEALTHY, SUSPECT, DOWN = NodeState.HEALTHY, NodeState.SUSPECT, NodeState.DOWN


@pytest.mark.parametrize(
    ("state", "silent_s", "verdict"),
    [
        (HEALTHY, 0.0, Verdict(HEALTHY, 3.0)),
        (HEALTHY, 2.999, Verdict(HEALTHY, 3.0)),
        (HEALTHY, 3.0, Verdict(SUSPECT, 10.0)),
        (HEALTHY, 10.0, Verdict(DOWN, None)),
        (SUSPECT, 0.0, Verdict(SUSPECT, 10.0)),
        (SUSPECT, 9.999, Verdict(SUSPECT, 10.0)),
        (SUSPECT, 10.0, Verdict(DOWN, None)),
        (DOWN, 0.0, Verdict(DOWN, None)),
    ],
)
def test_silence_only_makes_a_verdict_worse(state: NodeState, silent_s: float, verdict: Verdict) -> None:
    assert judge(state, silent_s, PATIENCE) == verdict


def test_an_item_is_due_at_its_deadline_and_at_most_one_granule_late() -> None:
    wheel: TimingWheel[float] = TimingWheel(0.25, 100.0)
    deadlines = [100.1, 100.25, 100.26, 101.0, 117.3]
    for due in deadlines:
        wheel.file(due, due)
    seen: dict[float, float] = {}
    for quarter in range(1, 80):
        now = 100.0 + quarter / 4
        seen.update((item, now) for _, item in wheel.advance(now))
    assert sorted(seen) == deadlines
    assert all(due <= now < due + 0.25 for due, now in seen.items())


def test_nothing_is_due_twice_nor_before_its_time() -> None:
    wheel: TimingWheel[str] = TimingWheel(0.25, 0.0)
    wheel.file("a", 1.0)
    assert wheel.advance(0.99) == []
    assert [item for _, item in wheel.advance(1.0)] == ["a"]
    assert wheel.advance(1.0) == wheel.advance(5.0) == []


def test_what_is_late_already_falls_due_with_the_next_slot() -> None:
    wheel: TimingWheel[str] = TimingWheel(0.25, 50.0)
    wheel.file("a", 3.0)
    assert [item for _, item in wheel.advance(50.25)] == ["a"]


def test_small_lateness_counts_as_time() -> None:
    listening = ListeningTime(0.0, 0.25, 1.0)
    assert listening.tick(1.25) == 1.25
    assert listening.deaf_s == 0.0


def test_a_pause_longer_than_a_beat_is_nobodys_silence() -> None:
    listening = ListeningTime(0.0, 0.25, 1.0)
    assert listening.tick(0.25) == 0.25
    assert listening.tick(60.5) == pytest.approx(0.5)
    assert listening.tick(60.75) == pytest.approx(0.75)
