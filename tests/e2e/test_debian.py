"""Real data: packages of Debian, imported, asked about and exported, every answer as plain Python has it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from click.testing import CliRunner

from laura_fast.cli._group import commands
from tests.e2e import debian_questions
from tests.e2e.debian_index import packages
from tests.e2e.debian_questions import QUESTIONS, ask, build_indexes, exported, load, read

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

    from tests.e2e.processes import ServerProcess

EXTRACT = Path(__file__).resolve().parents[2] / "examples" / "debian-packages.jsonl"

TEXT = """\
Package: one
Installed-Size: 12
Depends: libc6 (>= 2.34), two | three
Description: a title
 and a line
 .

Package: two
Size: 5
"""


def test_the_index_is_read_paragraph_by_paragraph() -> None:
    assert list(packages(TEXT.splitlines(keepends=True))) == [
        {
            "Package": "one",
            "Installed-Size": 12,
            "Depends": ["libc6 (>= 2.34)", "two | three"],
            "Description": "a title\nand a line\n.",
        },
        {"Package": "two", "Size": 5},
    ]


def in_process(server: str, *arguments: str) -> tuple[str, float]:
    """As `debian_questions.run`, without a new Python for each of some twenty commands."""
    result = CliRunner().invoke(commands, [*arguments, "--server", server])
    assert result.exit_code == 0, result.stderr
    return result.stdout, 0.0


def test_ten_questions_are_answered_as_python_does(
    serve: Callable[..., ServerProcess], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With and without indexes; and the export is the file."""
    monkeypatch.setattr(debian_questions, "run", in_process)
    server, known = serve(), read(EXTRACT)
    assert load(server.address, EXTRACT)[0]["inserted"] == len(known)
    for question in QUESTIONS:
        assert ask(server.address, question)[0] == question.expected(known), question.text
    build_indexes(server.address)
    for question in QUESTIONS:
        assert ask(server.address, question)[0] == question.expected(known), question.text
    assert exported(server.address, tmp_path / "out.jsonl")[0] == sorted(known, key=lambda each: str(each["Package"]))
