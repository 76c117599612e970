"""`python -m bench.replication`: replicated writes of laura_fast beside etcd and PostgreSQL, and its recoveries."""

from __future__ import annotations

import random
import tempfile
import time
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click
import msgspec
import orjson
import uvloop

from bench.processes import CLIENT_CPUS, pinned
from bench.replication import __doc__ as caveats
from bench.replication.own import Figure, Plan, measures
from bench.replication.subjects import etcd, laura, postgres
from bench.replication.tables import columns, own_row, write_rows
from bench.replication.writes import majority_writes
from bench.rivals.session import commit
from laura_fast.report.raw.record import Record

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bench.replication.subject import Subject

    Found = dict[str, Any]

SUBJECTS: Final = (laura.SUBJECT, etcd.SUBJECT, postgres.SUBJECT)


@click.command(help=__doc__)
@click.option("--writers", default="1,10,100,1000", show_default=True, help="numbers of concurrent writers; none: skip")
@click.option("--rounds", default=3, show_default=True, type=click.IntRange(1), help="each with fresh systems")
@click.option("--seconds", default=3.0, show_default=True, help="of each number of writers")
@click.option("--entries", default=20_000, show_default=True, help="written while a member is away; 0 = skip")
@click.option("--sync-mb", default=50, show_default=True, help="documents of an initial sync; 0 = skip")
@click.option("--recovery-mb", default=1_000, show_default=True, help="data file of a node that is killed; 0 = skip")
@click.option("--memory-writes", default=20_000, show_default=True, help="beside a slow reader; 0 = skip")
@click.option("--only", help="subjects to run, by name, separated by commas")
@click.option("--seed", default=1, show_default=True)
@click.option("--out", type=click.Path(path_type=Path), help="JSON file to write")
def main(writers: str, seconds: float, only: str | None, seed: int, out: Path | None, **sizes: int) -> None:
    """Measures every installed subject, in an order drawn anew for each round, and then what is laura_fast's alone."""
    started, plan = time.monotonic(), Plan(**sizes)
    wanted = only.split(",") if only else [subject.name for subject in SUBJECTS]
    subjects = [subject for subject in SUBJECTS if subject.name in wanted and subject.version()]
    found = write(subjects, [int(count) for count in writers.split(",") if count], seconds, plan.rounds, seed)
    figures = own(plan) if laura.SUBJECT in subjects else []
    names = [subject.name for subject in subjects]
    rows = write_rows(found, names, seed) + [own_row(each.title, each.told, names) for each in figures]
    for row in (columns(names), *rows):
        click.echo(" | ".join(row))
    if out:
        flags = " ".join(f"--{name.replace('_', '-')} {value}" for name, value in sizes.items())
        record = Record(
            title="Replicated writes, and what a replica set recovers from",
            command=f"python -m bench.replication --writers {writers} --seconds {seconds:g} {flags} --seed {seed}",
            date=f"{datetime.now(UTC):%Y-%m-%d}",
            commit=commit(),
            seed=seed,
            seconds=time.monotonic() - started,
            columns=columns(names),
            rows=rows,
            caveats=[" ".join(str(caveats).split()), ", ".join(f"{each.name} {each.version()}" for each in subjects)],
            data={"writes": found, "own": [asdict(each) for each in figures]},
        )
        out.write_bytes(orjson.dumps(msgspec.to_builtins(record), option=orjson.OPT_INDENT_2))


def write(subjects: Sequence[Subject], writers: Sequence[int], seconds: float, rounds: int, seed: int) -> list[Found]:
    """Rows of every round and subject."""
    dice = random.Random(seed)
    found: list[Found] = []
    for number in range(rounds if writers else 0):
        for subject in dice.sample(subjects, len(subjects)):
            click.echo(f"writes, round {number + 1}: {subject.name}", err=True)
            with scratch() as folder:
                found += uvloop.run(majority_writes(subject, folder, writers, seconds))
    return found


def own(plan: Plan) -> list[Figure]:
    """A row of each measure that is asked for."""
    found: list[Figure] = []
    for measure in measures(plan):
        with scratch() as folder:
            found.append(uvloop.run(measure(plan, folder)))
        click.echo(f"{found[-1].title}: {found[-1].told}", err=True)
    return found


@contextmanager
def scratch() -> Iterator[Path]:
    """A folder for one measurement, which itself stays off the core of the servers."""
    with tempfile.TemporaryDirectory(prefix="laura-fast-bench-") as folder, pinned(CLIENT_CPUS):
        yield Path(folder)


if __name__ == "__main__":
    main()
