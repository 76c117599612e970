"""The order of runs, their sizes, the ratios and the tables of a session."""

from __future__ import annotations

import io
from collections import Counter
from contextlib import nullcontext

import pytest
from msgspec.structs import replace
from rich.console import Console

from bench.rivals import plan, session, table
from bench.rivals.load import Target, WrongAnswersError
from bench.rivals.process import Running
from bench.rivals.ratios import ratios
from bench.rivals.rival import Rival
from laura_fast.report.raw.rivals import Environment, Latency, Sample, Scenario, Session, Subject

SCENARIO = Scenario("heartbeat", 10, 10)


def rival(name: str, *, missing: str = "", open_loop: bool = True) -> Rival:
    """A rival that is never started."""
    return Rival(
        name=name,
        title=name,
        missing=lambda: missing,
        version=lambda: "1",
        start=lambda _launch: nullcontext(Running(0, "")),
        prepare=lambda _running, _scenario, _launch: Target(""),
        open_loop=open_loop,
    )


def sample(subject: str, round_: int, cpu: float, rate: float = 100.0) -> Sample:
    """A run with the given figures."""
    latency = Latency(p50_us=1, p90_us=None, p95_us=2, p99_us=3, max_us=4)
    return Sample(round_, 0, subject, SCENARIO, 10, 0.1, rate, cpu, 5.0, latency, 100, 14)


def order(**changes: object) -> session.Order:
    """Two rivals, two scenarios, three rounds."""
    fields = {
        "rivals": [rival("a"), rival("b", open_loop=False)],
        "scenarios": [SCENARIO, replace(SCENARIO, rps=100)],
        "baselines": ["a"],
        "rounds": 3,
        "seed": 1,
    }
    return session.Order(**(fields | changes))  # type: ignore[arg-type]


def runs(what: session.Order) -> list[tuple[int, int, str, str]]:
    """The turns, as text."""
    turns = session.turns(what.rivals, what)
    return [(round_, position, one.name, scenario.label) for round_, position, one, scenario in turns]


def test_a_seed_repeats_the_order_and_another_changes_it() -> None:
    assert runs(order(rounds=10)) == runs(order(rounds=10))
    assert runs(order(rounds=10)) != runs(order(rounds=10, seed=2))


def test_neither_of_two_rivals_always_goes_first() -> None:
    """Whoever follows another may find warm caches or a throttled core, so the order must vary."""
    both = order(rivals=[rival("a"), rival("b")], scenarios=[SCENARIO], rounds=20)
    assert {name for _, position, name, _ in runs(both) if position == 0} == {"a", "b"}


def test_every_round_runs_each_pair_once_and_leaves_out_what_a_rival_cannot() -> None:
    counts = Counter((round_, name, label) for round_, _, name, label in runs(order()))
    paced = replace(SCENARIO, rps=100).label
    each = {("a", SCENARIO.label), ("a", paced), ("b", SCENARIO.label)}
    assert counts == Counter({(at, *pair): 1 for at in range(3) for pair in each})


def test_rivals_of_one_scenario_follow_each_other() -> None:
    labels = [label for round_, _, _, label in runs(order(rivals=[rival("a"), rival("b")])) if round_ == 0]
    assert labels[0] == labels[1] != labels[2] == labels[3]


def test_absent_toolchains_are_skipped_with_their_reason() -> None:
    able, skipped = session.ready([rival("a"), rival("b", missing="no compiler")])
    assert [one.name for one in able] == ["a"]
    assert [(one.name, one.reason) for one in skipped] == [("b", "no compiler")]


def test_ratios_pair_rounds_and_ignore_what_has_no_partner() -> None:
    samples = [sample("ours", at, cpu=10.0 * (at + 1)) for at in range(6)]
    samples += [sample("rival", at, cpu=20.0 * (at + 1)) for at in range(5)]
    found = {ratio.metric: ratio for ratio in ratios(samples, "ours", seed=1)}
    cpu = found["server_cpu_us_per_call"]
    assert (cpu.subject, cpu.baseline, cpu.rounds) == ("rival", "ours", 5)
    # Each round's own ratio is 2 although the figures themselves spread five-fold.
    assert (cpu.estimate, cpu.low, cpu.high) == pytest.approx((2.0, 2.0, 2.0))
    assert found["requests_per_s"].estimate == pytest.approx(1.0)


def test_the_interval_holds_the_spread_of_the_pairs() -> None:
    samples = [sample("ours", at, cpu=10.0) for at in range(9)]
    samples += [sample("rival", at, cpu=10.0 + at) for at in range(9)]
    cpu = next(ratio for ratio in ratios(samples, "ours", seed=1) if ratio.metric == "server_cpu_us_per_call")
    assert cpu.low is not None
    assert cpu.high is not None
    assert cpu.estimate == pytest.approx(1.4)
    assert 1.0 <= cpu.low < 1.4 < cpu.high <= 1.8


def test_few_rounds_give_no_interval_and_no_baseline_no_ratio() -> None:
    samples = [sample(name, 0, cpu=1.0) for name in ("ours", "rival")]
    assert {(ratio.low, ratio.high) for ratio in ratios(samples, "ours", seed=1)} == {(None, None)}
    assert ratios(samples, "absent", seed=1) == []


def test_shares_of_an_own_rate_are_not_compared() -> None:
    """Each subject is paced by its own capacity there, so a ratio would compare two different loads."""
    at_share = replace(SCENARIO, load_percent=80)
    samples = [replace(sample(name, 0, cpu=1.0), scenario=at_share) for name in ("ours", "rival")]
    assert ratios(samples, "ours", seed=1) == []


def test_an_interrupted_session_keeps_what_it_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two runs succeed, the third is interrupted: both are in the session, with their ratio."""
    outcomes = iter([0, 1])

    def measured(rival: Rival, scenario: Scenario, bench: object, place: tuple[int, int]) -> Sample:
        if next(outcomes, None) is None:
            raise KeyboardInterrupt
        return replace(sample(rival.name, place[0], cpu=1.0), scenario=scenario)

    monkeypatch.setattr(session, "measure", measured)
    monkeypatch.setattr(session, "environment", lambda _bench: Environment("", "", "", 2, "", "", "", 0, 1, 0.0))
    told: list[str] = []
    finished = session.run(order(rivals=[rival("a"), rival("b")], scenarios=[SCENARIO]), told.append)
    assert sorted(one.subject for one in finished.samples) == ["a", "b"]
    assert {(ratio.subject, ratio.baseline) for ratio in finished.ratios} == {("b", "a")}
    assert [line.split("]")[0] for line in told] == ["[1/6", "[2/6"]


def test_a_run_that_goes_wrong_is_kept_as_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(*_: object) -> Sample:
        raise WrongAnswersError("0 answer bytes")

    monkeypatch.setattr(session, "measure", wrong)
    monkeypatch.setattr(session, "environment", lambda _bench: Environment("", "", "", 2, "", "", "", 0, 1, 0.0))
    finished = session.run(order(rivals=[rival("a")], scenarios=[SCENARIO], rounds=1), lambda _line: None)
    assert finished.samples == []
    assert [failure.error for failure in finished.failures] == ["WrongAnswersError: 0 answer bytes"]


def test_a_plan_is_every_combination_and_names_each_once() -> None:
    varied = plan.Plan(shapes=("1x1", "10x10"), rates=(100,), load_percents=(50,), nodes=(1, 10), joins=(5,))
    labels = [scenario.label for scenario in varied.scenarios()]
    assert len(labels) == len(set(labels)) == (2 + 1 + 1) * 2 + 1


@pytest.mark.parametrize("text", ["10", "0x1", "1x0", "axb", "-1x2", "1x2x3"])
def test_a_bad_shape_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="CONNECTIONSxSTREAMS"):
        plan.shape(text)


def test_the_table_shows_medians_ratios_and_caveats() -> None:
    samples = [sample(name, at, cpu) for at in range(5) for name, cpu in (("ours", 50.0), ("rival", 100.0))]
    subjects = [Subject("ours", "Ours", "1.0"), Subject("rival", "Rival", "2.0 (2020)", "Old.")]
    where = Environment("now", "abc", "cpu", 2, "6", "3.11", "h2load", 0, 1, 0.0)
    done = Session(where, 1, 5, [], subjects, [], samples, ratios(samples, "ours", seed=1))
    console = Console(file=io.StringIO(), width=200)
    table.show(done, console)
    shown = console.file.getvalue()  # type: ignore[attr-defined]
    assert "2.0 (2020)" in shown
    assert "Old." in shown
    assert "2.00 (2.00 to 2.00)" in shown
    assert "n/a" in shown
