"""How one run is sized, paced and annotated, with this process as the server and a generator that only reports."""

from __future__ import annotations

import os
import sys
from contextlib import nullcontext
from typing import TYPE_CHECKING

import pytest

from bench.rivals.load import LoadResult, Target
from bench.rivals.measure import Bench, measure
from bench.rivals.process import Running as Process
from bench.rivals.process import StartError, from_ready_file, serve
from bench.rivals.rival import Rival
from laura_fast.report.raw.rivals import Latency, Scenario

if TYPE_CHECKING:
    from pathlib import Path

    from bench.rivals.load import Load
    from laura_fast.report.raw.rivals import Sample

CAPACITY = 1000.0
"""Requests per second that the server of these tests answers at most."""
LATENCY = Latency(p50_us=1, p90_us=1, p95_us=1, p99_us=1, max_us=1)


class Generator:
    """Notes what it is told and answers as if `CAPACITY` were the truth."""

    def __init__(self, cpu_share: float = 0.2) -> None:
        self.loads: list[Load] = []
        self._cpu_share = cpu_share

    def drive(self, _target: Target, load: Load) -> LoadResult:
        self.loads.append(load)
        seconds = load.requests / min(load.rps or CAPACITY, CAPACITY)
        return LoadResult(load.requests, seconds, LATENCY, seconds * self._cpu_share)

    def measure(self, scenario: Scenario) -> Sample:
        """One run of two seconds."""
        rival = Rival(
            name="fake",
            title="fake",
            missing=lambda: "",
            version=lambda: "1",
            start=lambda _launch: nullcontext(Process(os.getpid(), "")),
            prepare=lambda _running, _scenario, _launch: Target("", answer_bytes=14),
            drive=self.drive,
        )
        return measure(rival, scenario, Bench(seconds=2.0), (3, 4))


def test_a_closed_loop_is_sized_by_the_rate_of_its_warm_up() -> None:
    generator = Generator()
    sample = generator.measure(Scenario("heartbeat", 10, 10))
    assert (sample.round, sample.position, sample.answer_bytes) == (3, 4, 14)
    assert [load.rps for load in generator.loads] == [0, 0, 0]
    assert generator.loads[-1].requests == sample.requests == 2000
    assert sample.requests_per_s == pytest.approx(CAPACITY)


def test_every_connection_gets_the_same_share_and_all_its_streams() -> None:
    generator = Generator()
    generator.measure(Scenario("heartbeat", 300, 20))
    assert all(load.requests % 300 == 0 and load.requests >= 300 * 20 for load in generator.loads)


def test_a_fixed_rate_needs_no_warm_up_and_runs_as_long() -> None:
    generator = Generator()
    sample = generator.measure(Scenario("heartbeat", 10, 10, rps=500))
    assert [(load.rps, load.requests) for load in generator.loads] == [(500, 1000)]
    assert (sample.asked_rps, sample.notes) == (500, [note for note in sample.notes if "processes" in note])


def test_a_share_is_of_the_rate_found_just_before() -> None:
    generator = Generator()
    sample = generator.measure(Scenario("heartbeat", 10, 100, load_percent=80))
    assert [load.rps for load in generator.loads] == [0, 0, 800]
    assert [load.streams for load in generator.loads] == [10, 10, 100]
    assert sample.asked_rps == 800


def test_a_rate_that_was_missed_and_a_saturated_generator_are_noted() -> None:
    sample = Generator(cpu_share=0.95).measure(Scenario("heartbeat", 10, 10, rps=2000))
    assert "1000/s of 2000/s asked for" in sample.notes
    assert "the load generator used 95 % of its core" in sample.notes


def test_a_server_that_ends_at_once_is_reported_with_its_log(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "raise SystemExit('no such port')"]
    with (
        pytest.raises(StartError, match="no such port"),
        serve(command, 0, tmp_path, from_ready_file(tmp_path / "ready")),
    ):
        pytest.fail("it never answered")
