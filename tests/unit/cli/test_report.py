"""The `report` command: from a raw file to a page, and its refusals."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import orjson
from click.testing import CliRunner

from laura_fast.cli.report import command
from laura_fast.report.raw import RawFileError
from tests.unit.report import runs

if TYPE_CHECKING:
    from pathlib import Path

    from click.testing import Result


def report(*arguments: object) -> Result:
    return CliRunner().invoke(command, [str(argument) for argument in arguments])


def raw_file(directory: Path) -> Path:
    path = directory / "scaling.json"
    path.write_bytes(orjson.dumps(msgspec.to_builtins(runs.scaling())))
    return path


def test_new_list_and_rebuild(tmp_path: Path) -> None:
    results = tmp_path / "results"
    made = report("new", "growth", "--from", raw_file(tmp_path), "--results", results)
    assert made.exit_code == 0, made.output
    page = results / "2026-01-02-0123456789ab-growth" / "index.html"
    assert made.output.strip() == str(page)
    assert page.exists()
    assert "growth" in (results / "README.md").read_text()
    assert "cost of a heartbeat" in report("list", "--results", results).output
    page.unlink()
    assert report("rebuild", "--results", results).exit_code == 0
    assert page.exists()


def test_a_second_time_is_refused(tmp_path: Path) -> None:
    arguments = ("new", "growth", "--from", raw_file(tmp_path), "--results", tmp_path / "results")
    assert report(*arguments).exit_code == 0
    assert "written once" in str(report(*arguments).exception)


def test_a_file_of_no_known_kind_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text("{}")
    assert isinstance(report("new", "x", "--from", tmp_path / "x.json").exception, RawFileError)
