"""Latencies to the microsecond, beside locust's own, whose percentiles are whole milliseconds."""

from __future__ import annotations

from typing import Any, Final

from hdrh.histogram import HdrHistogram

LOWEST_US: Final = 1
HIGHEST_US: Final = 60_000_000
"""One minute: longer than any deadline used here."""
SIGNIFICANT_DIGITS: Final = 3
"""One part in a thousand, in about 200 KiB per request name."""

PERCENTILES: Final = (50.0, 90.0, 95.0, 99.0, 99.9)


class Latencies:
    """One histogram per request name; workers' histograms merge without loss."""

    def __init__(self) -> None:
        self._by_name: dict[str, HdrHistogram] = {}

    def record(self, name: str, seconds: float) -> None:
        """Counts one finished request."""
        self._of(name).record_value(max(LOWEST_US, min(HIGHEST_US, round(seconds * 1e6))))

    def merge(self, encoded: dict[str, bytes]) -> None:
        """Adds what `take` of another process returned."""
        for name, histogram in encoded.items():
            self._of(name).decode_and_add(histogram)

    def take(self) -> dict[str, bytes]:
        """Everything recorded since the last call, encoded; this object is empty afterwards."""
        encoded = self.encoded()
        self.clear()
        return encoded

    def encoded(self) -> dict[str, bytes]:
        """Every histogram in the compressed format that HdrHistogram's tools read."""
        return {name: histogram.encode() for name, histogram in self._by_name.items() if histogram.get_total_count()}

    def clear(self) -> None:
        """Forgets everything."""
        self._by_name.clear()

    def summary(self) -> dict[str, dict[str, float]]:
        """Count and percentiles in milliseconds of every name, sorted by name."""
        return {name: _summarise(self._by_name[name]) for name in sorted(self._by_name)}

    def _of(self, name: str) -> HdrHistogram:
        if name not in self._by_name:
            self._by_name[name] = HdrHistogram(LOWEST_US, HIGHEST_US, SIGNIFICANT_DIGITS)
        return self._by_name[name]


def _summarise(histogram: Any) -> dict[str, float]:
    row: dict[str, float] = {"count": histogram.get_total_count()}
    for percentile in PERCENTILES:
        row[f"p{percentile:g}_ms"] = histogram.get_value_at_percentile(percentile) / 1000
    row["max_ms"] = histogram.get_max_value() / 1000
    return row
