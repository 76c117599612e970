"""Runs all subjects interleaved: rounds of every scenario, the subjects in random order from a recorded seed."""

from __future__ import annotations

import os
import platform
import random
import subprocess
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from bench.rivals import h2load, procfs
from bench.rivals.build import ROOT, BuildError
from bench.rivals.load import WrongAnswersError
from bench.rivals.measure import Bench, measure
from bench.rivals.process import StartError
from bench.rivals.ratios import ratios
from laura_fast.report.raw.rivals import Environment, Failure, Sample, Scenario, Session, Skipped, Subject

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from bench.rivals.rival import Rival


@dataclass(frozen=True)
class Order:
    """What to run."""

    rivals: Sequence[Rival]
    scenarios: Sequence[Scenario]
    baselines: Sequence[str]
    """Ratios are taken against the first of these that runs."""
    rounds: int
    seed: int
    bench: Bench = field(default_factory=Bench)
    command: Sequence[str] = ()
    tool: str = "bench.rivals"


def run(order: Order, tell: Callable[[str], None]) -> Session:
    """Builds what needs building, measures every round and works out the ratios.

    Args:
        order: What to run.
        tell: Gets one line per run, for whoever watches.
    """
    where = environment(order.bench)
    able, skipped = ready(order.rivals)
    samples: list[Sample] = []
    failures: list[Failure] = []
    todo = list(turns(able, order))
    # Ctrl-C ends the measuring, not the session: what was measured so far is worth its table.
    with suppress(KeyboardInterrupt):
        for done, (round_, position, rival, scenario) in enumerate(todo, start=1):
            outcome = _attempt(rival, scenario, order.bench, (round_, position))
            (samples if isinstance(outcome, Sample) else failures).append(outcome)  # type: ignore[arg-type]  # by type
            tell(f"[{done}/{len(todo)}] {_line(outcome)}")
    baseline = next((name for name in order.baselines if any(rival.name == name for rival in able)), "")
    subjects = [Subject(rival.name, rival.title, rival.version(), rival.caveat) for rival in able]
    return Session(
        environment=where,
        seed=order.seed,
        rounds=order.rounds,
        command=list(order.command),
        subjects=subjects,
        skipped=skipped,
        samples=samples,
        ratios=ratios(samples, baseline, order.seed),
        failures=failures,
        tool=order.tool,
    )


def ready(rivals: Sequence[Rival]) -> tuple[list[Rival], list[Skipped]]:
    """Tells who can run here, compiling where needed; a compiler's refusal is a reason to skip too."""
    able, skipped = [], []
    for rival in rivals:
        try:
            reason = rival.missing()
            if not reason:
                rival.build()
        except BuildError as error:
            reason = str(error)
        if reason:
            skipped.append(Skipped(rival.name, reason))
        else:
            able.append(rival)
    return able, skipped


def turns(rivals: Sequence[Rival], order: Order) -> Iterator[tuple[int, int, Rival, Scenario]]:
    """Yields each run to do. All rivals of one scenario follow each other, so that what is paired is close in time."""
    dice = random.Random(order.seed)  # an order to repeat, not a secret
    for round_ in range(order.rounds):
        position = 0
        for scenario in dice.sample(order.scenarios, len(order.scenarios)):
            for rival in dice.sample(rivals, len(rivals)):
                if rival.plays(scenario):
                    yield round_, position, rival, scenario
                    position += 1


def _attempt(rival: Rival, scenario: Scenario, bench: Bench, place: tuple[int, int]) -> Sample | Failure:
    """One sample, or the reason why there is none: one bad run must not cost the others."""
    try:
        return measure(rival, scenario, bench, place)
    except (StartError, WrongAnswersError, OSError, subprocess.SubprocessError) as error:
        return Failure(place[0], rival.name, scenario, f"{type(error).__name__}: {error}")


def _line(outcome: Sample | Failure) -> str:
    head = f"round {outcome.round} · {outcome.subject} · {outcome.scenario.label}: "
    if isinstance(outcome, Failure):
        return head + f"FAILED {outcome.error}"
    notes = f" ({'; '.join(outcome.notes)})" if outcome.notes else ""
    return head + f"{outcome.requests_per_s:.0f}/s, {outcome.server_cpu_us_per_call:.1f} µs CPU per call{notes}"


def environment(bench: Bench) -> Environment:
    """The machine as it is now."""
    return Environment(
        started_at=datetime.now(UTC).isoformat(timespec="seconds"),
        commit=commit(),
        cpu=procfs.cpu_model(),
        cores=os.cpu_count() or 0,
        kernel=platform.release(),
        python=platform.python_version(),
        load_generator=h2load.version(),
        server_core=bench.server_core,
        load_core=bench.load_core,
        load_average=os.getloadavg()[0],
    )


def commit() -> str:
    """The checked-out commit, "-dirty" appended when tracked files differ, "unknown" without git."""
    try:
        done = subprocess.run(
            ["git", "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"],
            cwd=ROOT, capture_output=True, text=True, check=True,
        )  # fmt: skip
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return done.stdout.strip()
