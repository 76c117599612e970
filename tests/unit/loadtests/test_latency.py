"""Histograms keep sub-millisecond truth and merge over processes."""

from __future__ import annotations

import pytest
from common.latency import HIGHEST_US, Latencies


def filled(*seconds: float) -> Latencies:
    latencies = Latencies()
    for value in seconds:
        latencies.record("Heartbeat", value)
    return latencies


def test_percentiles_are_true_below_a_millisecond() -> None:
    row = filled(*(number * 1e-6 for number in range(1, 1001))).summary()["Heartbeat"]
    assert row["count"] == 1000
    assert row["p50_ms"] == pytest.approx(0.5, rel=1e-2)
    assert row["p99_ms"] == pytest.approx(0.99, rel=1e-2)


def test_workers_merge_to_what_one_process_would_have_seen() -> None:
    fast, slow = [1e-4] * 90, [1e-2] * 10
    master = Latencies()
    master.merge(filled(*fast).take())
    master.merge(filled(*slow).take())
    assert master.summary() == filled(*fast, *slow).summary()


def test_what_was_taken_is_not_taken_again() -> None:
    latencies = filled(1e-3)
    assert latencies.take()
    assert latencies.take() == {}


def test_values_out_of_range_are_clamped_not_lost() -> None:
    row = filled(0.0, 1e6).summary()["Heartbeat"]
    assert row["count"] == 2
    assert row["max_ms"] == pytest.approx(HIGHEST_US / 1000, rel=1e-2)
