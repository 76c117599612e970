"""The bench of bare streams runs from its command to a record: it counts answers by bytes, so a wrong one fails it."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import msgspec
import pytest

from bench.rivals.build import ROOT
from laura_fast.report.raw.record import Record

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.skipif((os.cpu_count() or 0) < 2, reason="needs two cores")
def test_every_kind_of_stream_is_priced(tmp_path: Path) -> None:
    out = tmp_path / "raw.json"
    command = [sys.executable, "-m", "bench.streams", "--rounds", "2", "--scale", "0.001", "--out", str(out)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=100)
    assert done.returncode == 0, done.stdout + done.stderr
    record = msgspec.json.decode(out.read_bytes(), type=Record)
    assert [row[0] for row in record.rows] == ["server stream", "client stream", "echo", "exchange"]
    assert all(float(cost) > 0 for row in record.rows for cost in row[1:3])
