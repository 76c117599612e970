"""The statistics of one benchmark: what its paired rounds say. Values are logarithms of time ratios unless said."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
from scipy.stats import bootstrap, wilcoxon

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Values = NDArray[np.float64]

RESAMPLES: Final = 2_000
SEED: Final = 20_261_127
"""Of the bootstrap: the same rounds give the same verdict whenever they are judged."""


class Interval(NamedTuple):
    """A bootstrap interval of the median."""

    low: float
    high: float

    def excludes_no_change(self) -> bool:
        """All of it on one side of 0."""
        return self.low > 0.0 or self.high < 0.0


def median_interval(logs: Values, confidence: float) -> Interval:
    """BCa interval (Efron 1987) of the median.

    Where BCa is undefined, because so many values are equal that leaving one out changes nothing, the percentile
    interval is: it needs no estimate of bias or acceleration.

    Args:
        logs: One value per round.
        confidence: 0.95 for a 95 % interval.
    """
    if np.ptp(logs) == 0.0:
        return Interval(float(logs[0]), float(logs[0]))
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")  # scipy warns of the undefined case, which is looked for below
        low, high = _bootstrap(logs, confidence, "BCa")
        if not (np.isfinite(low) and np.isfinite(high)):
            low, high = _bootstrap(logs, confidence, "percentile")
    return Interval(low, high)


def _bootstrap(logs: Values, confidence: float, method: str) -> tuple[float, float]:
    drawn = bootstrap((logs,), np.median, n_resamples=RESAMPLES, confidence_level=confidence, method=method, rng=SEED)
    return float(drawn.confidence_interval.low), float(drawn.confidence_interval.high)


def p_value(logs: Values) -> float:
    """Wilcoxon's signed-rank test of "no change", two-sided; 1 when nothing differs."""
    if not np.any(logs):
        return 1.0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # ties make it approximate, which is near enough for a rate
        return float(wilcoxon(logs).pvalue)


def spread_of_median(logs: Values) -> float:
    """Standard deviation that the median of so many values has, by resampling them (Efron 1979).

    Of A/A log-ratios, two processes of the same code in each round, it is how far an estimate strays when nothing
    changed.
    """
    drawn = np.random.default_rng(SEED).choice(logs, size=(RESAMPLES, len(logs)))
    return float(np.std(np.median(drawn, axis=1)))
