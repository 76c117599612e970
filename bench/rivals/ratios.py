"""Every subject over the baseline, paired by round, with the spread of the pairs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, get_args

import numpy as np
from scipy.stats import bootstrap

from laura_fast.report.raw.rivals import Metric, Ratio, Sample, Scenario

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

METRICS: Final[tuple[Metric, ...]] = get_args(Metric)
LEAST_ROUNDS: Final = 5
"""Below this a bootstrap interval promises more than so few pairs can tell."""
RESAMPLES: Final = 2000
CONFIDENCE: Final = 0.95


def ratios(samples: Sequence[Sample], baseline: str, seed: int) -> list[Ratio]:
    """All ratios that the samples allow.

    There are none for a scenario that the baseline didn't finish, nor at a share of each subject's own rate.
    """
    groups: dict[tuple[Scenario, str], dict[int, Sample]] = {}
    for sample in (sample for sample in samples if not sample.scenario.load_percent):
        groups.setdefault((sample.scenario, sample.subject), {})[sample.round] = sample
    found: list[Ratio] = []
    for (scenario, subject), ours in groups.items():
        theirs = groups.get((scenario, baseline), {})
        rounds = sorted(ours.keys() & theirs.keys())
        if subject != baseline and rounds:
            found += [_ratio(metric, [(ours[at], theirs[at]) for at in rounds], seed) for metric in METRICS]
    return found


def _ratio(metric: Metric, pairs: Sequence[tuple[Sample, Sample]], seed: int) -> Ratio:
    subject, baseline = pairs[0]
    logs = np.log([_value(one, metric) / _value(other, metric) for one, other in pairs])
    low, high = interval(logs, seed)
    return Ratio(
        subject.subject,
        baseline.subject,
        subject.scenario,
        metric,
        float(np.exp(np.median(logs))),
        low,
        high,
        len(pairs),
    )


def interval(logs: Iterable[float], seed: int) -> tuple[float | None, float | None]:
    """Bootstrap interval of the median ratio from log-ratios; Nones below `LEAST_ROUNDS` values."""
    values = np.asarray(list(logs))
    if len(values) < LEAST_ROUNDS:
        return None, None
    # The percentile method: unlike BCa it is defined when pairs are equal, as memory figures often are.
    drawn = bootstrap(
        (values,), np.median, n_resamples=RESAMPLES, confidence_level=CONFIDENCE, method="percentile", rng=seed
    )
    return float(np.exp(drawn.confidence_interval.low)), float(np.exp(drawn.confidence_interval.high))


def _value(sample: Sample, metric: Metric) -> float:
    return float(sample.latency.p99_us if metric == "p99_us" else getattr(sample, metric))
