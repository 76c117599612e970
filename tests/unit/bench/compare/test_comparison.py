"""Counts, the accept file, rounds, bases and the report."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import numpy as np
import orjson
import pytest

from bench.compare import accepted, case, comparison, gate, report, rounds, slices, trees
from bench.compare.counts import Counted, Survey, compare
from bench.compare.errors import BaseUnavailableError, MeasureError
from bench.compare.trees import Tree
from bench.compare.verdicts import LOOKS, Times, Verdict, judge

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

COMMIT = "0123456789abcdef0123456789abcdef01234567"
HERE = Tree(trees.ROOT)
HEAD = Tree(trees.ROOT)
ENTRY = '[[accepted]]\nbenchmark = "a"\npercent = 8\nreason = "checks deadlines first"\ncommit = "0123456"\n'


def entries(text: str, tmp_path: Path) -> list[accepted.Accepted]:
    """The entries of a file with this text."""
    (tmp_path / "accepted.toml").write_text(text)
    return accepted.read(tmp_path / "accepted.toml")


def found(entries: Sequence[accepted.Accepted] = (), ratio: float = 1.05) -> comparison.Comparison:
    """A comparison in which "a" became slower and needs one sync more."""
    base = np.linspace(100, 101, 10)
    times = {"a": Times(base, base * ratio, base), "b": Times(base, base, base)}
    survey = Survey({"a": {"syncs": Counted(1, 2, 0.0)}, "b": {}}, {"c": "ImportError: c"}, {"instructions": "no tool"})
    result = gate.Result(judge(times, LOOKS[0]), times, {"a": judge(times, LOOKS[0])["a"]})
    one = rounds.Round({"a": (1.0, 1.1, 1.0)}, [3.0, 3.1, 4.0, 3.0])
    return comparison.Comparison(COMMIT, 7, survey, ["d"], result, [one], entries, 60.0)


@pytest.mark.parametrize(
    ("base", "head", "tolerance", "verdict"),
    [
        (1, 1, 0.0, Verdict.SAME),
        (1, 1.01, 0.0, Verdict.SLOWER),
        (0, 1, 0.02, Verdict.SLOWER),
        (100, 102, 0.02, Verdict.SAME),
        (100, 102.1, 0.02, Verdict.SLOWER),
        (100, 97, 0.02, Verdict.FASTER),
    ],
)
def test_counts_are_gated_hard(base: float, head: float, tolerance: float, verdict: Verdict) -> None:
    assert Counted(base, head, tolerance).verdict is verdict


def test_counts_of_one_side_only_are_not_compared() -> None:
    assert compare({"a": {"syncs": 1}}, {"a": {"syncs": 1, "peak bytes": 5}}) == {"a": {"syncs": Counted(1, 1, 0.0)}}


def test_a_slowdown_passes_only_within_its_bound_and_against_its_base(tmp_path: Path) -> None:
    known = entries(ENTRY, tmp_path)
    assert accepted.reason_for(known, "a", 1.08, COMMIT) == "checks deadlines first"
    assert not accepted.reason_for(known, "a", 1.09, COMMIT)
    assert not accepted.reason_for(known, "b", 1.05, COMMIT)
    assert not accepted.reason_for(known, "a", 1.05, "f" * 40)


@pytest.mark.parametrize("text", ["accepted = 1", ENTRY.replace("percent = 8", ""), ENTRY + "more = 1", "[["])
def test_an_accept_file_that_is_wrong_is_an_error(text: str, tmp_path: Path) -> None:
    with pytest.raises(MeasureError, match=r"accepted\.toml"):
        entries(text, tmp_path)


def test_the_accept_file_of_this_checkout_can_be_read() -> None:
    accepted.read()


def test_slower_times_and_counts_fail_unless_accepted(tmp_path: Path) -> None:
    assert found().failures == ["a", "a: syncs"]
    known = entries(ENTRY + ENTRY.replace('"a"', '"a: syncs"').replace("8", "100"), tmp_path)
    assert found(known).failures == []


def test_the_report_says_everything(tmp_path: Path) -> None:
    text = report.markdown(found())
    for part in ("SLOWER (a, a: syncs)", "| a | SLOWER | +5.0 %", "NEW", "GONE", "no tool", "second time"):
        assert part in text
    report.write(found(), tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"compare.md", "compare.json", "compare.png"}
    document = orjson.loads((tmp_path / "compare.json").read_bytes())
    assert document["failures"] == ["a", "a: syncs"]
    assert document["rounds"][0]["dirty"] is True


def test_dirty_rounds_are_repeated_within_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    dirty = rounds.Round({}, [1.0, 2.0])
    monkeypatch.setattr(rounds, "measure", lambda *_: dirty)
    source = rounds.Processes(HERE, HERE, 1)
    assert len(source.take(["a"], 10)) == 10
    assert len(source.rounds) == 13


def test_a_slow_hour_between_benchmarks_makes_no_round_dirty() -> None:
    assert not rounds.Round({}, [1.0, 1.1, 1.2, 1.3]).dirty
    assert rounds.Round({}, [1.0, 1.0, 1.3, 1.3]).dirty


def test_a_round_has_every_figure_and_its_seed_draws_the_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[str, str]] = []

    class Side:
        def __init__(self, tree: Tree, _names: Sequence[str], hash_seed: int) -> None:
            self._speed = 2.0 if tree is HEAD else 1.0
            seen.append(("seed", str(hash_seed)))

        def absent(self) -> dict[str, str]:
            return {}

        def slice(self, name: str) -> float:
            seen.append((name, str(self._speed)))
            return self._speed * len(seen)  # the machine gets slower all the time

        def close(self) -> None:
            pass

    monkeypatch.setattr(slices, "Side", Side)
    dice = (random.Random(3) for _ in range(2))  # noqa: S311  # orders of runs, not secrets
    once = rounds.measure(HERE, HEAD, ["a", "b"], next(dice))
    drawn = seen.copy()
    seen.clear()
    assert rounds.measure(HERE, HEAD, ["a", "b"], next(dice)).figures == once.figures
    assert seen == drawn
    base, head, control = once.figures["a"]
    assert head / base == pytest.approx(2, rel=0.3)
    assert control / base == pytest.approx(1, rel=0.3)
    assert len(once.spins_ns) == 3


def test_only_slices_of_one_turn_are_compared() -> None:
    turns = [{"base": speed, "head": speed * 1.1} for speed in (1.0, 5.0, 2.0)]
    assert slices.paired(turns, "base") == pytest.approx({"base": 2.0, "head": 2.2})


def test_a_process_that_fails_is_told_apart_from_slowness() -> None:
    side = slices.Side(HERE, [], 0)
    side.absent()
    with pytest.raises(MeasureError, match="KeyError"):
        side.slice("missing")
    side.close()


def test_a_benchmark_that_a_tree_lacks_is_an_error_with_the_reason() -> None:
    with pytest.raises(MeasureError, match="missing: ModuleNotFoundError"):
        rounds.measure(HERE, HERE, ["missing"], random.Random(1))  # noqa: S311  # orders of runs, not secrets


def test_every_benchmark_runs_over_this_checkout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slices, "TURNS", 1)
    timed = rounds.measure(HERE, HERE, case.names(), random.Random(1))  # noqa: S311  # orders of runs, not secrets
    assert sorted(timed.figures) == case.names()
    assert all(figure > 0 for figures in timed.figures.values() for figure in figures)
    counted = rounds.work(HERE, "counts", case.names(), 0)
    assert counted["registration"]["counts"]["syncs"] == 1


def test_the_base_is_what_ci_says_or_the_parent(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, ...]] = []
    answers = {"merge-base": b"b" * 40}

    def git(*arguments: str) -> bytes:
        asked.append(arguments)
        return answers.get(arguments[0], b"a" * 40)

    monkeypatch.setattr(trees, "git", git)
    assert trees.previous({}) == "a" * 40
    assert "HEAD~1^{commit}" in asked[-1]
    assert trees.previous({"GITHUB_BASE_REF": "main"}) == "b" * 40
    trees.previous({"CI_MERGE_REQUEST_DIFF_BASE_SHA": "c" * 40})
    assert asked[-1][-1] == "c" * 40 + "^{commit}"


@pytest.mark.parametrize(("shallow", "reason"), [(True, "shallow"), (False, "no such commit")])
def test_without_a_base_it_says_why(
    shallow: bool, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def git(*arguments: str) -> bytes:
        if "--git-path" in arguments:
            return str(tmp_path / "shallow").encode()
        raise BaseUnavailableError("unknown")

    if shallow:
        (tmp_path / "shallow").touch()
    monkeypatch.setattr(trees, "git", git)
    with pytest.raises(BaseUnavailableError, match=reason):
        trees.resolve("HEAD~1")
