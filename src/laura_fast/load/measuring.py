"""Latencies of many calls in little memory: a log-linear histogram with three significant digits (HdrHistogram's idea).

Recording counts whole microseconds at C speed, about 0.2 µs a value; what makes the histogram small is done later, for
each distinct value once. `python -m bench.generator` measures it against the `hdrhistogram` package.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_SIGNIFICANT_BITS: Final = 11
"""Values keep their 11 leading bits: an error of at most 1 in 1,024, below 0.1 %. Up to 2,047 µs they are exact."""

_MAX_DISTINCT: Final = 1 << 16
"""Distinct values kept before they are made coarse; all coarse values of an hour are fewer than 25,000."""

QUANTILES: Final = (0.5, 0.9, 0.95, 0.99, 0.999, 0.9999)


class Histogram:
    """Latencies in whole microseconds.

    Attributes:
        count: Recorded values.
        total_us: Their sum.
        longest_us: The greatest, exact.
    """

    def __init__(self) -> None:
        self.count = 0
        self.total_us = 0
        self.longest_us = 0
        self._counts: Counter[int] = Counter()

    @property
    def mean_us(self) -> float:
        """Average; 0 without values."""
        return self.total_us / self.count if self.count else 0.0

    def record(self, values_us: Sequence[int]) -> None:
        """Counts values that are not negative."""
        if not values_us:
            return
        self.count += len(values_us)
        self.total_us += sum(values_us)
        self.longest_us = max((self.longest_us, *values_us))
        self._counts.update(values_us)
        if len(self._counts) > _MAX_DISTINCT:
            self._counts = _coarse(self._counts)

    def merge(self, other: Histogram) -> None:
        """Adds another one's values."""
        self.count += other.count
        self.total_us += other.total_us
        self.longest_us = max(self.longest_us, other.longest_us)
        self._counts.update(other._counts)

    def percentiles_us(self, quantiles: Iterable[float] = QUANTILES) -> list[int]:
        """For each quantile, in ascending order, the least value that so many of all values do not exceed."""
        steps, seen, found = iter(sorted(_coarse(self._counts).items())), 0, list[int]()
        value = 0
        for quantile in quantiles:
            while seen < quantile * self.count and (step := next(steps, None)):
                value, seen = step[0], seen + step[1]
            found.append(min(value, self.longest_us))
        return found


def _coarse(counts: Counter[int]) -> Counter[int]:
    coarse: Counter[int] = Counter()
    for value, number in counts.items():
        coarse[_leading(value)] += number
    return coarse


def _leading(value: int) -> int:
    """The middle of the bucket that holds the value."""
    dropped = value.bit_length() - _SIGNIFICANT_BITS
    return value if dropped <= 0 else (value >> dropped << dropped) + (1 << dropped >> 1)
