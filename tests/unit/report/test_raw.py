"""Raw files are read back as they were written, and nothing else is taken for one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import orjson
import pytest

from laura_fast.report import raw
from tests.unit.report import runs

if TYPE_CHECKING:
    from pathlib import Path


def written(path: Path, document: object) -> Path:
    path.write_bytes(orjson.dumps(document))
    return path


def test_a_collection_comes_back_whole(tmp_path: Path) -> None:
    path = tmp_path / "raw.json"
    path.write_bytes(raw.collect(runs.every()))
    assert raw.read(path) == runs.every()


@pytest.mark.parametrize("run", [runs.rivals(1), runs.scaling(), runs.load()], ids=["rivals", "scaling", "load"])
def test_each_tools_own_file_is_recognised(tmp_path: Path, run: raw.Run) -> None:
    assert raw.read(written(tmp_path / "one.json", msgspec.to_builtins(run))) == [run]


def test_pytest_benchmarks_file_is_recognised_by_its_machine_info(tmp_path: Path) -> None:
    document = {**msgspec.to_builtins(runs.micro()), "machine_info": {"node": "x"}, "commit_info": {}}
    del document["kind"]
    assert raw.read(written(tmp_path / "one.json", document)) == [runs.micro()]


@pytest.mark.parametrize(
    "document",
    [
        {"kind": "astrology"},
        {"something": "else"},
        [],
        msgspec.to_builtins(runs.rivals(1)) | {"format_version": 99},
        msgspec.to_builtins(runs.scaling()) | {"format_version": 99},
        msgspec.to_builtins(runs.load()) | {"requests": "many"},
    ],
    ids=["unknown kind", "no kind", "not an object", "rivals' future", "scaling's future", "wrong type"],
)
def test_anything_else_is_refused_with_the_file_named(tmp_path: Path, document: object) -> None:
    with pytest.raises(raw.RawFileError, match=r"one\.json"):
        raw.read(written(tmp_path / "one.json", document))


def test_absent_and_broken_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "broken.json").write_text("{")
    for name in ("absent.json", "broken.json"):
        with pytest.raises(raw.RawFileError, match=name):
            raw.read(tmp_path / name)
