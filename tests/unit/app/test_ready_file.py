"""The ready file is whole or absent."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from laura_fast.app.ready_file import ReadyFile
from laura_fast.errors import StartupError

if TYPE_CHECKING:
    from pathlib import Path


def test_it_holds_one_line_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    ReadyFile(str(tmp_path / "ready")).write("host:1")
    assert (tmp_path / "ready").read_text() == "host:1\n"
    assert [path.name for path in tmp_path.iterdir()] == ["ready"]


def test_removing_what_is_not_there_is_fine(tmp_path: Path) -> None:
    file = ReadyFile(str(tmp_path / "ready"))
    file.remove()
    file.write("host:1")
    file.remove()
    assert not list(tmp_path.iterdir())


def test_no_path_is_no_file() -> None:
    ReadyFile("").write("host:1")
    ReadyFile("").remove()


def test_a_directory_that_is_missing_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(StartupError, match=r"ready file .*absent/ready can't be written: No such file"):
        ReadyFile(str(tmp_path / "absent" / "ready")).write("host:1")
