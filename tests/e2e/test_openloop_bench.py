"""The bench of latency against offered load runs from its command to a chart."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from bench.rivals.build import ROOT
from laura_fast.report.charts import openloop
from laura_fast.report.raw import rivals
from tests.e2e.test_transport_bench import NO_LOAD

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(bool(NO_LOAD), reason=NO_LOAD)


def test_rates_are_offered_and_drawn(tmp_path: Path) -> None:
    options = ["--quick", "--only=ours-native,ours-grpcio", f"--out={tmp_path}"]
    command = [sys.executable, "-m", "bench.openloop", *options]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=100)
    assert done.returncode == 0, done.stdout + done.stderr
    session = rivals.read(tmp_path / "raw.json")
    assert {sample.subject for sample in session.samples} == {"ours-native", "ours-grpcio"}
    for sample in session.samples:
        latency = sample.latency
        assert latency.p999_us is not None
        assert 0 < latency.p50_us <= latency.p99_us <= latency.p999_us <= latency.max_us
        assert sample.requests_per_s == pytest.approx(sample.asked_rps, rel=0.2)
    assert [chart.name for chart in openloop.charts(session)] == ["latency-by-offered-load"]
