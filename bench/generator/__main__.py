"""`python -m bench.generator`: the load generator's cost per call, its ceiling, and the truth of its percentiles."""

from __future__ import annotations

import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec
import orjson
from rich.console import Console
from rich.table import Table

from bench.commands import repeatable
from bench.generator import trials
from bench.rivals.session import commit
from laura_fast.report.raw.record import Record

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.generator.trials import Row

COLUMNS = ["trial", "calls/s", "kept", "generator µs", "server µs", "p99 µs", "ours µs", "theirs µs", "ratio", "noted"]
KEYS = ("trial", "calls_per_s", "kept", "generator_us", "server_us", "p99_us", "ours_us", "theirs_us", "ratio")
CAVEATS = [
    "The server has one core, the generator the others. CPU times per call are of user and system time together.",
    "h2load counts from the real sending, the generator from the intended time; with too few cores, ours says so.",
    "Beside h2load, the server delays answers by known times: h2load adds some 0.3 ms of its own to each latency.",
    "A core that is taken away for a second is in every percentile of an open loop: repeat a run that noted lateness.",
    "Counted as agreement: a ratio within 10 %.",
]


@click.command(help=__doc__)
@click.option("--seconds", type=click.FloatRange(0.1), default=5.0, show_default=True, help="Length of each run.")
@click.option("--rounds", type=click.IntRange(1), default=5, show_default=True, help="Runs beside h2load.")
@click.option("--rates", default="10000,20000,40000,60000,80000,100000", show_default=True, help="Of the open loop.")
@click.option("--compared-rate", type=click.IntRange(1), default=500, show_default=True, help="Beside h2load.")
@click.option("--delayed-rate", type=click.IntRange(1), default=500, show_default=True, help="Beside known delays.")
@click.option("--seed", default=1, show_default=True)
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Raw file to write.")
def main(
    *, seconds: float, rounds: int, rates: str, compared_rate: int, delayed_rate: int, seed: int, out: Path | None
) -> None:
    """Asks everything, shows the table, keeps the record."""
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="laura-fast-bench-") as scratch:
        rows = [
            *trials.ceiling(seconds, rounds),
            *trials.ladder([int(rate) for rate in rates.split(",")], seconds),
            *trials.beside_h2load(compared_rate, seconds, rounds, seed, Path(scratch)),
            *trials.beside_the_truth(delayed_rate, seconds, seed, Path(scratch)),
            *trials.recording(200_000, seed),
        ]
    kept = record(rows, time.monotonic() - started, seed)
    Console(width=None if sys.stdout.isatty() else 160).print(table(kept))
    if out:
        out.write_bytes(orjson.dumps(msgspec.to_builtins(kept), option=orjson.OPT_INDENT_2))


def record(rows: Sequence[Row], seconds: float, seed: int) -> Record:
    """The rows as a record that `python -m laura_fast report` takes."""
    return Record(
        title="The load generator",
        command=" ".join(["python -m bench.generator", *repeatable(sys.argv[1:])]),
        date=f"{datetime.now(UTC):%Y-%m-%d}",
        commit=commit(),
        seed=seed,
        seconds=seconds,
        columns=COLUMNS,
        rows=[[*(_cell(key, row.get(key)) for key in KEYS), "; ".join(row.get("saturated", ()))] for row in rows],
        caveats=CAVEATS,
        data=list(rows),
    )


def table(kept: Record) -> Table:
    """The record's table for a terminal."""
    shown = Table(*kept.columns)
    for row in kept.rows:
        shown.add_row(*row)
    return shown


def _cell(key: str, value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return value
    return f"{value:,.0f}" if key == "calls_per_s" else f"{value:,.2f}"


if __name__ == "__main__":
    main()
