"""`import` and `export` as they are typed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import bson
import pytest
from click.testing import CliRunner

from laura_fast.cli._group import commands
from laura_fast.errors import Code, FailedPreconditionError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from click.testing import Result

    from tests.unit.client.documents.fake_router import FakeRouter

    Typed = Callable[..., Result]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "people.csv"
    path.write_text("name,born,address.zip\nAda,1815,007\nGrace,1906,\n", encoding="utf-8")
    return path


def test_a_file_goes_in_and_comes_out(typed: Typed, router: FakeRouter, file: Path, tmp_path: Path) -> None:
    imported = typed("import", str(file), "-n", "d.people")
    assert imported.exit_code == 0
    assert imported.stdout.startswith("d.people: 2 inserted, 0 already there, 0 failed; ")
    assert [document["born"] for document in router.documents("d.people")] == [1815, 1906]
    assert router.documents("d.people")[0]["address"] == {"zip": "007"}
    out = tmp_path / "out.csv"
    exported = typed("export", "d.people", "--out", str(out), "-p", "name,born,address.zip")
    assert out.read_bytes().replace(b"\r\n", b"\n") == file.read_bytes()
    assert (exported.stdout, exported.stderr.startswith("d.people: 2 documents into")) == ("", True)
    assert len(typed("export", "d.people").stdout.splitlines()) == 2


def test_the_same_command_again_says_what_is_there(typed: Typed, file: Path) -> None:
    typed("import", str(file), "-n", "d.people")
    again = typed("import", str(file), "-n", "d.people", "-o", "json")
    told = json.loads(again.stdout)
    assert (told["inserted"], told["already_there"], told["failed"], told["problems"]) == (0, 2, 0, [])
    assert again.exit_code == 0


def test_bad_records_are_told_with_their_lines_and_end_with_1(typed: Typed, router: FakeRouter, file: Path) -> None:
    result = typed("import", str(file), "-n", "d.people", "--types", "born=int,name=long")
    assert result.exit_code == 1
    assert f"{file}: line 2: column 'name': 'Ada' is not of type long" in result.stderr
    assert "0 inserted, 0 already there, 2 failed" in result.stdout
    stopped = typed("import", str(file), "-n", "d.people", "--types", "name=long", "--stop-on-error", "-o", "json")
    assert (stopped.exit_code, json.loads(stopped.stdout)["failed"]) == (1, 1)


def test_standard_input_is_recognised_by_the_name_it_is_given(typed: Typed, router: FakeRouter) -> None:
    lines = b'{"a": 1}\n{"a": 2}\n'
    for _ in range(2):
        assert typed("import", "-", "-n", "d.c", stdin=lines).exit_code == 0
    assert len(router.documents("d.c")) == 4
    for _ in range(2):
        typed("import", "-", "-n", "d.named", "--stream-name", "today", stdin=lines)
    assert len(router.documents("d.named")) == 2


def test_a_collection_is_dropped_first_where_asked(typed: Typed, router: FakeRouter, file: Path) -> None:
    router.collections["d.people"] = [bson.encode({"_id": 1})]
    typed("import", str(file), "-n", "d.people", "--drop", "--id-field", "name")
    assert [document["_id"] for document in router.documents("d.people")] == ["Ada", "Grace"]


def test_a_failure_in_the_middle_says_how_to_go_on(typed: Typed, router: FakeRouter, file: Path) -> None:
    router.before.append(FailedPreconditionError("read only", "READ_ONLY"))
    result = typed("import", str(file), "-n", "d.people")
    assert getattr(result.exception, "code", None) is Code.FAILED_PRECONDITION or "read only" in str(result.exception)
    assert "0 inserted, 0 already there; the same command again adds the rest" in result.stderr


def test_an_export_that_fails_leaves_the_old_file(typed: Typed, router: FakeRouter, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    out.write_text("old\n", encoding="utf-8")
    router.before.append(FailedPreconditionError("not now", "TEST"))
    assert "not now" in str(typed("export", "d.c", "--out", str(out)).exception)
    assert [path.read_text(encoding="utf-8") for path in tmp_path.iterdir()] == ["old\n"]


@pytest.mark.parametrize("arguments", [("import", "-", "-n", "d.c"), ("export", "d.c")])
def test_a_server_that_is_not_there_is_not_waited_for(arguments: tuple[str, ...]) -> None:
    """Patience is for a server that goes away in the middle; a wrong port is said at once."""
    result = CliRunner().invoke(commands, [*arguments, "--server", "127.0.0.1:1"], input=b"")
    assert "connection refused" in str(result.exception)
    assert "trying again" not in result.stderr


def test_a_file_that_is_not_there(typed: Typed) -> None:
    assert "none.csv: No such file or directory" in str(typed("import", "none.csv", "-n", "d.c").exception)
