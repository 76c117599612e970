"""The middle and the ends of repeated measurements: what every bar and every cell shows."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True)
class Spread:
    """Median of the rounds with the lowest and the highest; the ends are honest where an average would not be."""

    median: float
    low: float
    high: float
    rounds: int

    @property
    def whiskers(self) -> tuple[float, float]:
        """Distances from the median down and up, as error bars want them."""
        return self.median - self.low, self.high - self.median


def spread(values: Iterable[float]) -> Spread:
    """Of at least one value."""
    found = list(values)
    return Spread(statistics.median(found), min(found), max(found), len(found))


def significant(value: float, digits: int = 3) -> str:
    """A number for reading: thousands separated, no digit that the measurement does not carry."""
    if value == 0:
        return "0"
    text = f"{value:.{digits}g}"
    return f"{float(text):,.10g}"


def quantity(value: float, units: tuple[str, ...], step: float = 1000.0) -> str:
    """A number in the unit that keeps it short: `quantity(91364, ("B", "kB", "MB"))` → "91.4 kB"."""
    index = 0
    while abs(value) >= step and index < len(units) - 1:
        value, index = value / step, index + 1
    return f"{significant(value)} {units[index]}"


BYTES = ("B", "kB", "MB", "GB")
MICROSECONDS = ("µs", "ms", "s")
