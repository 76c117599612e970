"""What a killed process acknowledged is there, and nothing is half there. The recorded run has hundreds of kills."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import msgspec

from laura_fast.report.raw.record import Record
from tests.adversity.storage_kills import ROOT

if TYPE_CHECKING:
    from pathlib import Path

KILLS = 20


def test_nothing_is_lost_or_half_done(tmp_path: Path) -> None:
    out = tmp_path / "raw.json"
    command = [sys.executable, "-m", "tests.adversity.storage_kills", "--kills", str(KILLS), "--out", str(out)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=110, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    record = msgspec.json.decode(out.read_bytes(), type=Record)
    assert sum(int(row[1]) for row in record.rows) == KILLS
