"""The gate's statistics on synthetic rounds: no false alarms, planted slowdowns found, every verdict reachable."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.compare import gate
from bench.compare.intervals import median_interval, p_value, spread_of_median
from bench.compare.verdicts import LOOKS, Look, Times, Verdict, judge

if TYPE_CHECKING:
    from collections.abc import Sequence

DRIFT = 0.2
"""Of the machine's speed between rounds: ten times what is to be found."""


class Synthetic:
    """Rounds of a machine that drifts: `shift` is what the newer code of "changed" costs more, as a log-ratio."""

    def __init__(self, seed: int, shift: float, noise: float, *, rounds_in_time: int = 1_000) -> None:
        self._rng = np.random.default_rng(seed)
        self._shift = shift
        self._noise = noise
        self._in_time = rounds_in_time
        self.trials = 1
        self.asked: list[Sequence[str]] = []

    def take(self, names: Sequence[str], rounds: int) -> list[dict[str, tuple[float, float, float]]]:
        self.asked.append(list(names))
        return [self._round(names) for _ in range(rounds)]

    def _round(self, names: Sequence[str]) -> dict[str, tuple[float, float, float]]:
        speed = self._rng.normal(0, DRIFT)
        found = {}
        for name in names:
            logs = speed + self._rng.normal(0, self._noise, 3)
            logs[1] += self._shift if name == "changed" else 0.0
            base, head, control = np.exp(logs)
            found[name] = (float(base), float(head), float(control))
        return found

    def reseed(self) -> None:
        self.trials += 1

    def time_for(self, _taken: int, rounds: int) -> bool:
        return rounds <= self._in_time


NAMES = ["changed", "b", "c", "d", "e"]
RUNS = 20
"""Of each case; `bench.compare.quality` makes a thousand, of real rounds."""


def verdicts(shift: float, noise: float, runs: int) -> list[dict[str, Verdict]]:
    """What the whole procedure says in so many independent runs."""
    found = (gate.run(Synthetic(seed, shift, noise), NAMES) for seed in range(runs))
    return [{name: judged.verdict for name, judged in result.judged.items()} for result in found]


@pytest.mark.parametrize("noise", [0.01, 0.04])
def test_the_same_code_is_not_called_slower(noise: float) -> None:
    runs = verdicts(0.0, noise, RUNS)
    assert sum(Verdict.SLOWER in found.values() for found in runs) <= 1


@pytest.mark.parametrize(("percent", "noise", "least"), [(5, 0.01, 17), (10, 0.03, 19), (20, 0.05, 20)])
def test_planted_slowdowns_are_found(percent: float, noise: float, least: int) -> None:
    runs = verdicts(np.log1p(percent / 100), noise, RUNS)
    assert sum(found["changed"] is Verdict.SLOWER for found in runs) >= least


def test_a_quiet_machine_is_decided_at_the_first_look() -> None:
    result = gate.run(Synthetic(1, 0.0, 0.004), NAMES)
    assert {judged.verdict for judged in result.judged.values()} == {Verdict.SAME}
    assert {judged.rounds for judged in result.judged.values()} == {LOOKS[0].rounds}


def test_faster_code_is_called_faster_and_not_tried_again() -> None:
    source = Synthetic(1, -0.2, 0.01)
    assert gate.run(source, NAMES).judged["changed"].verdict is Verdict.FASTER
    assert source.trials == 1


def test_slower_code_is_tried_again_alone() -> None:
    source = Synthetic(1, 0.2, 0.01)
    result = gate.run(source, NAMES)
    assert result.judged["changed"].verdict is Verdict.SLOWER
    assert list(result.again) == ["changed"]
    assert (source.trials, source.asked[-1]) == (2, ["changed"])


def test_what_is_not_found_again_does_not_count() -> None:
    class Once(Synthetic):
        def reseed(self) -> None:
            super().reseed()
            self._shift = 0.0

    result = gate.run(Once(1, 0.2, 0.01), NAMES)
    assert result.judged["changed"].verdict is Verdict.INCONCLUSIVE
    assert result.again["changed"].verdict is Verdict.SAME


def test_a_machine_too_noisy_to_tell_says_so() -> None:
    assert gate.run(Synthetic(3, 0.03, 0.3), NAMES).judged["changed"].verdict is Verdict.INCONCLUSIVE


def test_a_look_for_which_there_is_no_time_is_left_out() -> None:
    result = gate.run(Synthetic(3, 0.03, 0.3, rounds_in_time=20), NAMES)
    assert result.judged["changed"].rounds == 20


def test_a_change_below_three_percent_is_no_regression_however_certain() -> None:
    base = np.full(30, 100.0) + np.arange(30) * 0.01
    found = judge({"a": Times(base, base * 1.02, base[::-1])}, LOOKS[-1])["a"]
    assert found.interval.excludes_no_change()
    assert found.verdict is Verdict.SAME


def test_the_control_raises_the_threshold() -> None:
    rng = np.random.default_rng(1)
    base = np.full(30, 100.0)
    found = judge({"a": Times(base, base * 1.05, base * np.exp(rng.normal(0, 0.3, 30)))}, LOOKS[-1])["a"]
    assert found.threshold > np.log1p(0.05)
    assert found.verdict is Verdict.INCONCLUSIVE


def test_one_certain_change_among_many_benchmarks_is_a_discovery_and_one_doubtful_is_not() -> None:
    rng = np.random.default_rng(5)
    logs = rng.normal(0, 0.01, (40, 10))
    doubtful = np.array([0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, -0.1, -0.2])  # p = 0.014: nothing among forty
    rows = {str(index): Times(np.ones(10), np.exp(row), np.ones(10)) for index, row in enumerate(logs)}
    found = judge({**rows, "doubtful": Times(np.ones(10), np.exp(doubtful), np.ones(10))}, LOOKS[0])
    assert found["doubtful"].verdict is Verdict.INCONCLUSIVE
    alone = judge({"doubtful": Times(np.ones(10), np.exp(doubtful), np.ones(10))}, Look(10, 0.9))
    assert alone["doubtful"].verdict is Verdict.SLOWER


def test_nothing_to_judge_is_nothing() -> None:
    assert judge({}, LOOKS[0]) == {}


ROUNDING = 1e-12
"""Percentiles are interpolated, also between equal values."""

ratio = st.integers(-1_000, 1_000).map(lambda thousandths: thousandths / 1_000)  # smaller ones differ by rounding only
logs_of = st.lists(ratio, min_size=10, max_size=30).map(np.array)


@settings(max_examples=30, deadline=None)
@given(logs_of)
def test_the_interval_lies_within_the_values_and_widens_with_confidence(logs: np.ndarray) -> None:
    low, high = median_interval(logs, 0.95)
    assert logs.min() <= low <= high <= logs.max()
    wider = median_interval(logs, 0.99)
    assert wider.low <= low + ROUNDING
    assert high <= wider.high + ROUNDING
    assert 0.0 <= p_value(logs) <= 1.0


def test_equal_values_have_an_interval_without_width() -> None:
    equal = np.full(10, 0.25)
    assert median_interval(equal, 0.99) == (0.25, 0.25)
    assert p_value(np.zeros(10)) == 1.0
    assert spread_of_median(equal) == 0.0


def test_values_that_are_mostly_equal_have_one_too() -> None:
    assert median_interval(np.array([0.1] * 9 + [0.5]), 0.99).low == pytest.approx(0.1)


def test_the_spread_shrinks_with_the_root_of_the_rounds() -> None:
    rng = np.random.default_rng(2)
    few, many = (np.mean([spread_of_median(rng.normal(0, 0.05, size)) for _ in range(40)]) for size in (10, 40))
    assert few / many == pytest.approx(2, rel=0.3)
