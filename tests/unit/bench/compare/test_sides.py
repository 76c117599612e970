"""Where the two sides come from, and what callgrind's profiles are read as."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from bench.compare import callgrind, counts, trees
from bench.compare.counts import Counted
from bench.compare.errors import BaseUnavailableError, MeasureError
from bench.compare.trees import Tree

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

HERE = Tree(trees.ROOT)
AUTHOR = {f"GIT_{who}_{what}": "a@b" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository of one commit, in the place of this one."""
    root = tmp_path / "repository"
    for name in ("src/code.py", "requirements.lock", "bench/compare/cases/old.py", "bench/compare/cases/__init__.py"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("before")
    for command in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "one"]):
        subprocess.run(["git", *command], cwd=root, check=True, env={**os.environ, **AUTHOR})
    monkeypatch.setattr(trees, "ROOT", root)
    return root


def test_both_sides_are_copies(repository: Path, tmp_path: Path) -> None:
    commit = trees.resolve("HEAD")
    assert trees.unchanged_since(commit)
    (repository / "src" / "code.py").write_text("after")
    (repository / "src" / "new.py").write_text("new")
    base, head = trees.export_commit(commit, tmp_path / "base"), trees.export_checkout(tmp_path / "head")
    assert (base.root / "src" / "code.py").read_text() == "before"
    assert (head.root / "src" / "code.py").read_text() == "after"
    assert (head.root / "src" / "new.py").exists()
    assert base.python == head.python == sys.executable
    assert not trees.unchanged_since(commit)


def test_a_new_file_is_a_change(repository: Path) -> None:
    (repository / "src" / "new.py").write_text("new")
    assert not trees.unchanged_since("HEAD")


def test_another_lock_takes_another_interpreter(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trees, "_own_interpreter", lambda venv, _lock: f"{venv.name}/python")
    (repository / "requirements.lock").write_text("after")
    assert trees.export_commit("HEAD", tmp_path / "base").python == "base-venv/python"


def test_benchmarks_of_a_commit_are_its_modules(repository: Path) -> None:
    assert trees.cases_of("HEAD") == {"old"}


def test_the_first_commit_has_nothing_to_compare_with(repository: Path) -> None:
    with pytest.raises(BaseUnavailableError, match="no such commit"):
        trees.previous({})


def profiles(*totals: int, calls: int = 10) -> Callable[..., dict[str, Any]]:
    """A worker of two benchmarks under a callgrind that left these."""

    def work(_tree: Tree, _mode: str, _names: Sequence[str], _seed: int, prefix: Sequence[str]) -> dict[str, Any]:
        out = next(option.split("=")[1] for option in prefix if option.startswith("--callgrind-out-file"))
        for number, total in enumerate(totals, start=1):
            Path(f"{out}.{number}").write_text(f"events: Ir\ntotals: {total}\n")
        return {"a": {"calls": calls}, "t": {"absent": "threads"}, "b": {"calls": calls}}

    return work


def test_the_last_profiles_are_those_of_the_benchmarks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(callgrind, "work", profiles(*range(1, 10), 5_000, 700))
    assert callgrind.instructions(HERE, ["a", "t", "b"]) == {"a": 500.0, "b": 70.0}


def test_too_few_profiles_are_no_measurement(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(callgrind, "work", profiles(5_000))
    with pytest.raises(MeasureError, match="PyObject_Dir"):
        callgrind.instructions(HERE, ["a", "t", "b"])


def both(older: dict[str, Any], newer: dict[str, Any]) -> Callable[..., dict[str, Any]]:
    """A worker that answers each side."""
    return lambda tree, *_: older if tree.root.name == "base" else newer


SIDES = (Tree(Path("base")), Tree(Path("head")))


def test_a_survey_tells_new_benchmarks_and_compares_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = {"a": {"counts": {"syncs": 2.0}}, "b": {"counts": {}}}
    monkeypatch.setattr(counts, "work", both({**answers, "b": {"absent": "ImportError: x"}}, answers))
    monkeypatch.setattr(callgrind, "missing", lambda: "valgrind is not installed")
    found = counts.survey(*SIDES, ["a", "b"])
    assert found.counted == {"a": {"syncs": Counted(2.0, 2.0, 0.0)}}
    assert found.new == {"b": "ImportError: x"}
    assert found.skipped == {"instructions": "valgrind is not installed"}


def test_instructions_are_counted_where_they_can_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counts, "work", both({"a": {"counts": {}}}, {"a": {"counts": {}}}))
    monkeypatch.setattr(callgrind, "missing", lambda: "")
    monkeypatch.setattr(callgrind, "instructions", lambda tree, _names: {"a": float(len(tree.root.name))})
    assert counts.survey(*SIDES, ["a"]).counted["a"]["instructions"] == Counted(4.0, 4.0, 0.02)


def test_a_benchmark_that_this_checkout_can_not_run_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counts, "work", both({"a": {"counts": {}}}, {"a": {"absent": "TypeError"}}))
    with pytest.raises(MeasureError, match="TypeError"):
        counts.survey(*SIDES, ["a"])
