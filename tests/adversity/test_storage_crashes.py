"""What was acknowledged is there after a kill or a power cut, and nothing is half there. Recorded runs take longer."""

from __future__ import annotations

import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import msgspec
import pytest

from laura_fast.report.raw.record import Record
from tests.adversity.storage_kills import ROOT

if TYPE_CHECKING:
    from pathlib import Path

KILLS = 20
CUTS = 10


def record_of(module: str, option: str, times: int, out: Path) -> Record:
    command = [sys.executable, "-m", f"tests.adversity.{module}", option, str(times), "--out", str(out)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=110, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return msgspec.json.decode(out.read_bytes(), type=Record)


def test_a_killed_process_lost_nothing_and_left_nothing_half_done(tmp_path: Path) -> None:
    record = record_of("storage_kills", "--kills", KILLS, tmp_path / "raw.json")
    assert sum(int(row[1]) for row in record.rows) == KILLS


@pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler: writes and syncs can't be logged here")
def test_a_power_cut_loses_only_what_was_not_acknowledged(tmp_path: Path) -> None:
    record = record_of("storage_power", "--cuts", CUTS, tmp_path / "raw.json")
    assert sum(int(row[1]) for row in record.rows) == CUTS
