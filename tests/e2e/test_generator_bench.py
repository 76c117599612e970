"""The benchmark of the load generator runs, checks its own answers, and writes what the report reads."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from laura_fast.report import raw
from laura_fast.report.raw.record import Record

ROOT = Path(__file__).parents[2]


@pytest.mark.skipif(shutil.which("h2load") is None, reason="needs h2load")
def test_every_question_is_asked(tmp_path: Path) -> None:
    out = tmp_path / "generator.json"
    brief = ("--seconds", "0.2", "--rounds", "1", "--rates", "500", "--compared-rate", "100", "--delayed-rate", "100")
    command = [sys.executable, "-m", "bench.generator", *brief, "--out", str(out)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (run,) = raw.read(out)
    assert isinstance(run, Record)
    assert [row[0] for row in run.rows] == [
        "ceiling",
        "open loop at 500",
        *(f"{name} beside h2load at 100" for name in ("p50", "p90", "p95", "p99")),
        *(f"p{name} of known delays at 100" for name in ("50", "90", "95", "99", "99.9")),
        "recording a value",
    ]
    assert all(len(row) == len(run.columns) for row in run.rows)
