"""The bench of documents runs from its command to a record, with every database that is installed."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import msgspec
import pytest

from bench.documents.__main__ import SUBJECTS
from bench.documents.operations import OPERATIONS
from bench.rivals.build import ROOT
from laura_fast.report.raw.record import Record

if TYPE_CHECKING:
    from pathlib import Path

    from bench.documents.subject import Subject


@pytest.mark.skipif((os.cpu_count() or 0) < 2, reason="needs two cores")
@pytest.mark.parametrize("subject", SUBJECTS, ids=[subject.name for subject in SUBJECTS])
def test_every_operation_is_answered_rightly(subject: Subject, tmp_path: Path) -> None:
    if not subject.version():
        pytest.skip(f"not installed: {subject.name}")
    out = tmp_path / "raw.json"
    size = ["--documents", "50", "--clients", "1,3", "--rounds", "1", "--seconds", "0", "--index", "both"]
    command = [sys.executable, "-m", "bench.documents", *size, "--only", subject.name, "--out", str(out)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=100)
    assert done.returncode == 0, done.stdout + done.stderr
    record = msgspec.json.decode(out.read_bytes(), type=Record)
    without = [operation.name for operation in OPERATIONS if operation.feels_index]
    everything = [operation.name for operation in OPERATIONS]
    assert all(bool(row[-1]) is (subject is SUBJECTS[0]) for row in record.rows if row[3] == "insert 1")
    assert [row[3] for row in record.rows[:-1]] == ["load", *without * 2, "build the index", *everything * 2]
