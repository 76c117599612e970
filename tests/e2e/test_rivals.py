"""Every server that this machine can run beside ours is measured once, briefly, so that none of them rots."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from bench.rivals.build import ROOT, missing_tools
from bench.rivals.measure import Bench, measure
from bench.rivals.subjects import ALL
from laura_fast.report.raw import rivals
from laura_fast.report.raw.rivals import Scenario

if TYPE_CHECKING:
    from pathlib import Path

    from bench.rivals.rival import Rival

NO_LOAD = missing_tools("h2load", "taskset") or ("" if (os.cpu_count() or 0) > 1 else "needs two cores")
pytestmark = pytest.mark.skipif(bool(NO_LOAD), reason=NO_LOAD)
SCENARIOS = [
    Scenario("heartbeat", 2, 2, nodes=3),
    Scenario("heartbeat", 2, 20, rps=200),
    Scenario("heartbeat", 2, 2, nodes=200, topology="always"),
    Scenario("registration", 1, 2, nodes=10),
]


@pytest.fixture(params=ALL, ids=[rival.name for rival in ALL])
def rival(request: pytest.FixtureRequest) -> Rival:
    """Each server, or a skip that says what is missing."""
    found: Rival = request.param
    if reason := found.missing():
        pytest.skip(reason)
    found.build()
    return found


@pytest.mark.timeout(300)  # a C++ compiler may have to run first, on a busy machine
def test_each_subject_is_measured(rival: Rival) -> None:
    """Its answers weigh what they should in every scenario it plays, and its process used CPU time."""
    assert any(character.isdigit() for character in rival.version())
    for position, scenario in enumerate(scenario for scenario in SCENARIOS if rival.plays(scenario)):
        sample = measure(rival, scenario, Bench(seconds=0.1), (0, position))
        assert sample.server_cpu_us_per_call > 0
        assert 0 < sample.latency.p50_us <= sample.latency.p99_us <= sample.latency.max_us
        if scenario.topology == "always":
            assert sample.answer_bytes > 200 * 30, "two hundred nodes with their addresses"


def test_one_command_leaves_figures_that_can_be_read(tmp_path: Path) -> None:
    """The command line, from subjects to raw figures; a failed run would be its exit code."""
    options = ["--quick", "--only=ours-grpcio,grpc-aio", "--shapes=1x1", "--rps=", "--joins=5", "--seed=1"]
    command = [sys.executable, "-m", "bench.rivals", *options, f"--out={tmp_path}"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=100)
    assert done.returncode == 0, done.stdout + done.stderr
    session = rivals.read(tmp_path / "raw.json")
    assert {(sample.subject, sample.scenario.call) for sample in session.samples} == {
        (name, call) for name in ("ours-grpcio", "grpc-aio") for call in ("heartbeat", "registration")
    }
    assert {ratio.baseline for ratio in session.ratios} == {"ours-grpcio"}
    assert session.command[:2] == options[:2]
    assert "CPU µs/call" in done.stdout
