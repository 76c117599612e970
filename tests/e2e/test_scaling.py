"""The scaling benchmark runs against real servers and writes what the report reads."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from laura_fast.report import raw
from laura_fast.report.raw.scaling import ScalingSession

ROOT = Path(__file__).parents[2]


def test_every_size_is_measured_on_the_way_up_and_down(tmp_path: Path) -> None:
    out = tmp_path / "scaling.json"
    brief = ("--transport", "grpcio", "--sizes", "1,3", "--rounds", "2", "--seconds", "0.01", "--out", str(out))
    done = subprocess.run(
        [sys.executable, "-m", "bench.scaling", *brief], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (run,) = raw.read(out)
    assert isinstance(run, ScalingSession)
    changed, always = run.curves
    assert [point.nodes for point in changed.beats] == [1, 3, 3, 1]
    assert all(point.server_cpu_us_per_call > 0 for point in changed.beats)
    listed = {point.nodes: point.answer_bytes for point in changed.joins if not point.omit_members}
    assert listed[3] > listed[1]
    assert changed.fills[0].nodes == 3
    assert {point.answer_bytes for point in changed.beats} == {9}
    assert always.beats[1].answer_bytes > always.beats[0].answer_bytes > 9
