"""A session as tables for a terminal: one per scenario, medians over the rounds."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING

from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from rich.console import Console

    from laura_fast.report.raw.rivals import Metric, Ratio, Sample, Scenario, Session

COLUMNS: dict[str, Callable[[Sample], float | None]] = {
    "req/s": lambda sample: sample.requests_per_s,
    "CPU µs/call": lambda sample: sample.server_cpu_us_per_call,
    "p50 µs": lambda sample: sample.latency.p50_us,
    "p90 µs": lambda sample: sample.latency.p90_us,
    "p95 µs": lambda sample: sample.latency.p95_us,
    "p99 µs": lambda sample: sample.latency.p99_us,
    "RssAnon MiB": lambda sample: sample.rss_anon_kib / 1024,
    "load CPU %": lambda sample: sample.load_cpu_percent,
}
RATIOS: dict[Metric, str] = {"requests_per_s": "req/s ratio", "server_cpu_us_per_call": "CPU ratio"}
"""Against the baseline; the medians over all rounds would hide the pairing."""


def show(session: Session, console: Console) -> None:
    """Prints versions and caveats first, then every scenario, then what went wrong."""
    console.print(_versions(session))
    for scenario in dict.fromkeys(sample.scenario for sample in session.samples):
        console.print(scenario_table(session, scenario))
    for line in _remarks(session):
        console.print(line, markup=False)


def _versions(session: Session) -> Table:
    table = Table(title=f"{session.rounds} rounds, seed {session.seed}, commit {session.environment.commit}")
    for heading in ("subject", "version", "read with care"):
        table.add_column(heading)
    for subject in session.subjects:
        table.add_row(subject.name, subject.version, subject.caveat)
    return table


def scenario_table(session: Session, scenario: Scenario) -> Table:
    """One row per subject that has samples."""
    table = Table(title=scenario.label)
    table.add_column("subject")
    for heading in (*COLUMNS, *RATIOS.values()):
        table.add_column(heading, justify="right")
    found = {(ratio.subject, ratio.metric): ratio for ratio in session.ratios if ratio.scenario == scenario}
    for subject in session.subjects:
        if samples := [one for one in session.samples if (one.subject, one.scenario) == (subject.name, scenario)]:
            spread = [_ratio(found.get((subject.name, metric))) for metric in RATIOS]
            table.add_row(subject.name, *(_median(samples, column) for column in COLUMNS.values()), *spread)
    return table


def _median(samples: Sequence[Sample], column: Callable[[Sample], float | None]) -> str:
    values = [value for sample in samples if (value := column(sample)) is not None]
    return f"{median(values):,.1f}" if values else "n/a"


def _ratio(ratio: Ratio | None) -> str:
    if ratio is None:
        return "-"
    spread = "" if ratio.low is None else f" ({ratio.low:.2f} to {ratio.high:.2f})"
    return f"{ratio.estimate:.2f}{spread}"


def _remarks(session: Session) -> Iterator[str]:
    for skipped in session.skipped:
        yield f"skipped {skipped.name}: {skipped.reason}"
    for failure in session.failures:
        yield f"FAILED {failure.subject}, {failure.scenario.label}, round {failure.round}: {failure.error}"
    noted = [sample for sample in session.samples if sample.notes]
    if noted:
        yield f"{len(noted)} of {len(session.samples)} runs carry a note, for example: {noted[0].notes[0]}"
