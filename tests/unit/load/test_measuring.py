"""The histogram's percentiles are those of the values, within its stated error."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from laura_fast.load.measuring import QUANTILES, Histogram

ERROR = 1 / 1024

latencies = st.lists(st.integers(0, 10**8), min_size=1, max_size=300)


def of(values: list[int]) -> Histogram:
    histogram = Histogram()
    histogram.record(values)
    return histogram


@settings(deadline=None)
@given(values=latencies)
def test_percentiles_are_numpys_within_the_stated_error(values: list[int]) -> None:
    expected = np.quantile(values, QUANTILES, method="inverted_cdf")
    for found, exact in zip(of(values).percentiles_us(), expected, strict=True):
        assert abs(found - exact) <= exact * ERROR


@settings(deadline=None)
@given(values=latencies, cut=st.integers(0, 300))
def test_merging_is_recording_both(values: list[int], cut: int) -> None:
    merged, whole = of(values[:cut]), of(values)
    merged.merge(of(values[cut:]))
    assert merged.percentiles_us() == whole.percentiles_us()
    assert (merged.count, merged.total_us, merged.longest_us) == (whole.count, whole.total_us, whole.longest_us)


def test_many_distinct_values_are_kept_in_little_memory() -> None:
    histogram = of(list(range(0, 10**7, 50)))
    assert len(histogram._counts) < 25_000
    assert abs(histogram.percentiles_us((0.5,))[0] - 5 * 10**6) <= 5 * 10**6 * ERROR + 50


def test_without_values_everything_is_0() -> None:
    assert Histogram().percentiles_us() == [0] * len(QUANTILES)
    assert Histogram().mean_us == 0


def test_the_longest_is_exact() -> None:
    histogram = of([1, 123_456_789])
    assert histogram.longest_us == 123_456_789
    assert max(histogram.percentiles_us()) <= 123_456_789
