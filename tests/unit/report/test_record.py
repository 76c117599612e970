"""A recorded run by counts becomes a section, a line of parameters, and its own origin."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from laura_fast.report import folder, raw
from laura_fast.report.raw.record import Record

if TYPE_CHECKING:
    from pathlib import Path

RECORD = Record(
    title="Endurance, native transport",
    command="python -m bench.endurance --seed 7",
    date="2026-11-23",
    commit="abc1234",
    seed=7,
    seconds=12.5,
    columns=["trial", "count"],
    rows=[["calls", "1,000,000"]],
    caveats=["Rates mean nothing here."],
    data=[{"name": "calls"}],
)


def test_survives_its_file(tmp_path: Path) -> None:
    path = tmp_path / "raw.json"
    path.write_bytes(msgspec.json.encode(RECORD))
    assert raw.read(path) == [RECORD]


def test_becomes_a_folder_that_says_what_was_run(tmp_path: Path) -> None:
    made = folder.create(tmp_path, "endurance", date=RECORD.date, commit=RECORD.commit, runs=[RECORD])
    summary = (made / "summary.md").read_text()
    for expected in ("Endurance, native transport", "1,000,000", "seed 7", "Rates mean nothing here.", RECORD.command):
        assert expected in summary
    assert 'kind = "record"' in (made / "params.toml").read_text()
