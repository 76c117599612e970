"""The table of attacks names limits, settings and tests that exist, and has a test for each row."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

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
LIMITS = {
    name
    for module in iter_modules(limits.__path__, "laura_fast.limits.")
    for name in vars(import_module(module.name))
    if name.isupper()
}
SETTINGS = {*TransportSettings.__dataclass_fields__, "grace"}


def names(cell: str) -> list[str]:
    return re.findall(r"`(\w+)`", cell)


def test_there_are_nineteen() -> None:
    assert [int(row[0]) for row in ROWS] == list(range(1, 20))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row[0]} {row[1]}")
def test_what_a_row_names_exists(row: list[str]) -> None:
    for name in names(row[3]):
        assert name in (LIMITS if name.isupper() else SETTINGS), name
    assert names(row[4])
    for name in names(row[4]):
        assert f"def {name}(" in WRITTEN, name
