"""The command's exit codes: what a CI system makes of a comparison."""

from __future__ import annotations

import importlib

import pytest
from click.testing import CliRunner

from bench.compare import accepted, trees
from bench.compare.comparison import Comparison
from bench.compare.counts import Counted, Survey
from bench.compare.errors import BaseUnavailableError, MeasureError
from bench.compare.gate import Result

COMMIT = "a" * 40
command = importlib.import_module("bench.compare.__main__")


def comparison(syncs: int, entries: tuple[accepted.Accepted, ...] = ()) -> Comparison:
    """One that needs so many syncs where the base needs one."""
    survey = Survey({"registration": {"syncs": Counted(1, syncs, 0.0)}}, {}, {})
    return Comparison(COMMIT, 1, survey, [], Result({}, {}, {}), [], entries, 1.0)


def run(
    monkeypatch: pytest.MonkeyPatch, outcome: Comparison | Exception, *arguments: str, unchanged: bool = False
) -> tuple[int, str]:
    """Exit code and output when comparing comes to this."""

    def compare(*_arguments: object) -> Comparison:
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    monkeypatch.setattr(trees, "resolve", lambda _revision: COMMIT)
    monkeypatch.setattr(trees, "previous", lambda: COMMIT)
    monkeypatch.setattr(trees, "unchanged_since", lambda _commit: unchanged)
    monkeypatch.setattr(command, "_compare", compare)
    result = CliRunner().invoke(command.main, arguments)
    return result.exit_code, result.output


def test_as_fast_as_before_is_0(monkeypatch: pytest.MonkeyPatch) -> None:
    code, output = run(monkeypatch, comparison(1), "--base", "HEAD~1")
    assert (code, "no slowdown found" in output) == (0, True)


def test_slower_is_1(monkeypatch: pytest.MonkeyPatch) -> None:
    code, output = run(monkeypatch, comparison(2), "--ci")
    assert (code, "SLOWER (registration: syncs)" in output) == (1, True)


def test_slower_as_accepted_is_0(monkeypatch: pytest.MonkeyPatch) -> None:
    entry = accepted.Accepted("registration: syncs", 100, "two logs are synced now", COMMIT[:7])
    code, output = run(monkeypatch, comparison(2, (entry,)))
    assert (code, "two logs are synced now" in output) == (0, True)


@pytest.mark.parametrize(("arguments", "expected"), [((), 2), (("--ci",), 0)])
def test_no_base_fails_only_where_one_was_asked_for(
    arguments: tuple[str, ...], expected: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, output = run(monkeypatch, BaseUnavailableError("the clone is shallow"), *arguments)
    assert (code, "not measured: the clone is shallow" in output) == (expected, True)


def test_a_measurement_that_breaks_is_2_in_ci_too(monkeypatch: pytest.MonkeyPatch) -> None:
    code, output = run(monkeypatch, MeasureError("a measured process failed"), "--ci")
    assert (code, "not measured: a measured process failed" in output) == (2, True)


def test_in_ci_code_that_did_not_change_is_not_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    code, output = run(monkeypatch, MeasureError("must not be called"), "--ci", unchanged=True)
    assert (code, "nothing under src" in output) == (0, True)
