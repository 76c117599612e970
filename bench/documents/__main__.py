"""`python -m bench.documents`: documents of laura_fast beside PostgreSQL JSONB and SQLite JSON."""

from __future__ import annotations

import random
import tempfile
import time
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click
import msgspec
import orjson
import uvloop

from bench.documents import __doc__ as caveats
from bench.documents.data import expected
from bench.documents.measure import closed_loop
from bench.documents.operations import OPERATIONS, Work
from bench.documents.subjects import laura, postgres, sqlite
from bench.documents.tables import table
from bench.processes import CLIENT_CPUS, pinned
from bench.rivals.session import commit
from laura_fast.report.raw.record import Record

if TYPE_CHECKING:
    from bench.documents.data import Expected
    from bench.documents.subject import Database, Subject

SUBJECTS: Final = (laura.SUBJECT, postgres.SUBJECT, sqlite.SUBJECT)
LOAD_BATCH: Final = 1_000


@click.command(help=__doc__)
@click.option("--documents", default="1000,100000", show_default=True, help="sizes of the collection")
@click.option("--clients", default="1,16,256", show_default=True, help="numbers of clients")
@click.option("--rounds", default=3, show_default=True, type=click.IntRange(1), help="each with fresh databases")
@click.option("--seconds", default=1.0, show_default=True, help="of each operation")
@click.option("--index/--no-index", default=True, show_default=True, help="an index on the size")
@click.option("--only", help="subjects to run, by name, separated by commas")
@click.option("--seed", default=1, show_default=True)
@click.option("--out", type=click.Path(path_type=Path), help="JSON file to write")
def main(
    documents: str,
    clients: str,
    rounds: int,
    seconds: float,
    index: bool,
    only: str | None,
    seed: int,
    out: Path | None,
) -> None:
    """Measures every installed subject, in an order drawn anew for each round."""
    started = time.monotonic()
    names = only.split(",") if only else [subject.name for subject in SUBJECTS]
    subjects = [subject for subject in SUBJECTS if subject.name in names and subject.version()]
    dice, found = random.Random(seed), []
    for known in map(expected, map(int, documents.split(","))):
        plan = Plan(known, [int(count) for count in clients.split(",")], seconds, index, seed)
        for number in range(rounds):
            for subject in dice.sample(subjects, len(subjects)):
                click.echo(f"{known.count:,} documents, round {number + 1}: {subject.name}", err=True)
                with pinned(CLIENT_CPUS):
                    found += uvloop.run(measure(subject, plan))
    columns, rows = table(found, [subject.name for subject in subjects], seed)
    for row in (columns, *rows):
        click.echo(" | ".join(row))
    if out:
        flags = f"--documents {documents} --clients {clients} --rounds {rounds} --seconds {seconds:g}"
        record = Record(
            title="Documents over the network",
            command=f"python -m bench.documents {flags} --{'' if index else 'no-'}index --seed {seed}",
            date=f"{datetime.now(UTC):%Y-%m-%d}",
            commit=commit(),
            seed=seed,
            seconds=time.monotonic() - started,
            columns=columns,
            rows=rows,
            caveats=[" ".join(str(caveats).split()), ", ".join(f"{each.name} {each.version()}" for each in subjects)],
            data=found,
        )
        out.write_bytes(orjson.dumps(msgspec.to_builtins(record), option=orjson.OPT_INDENT_2))


class Plan(msgspec.Struct, frozen=True):
    """What is measured of a subject in one round."""

    known: Any
    clients: list[int]
    seconds: float
    index: bool
    seed: int


async def measure(subject: Subject, plan: Plan) -> list[dict[str, Any]]:
    """Starts the subject, loads the collection and runs every operation with every number of clients."""
    with tempfile.TemporaryDirectory(prefix="laura-fast-bench-") as scratch:
        async with subject.start(Path(scratch)) as database:
            await load(database, plan.known)
            if plan.index:
                await database.index_sizes()
            work, found = Work(plan.known, plan.seed), []
            for clients in plan.clients:
                found += [
                    {"subject": subject.name, "documents": plan.known.count, "clients": clients} | row
                    for row in await run(database, work, clients, plan.seconds)
                ]
            return found


async def load(database: Database, known: Expected) -> None:
    """Inserts the whole collection, as one client."""
    work = Work(expected(0), 0)
    async with database.sessions(1) as [session]:
        for first in range(0, known.count, LOAD_BATCH):
            batch = min(LOAD_BATCH, known.count - first)
            await closed_loop(database, [session], _once(work.insert(batch)), 0)


async def run(database: Database, work: Work, clients: int, seconds: float) -> list[dict[str, Any]]:
    """Every operation once, and at the end the collection as it was."""
    found = []
    async with database.sessions(clients) as sessions:
        for operation in OPERATIONS:
            if not operation.suits(clients, work.known.count):
                continue
            measured = await closed_loop(database, sessions, partial(operation.make, work), seconds)
            row = {"operation": operation.name, "documents_per_call": operation.documents}
            found.append(row | asdict(measured) | {"memory": database.memory_bytes()})
        for call in (work.installed(), work.purge()):
            await closed_loop(database, sessions[:1], _once(call), 0)
    return found


def _once(call: Any) -> Any:
    calls = iter([call])
    return lambda: next(calls, None)


if __name__ == "__main__":
    main()
