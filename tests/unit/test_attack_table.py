"""The table of attacks names limits, settings and tests that exist, and has a test for each row."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from laura_fast import limits
from laura_fast.transport.settings import TransportSettings

TESTS = Path(__file__).resolve().parent.parent
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in (TESTS / "adversity" / "README.md").read_text().splitlines()
    if re.match(r"\| \d+ \|", line)
]
WRITTEN = "\n".join(path.read_text() for path in TESTS.rglob("test_*.py"))
SETTINGS = {*TransportSettings.__dataclass_fields__, "grace"}


def names(cell: str) -> list[str]:
    return re.findall(r"`(\w+)`", cell)


def test_there_are_nineteen() -> None:
    assert [int(row[0]) for row in ROWS] == list(range(1, 20))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row[0]} {row[1]}")
def test_what_a_row_names_exists(row: list[str]) -> None:
    for name in names(row[3]):
        assert hasattr(limits, name) if name.isupper() else name in SETTINGS, name
    assert names(row[4])
    for name in names(row[4]):
        assert f"def {name}(" in WRITTEN, name
