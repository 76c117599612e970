"""The bench of replicated writes runs from its command to a record, and notices a member that lacks a write."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import msgspec
import pytest

from bench.documents.data import expected
from bench.documents.measure import WrongAnswerError
from bench.replication.__main__ import SUBJECTS
from bench.replication.subject import check
from bench.replication.tables import FIGURES
from bench.rivals.build import ROOT
from laura_fast.report.raw.record import Record

if TYPE_CHECKING:
    from pathlib import Path

    from bench.replication.subject import Subject, Totals

pytestmark = pytest.mark.skipif((os.cpu_count() or 0) < 2, reason="needs two cores")
NOTHING = {"--entries": "0", "--sync-mb": "0", "--recovery-mb": "0", "--memory-writes": "0"}


def run(out: Path, subject: str, writers: str, **sizes: str) -> Record:
    """The record of one short run that does nothing but this."""
    little = {"--rounds": "1", "--seconds": "0", "--only": subject, "--writers": writers, "--out": str(out)}
    flags = [word for flag in (NOTHING | little | sizes).items() for word in flag]
    command = [sys.executable, "-m", "bench.replication", *flags]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=150)
    assert done.returncode == 0, done.stdout + done.stderr
    return msgspec.json.decode(out.read_bytes(), type=Record)


@pytest.mark.timeout(180)
@pytest.mark.parametrize("subject", SUBJECTS, ids=[subject.name for subject in SUBJECTS])
def test_every_number_of_writers_has_its_figures(subject: Subject, tmp_path: Path) -> None:
    if not subject.version():
        pytest.skip(f"not installed: {subject.name}")
    record = run(tmp_path / "raw.json", subject.name, "1,3")
    assert [row[:2] for row in record.rows] == [[title, count] for count in ("1", "3") for title, _ in FIGURES]
    assert all(float(row[2].replace(",", "")) > 0 for row in record.rows)


@pytest.mark.timeout(180)
@pytest.mark.parametrize(
    ("flag", "size", "title"),
    [
        ("--entries", "20", "catch-up of 20 entries"),
        ("--sync-mb", "1", "initial sync of"),
        ("--recovery-mb", "1", "kill -9 with"),
        ("--memory-writes", "20", "memory of a primary"),
    ],
)
def test_what_a_set_goes_through_is_measured(flag: str, size: str, title: str, tmp_path: Path) -> None:
    [row] = run(tmp_path / "raw.json", "laura_fast", "", **{flag: size}).rows
    assert row[0].startswith(title)
    assert row[2]


async def test_a_member_that_lacks_an_acknowledged_write_ends_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bench.replication.subject.LEVEL_S", 0.0)

    async def totals(member: str) -> Totals:
        return expected(3 if member == "whole" else 2).totals

    await check(totals, ["whole"], 3)
    with pytest.raises(WrongAnswerError, match="short holds 2 packages, 3 were acknowledged"):
        await check(totals, ["whole", "short"], 3)
