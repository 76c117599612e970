"""The bench of the channel runs from its command to a record, so that it does not rot."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import msgspec
import pytest

from bench.processes import ROOT
from laura_fast.report.raw.record import Record

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("trial", ["cost", "memory"])
def test_a_trial_leaves_a_record(trial: str, tmp_path: Path) -> None:
    """A client that fails a call or gets a wrong answer fails the command."""
    out = tmp_path / "raw.json"
    command = [sys.executable, "-m", "bench.channel", f"--trial={trial}", "--rounds=2", "--scale=0.001", f"--out={out}"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=100)
    assert done.returncode == 0, done.stdout + done.stderr
    record = msgspec.json.decode(out.read_bytes(), type=Record)
    assert len(record.rows) == (3 if trial == "cost" else 1)
    if trial == "cost":
        assert all(cost > 0 for costs in record.data.values() for runs in costs.values() for cost in runs)
