"""From rounds to verdicts at one look, over all benchmarks together.

=============  =====================================================================================================
SLOWER         The interval excludes no change, the estimate reaches the threshold, and the benchmark is among the
               discoveries at a false discovery rate of 5 % (Benjamini and Hochberg 1995).
FASTER         The same on the other side.
SAME           The interval lies within ±3 %.
INCONCLUSIVE   None of these: more rounds may tell.
=============  =====================================================================================================
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
from scipy.stats import false_discovery_control

from bench.compare.intervals import median_interval, p_value, spread_of_median

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bench.compare.intervals import Interval, Values

LEAST_CHANGE: Final = 0.03
"""Ratio minus 1 that is worth a word. Smaller changes are real often enough, and a matter of code layout as often."""
SPREADS: Final = 2.0
"""The estimate must be so many times what the same code shows against itself."""
FALSE_DISCOVERIES: Final = 0.05
"""Expected share of unchanged benchmarks among those that are called changed."""


class Verdict(StrEnum):
    """What is said of one benchmark."""

    SLOWER = "SLOWER"
    FASTER = "FASTER"
    SAME = "SAME"
    INCONCLUSIVE = "INCONCLUSIVE"
    NEW = "NEW"
    GONE = "GONE"


class Look(NamedTuple):
    """A time at which verdicts may be reached; there are no others, or chance would get more tries than planned."""

    rounds: int
    confidence: float


LOOKS: Final = (Look(10, 0.99), Look(20, 0.99), Look(30, 0.95))


class Times(NamedTuple):
    """One benchmark's times in ns per call, one of each process per round.

    Attributes:
        base: The older code.
        head: The newer code.
        control: The older code once more: with `base` an A/A comparison under the very conditions of the run.
    """

    base: Values
    head: Values
    control: Values


@dataclass(frozen=True, slots=True)
class Judged:
    """One benchmark at one look. `estimate`, `interval`, `spread` and `threshold` are logarithms of ratios."""

    verdict: Verdict
    estimate: float
    interval: Interval
    spread: float
    threshold: float
    p: float
    rounds: int


def judge(times: Mapping[str, Times], look: Look) -> dict[str, Judged]:
    """The verdict on every benchmark.

    Args:
        times: By benchmark, all with the same number of rounds.
        look: Which look it is.
    """
    if not times:
        return {}
    logs = {name: np.log(pair.head / pair.base) for name, pair in times.items()}
    p_values = [p_value(values) for values in logs.values()]
    discoveries = false_discovery_control(p_values) <= FALSE_DISCOVERIES
    return {
        name: _judge(times[name], logs[name], look, p, discovered=bool(discovered))
        for name, p, discovered in zip(times, p_values, discoveries, strict=True)
    }


def _judge(times: Times, logs: Values, look: Look, p: float, *, discovered: bool) -> Judged:
    estimate, interval = float(np.median(logs)), median_interval(logs, look.confidence)
    spread = spread_of_median(np.log(times.control / times.base))
    threshold = max(float(np.log1p(LEAST_CHANGE)), SPREADS * spread)
    changed = discovered and interval.excludes_no_change() and abs(estimate) >= threshold
    if changed:
        verdict = Verdict.SLOWER if estimate > 0 else Verdict.FASTER
    elif max(-interval.low, interval.high) <= np.log1p(LEAST_CHANGE):
        verdict = Verdict.SAME
    else:
        verdict = Verdict.INCONCLUSIVE
    return Judged(verdict, estimate, interval, spread, threshold, p, len(logs))
