"""The README says what the program does."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest

from laura_fast.cli._group import commands
from laura_fast.config.rendering import as_markdown
from laura_fast.domain.documents.expressions.accumulators import ACCUMULATORS
from laura_fast.domain.documents.expressions.compiler import OPERATORS
from laura_fast.domain.documents.filters.conditions import CONDITIONS
from laura_fast.domain.documents.filters.parsing import LOGICAL
from laura_fast.domain.documents.pipeline.compiler import STAGES
from laura_fast.domain.documents.updates import compiling, push

README = (Path(__file__).resolve().parents[2] / "README.md").read_text(encoding="utf-8")


def test_the_table_of_settings_is_the_programs() -> None:
    """Regenerate with `python -m laura_fast config --markdown`."""
    table = re.search(r"<!-- settings: .* -->\n(.*?)<!-- end of settings -->", README, re.DOTALL)
    assert table is not None
    assert table[1].strip() == as_markdown()


def test_every_command_is_told_and_no_other() -> None:
    told = set(re.findall(r"python -m laura_fast ([a-z-]+)", README)) | {"export", "aggregate"}  # beside another
    assert told == set(commands.list_commands(click.Context(commands)))


LANGUAGE = {
    "filters": {*CONDITIONS, *LOGICAL, "$expr"},
    "updates": {*compiling.OPERATORS, *push.MODIFIERS, "$rename"},
    "stages": {*STAGES},
    "accumulators": {*ACCUMULATORS},
    "expressions": {*OPERATORS} - {"$const"},
}


@pytest.mark.parametrize("kind", LANGUAGE)
def test_every_operator_is_told_and_no_other(kind: str) -> None:
    """`$const` is MongoDB's own spelling of `$literal`."""
    row = re.search(rf"^\| {kind} \| (.*) \|$", README, re.MULTILINE)
    assert row is not None
    assert set(re.findall(r"`(\$\w+)`", row[1])) == LANGUAGE[kind]
