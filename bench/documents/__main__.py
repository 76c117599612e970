"""`python -m bench.documents`: documents of laura_fast beside PostgreSQL JSONB and SQLite JSON."""

from __future__ import annotations

import math
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
from bench.documents.operations import OPERATIONS, Operation, Work
from bench.documents.subjects import laura, postgres, sqlite
from bench.documents.tables import memory_rows, table
from bench.processes import CLIENT_CPUS, pinned
from bench.rivals.session import commit
from laura_fast.report.raw.record import Record

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.documents.data import Expected
    from bench.documents.measure import Measured
    from bench.documents.subject import Database, Memory, Session, Subject

SUBJECTS: Final = (laura.SUBJECT, postgres.SUBJECT, sqlite.SUBJECT)
LOAD_BATCH: Final = 1_000
INDEXES: Final[dict[str, tuple[bool, ...]]] = {"with": (True,), "without": (False,), "both": (False, True)}


@click.command(help=__doc__)
@click.option("--documents", default="1000,100000", show_default=True, help="sizes of the collection")
@click.option("--clients", default="1,16,256", show_default=True, help="numbers of clients")
@click.option("--rounds", default=3, show_default=True, type=click.IntRange(1), help="each with fresh databases")
@click.option("--seconds", default=1.0, show_default=True, help="of each operation")
@click.option(
    "--index", type=click.Choice(list(INDEXES)), default="with", show_default=True, help="an index on the size"
)
@click.option("--only", help="subjects to run, by name, separated by commas")
@click.option("--seed", default=1, show_default=True)
@click.option("--out", type=click.Path(path_type=Path), help="JSON file to write")
def main(
    documents: str,
    clients: str,
    rounds: int,
    seconds: float,
    index: str,
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
        plan = Plan(known, [int(count) for count in clients.split(",")], seconds, INDEXES[index], seed)
        for number in range(rounds):
            for subject in dice.sample(subjects, len(subjects)):
                click.echo(f"{known.count:,} documents, round {number + 1}: {subject.name}", err=True)
                with pinned(CLIENT_CPUS):
                    found += uvloop.run(measure(subject, plan))
    columns, rows = table(found, [subject.name for subject in subjects], seed)
    rows += memory_rows(found, [subject.name for subject in subjects])
    for row in (columns, *rows):
        click.echo(" | ".join(row))
    if out:
        flags = f"--documents {documents} --clients {clients} --rounds {rounds} --seconds {seconds:g}"
        flags += f' --only "{only}"' if only else ""
        record = Record(
            title="Documents over the network",
            command=f"python -m bench.documents {flags} --index {index} --seed {seed}",
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
    """What is measured of a subject in one round.

    Attributes:
        known: The collection.
        clients: Numbers of clients.
        seconds: Of each operation.
        indexes: Without an index on the size (False), with one (True), or one after the other.
        seed: Of the calls.
    """

    known: Any
    clients: list[int]
    seconds: float
    indexes: tuple[bool, ...]
    seed: int


async def measure(subject: Subject, plan: Plan) -> list[dict[str, Any]]:
    """Starts the subject, loads the collection once and runs the operations with every number of clients."""
    with tempfile.TemporaryDirectory(prefix="laura-fast-bench-") as scratch:
        async with subject.start(Path(scratch)) as database:
            known, work = plan.known, Work(plan.known, plan.seed)
            found = [await load(database, known) | {"index": "", "clients": 1}]
            for indexed in plan.indexes:
                found += await measure_phase(database, work, plan, subject.most_clients, indexed=indexed)
            async with database.sessions(1) as sessions:
                await closed_loop(database, sessions, _once(work.installed()), 0)
            return [{"subject": subject.name, "documents": known.count} | row for row in found]


async def measure_phase(
    database: Database, work: Work, plan: Plan, most_clients: int, *, indexed: bool
) -> list[dict[str, Any]]:
    """Every operation with every number of clients; before the last phase, only those that feel the index."""
    known, index = plan.known, "size" if indexed else ""
    found = [await build(database, known, work) | {"index": index, "clients": 1}] if indexed else []
    chosen = [each for each in OPERATIONS if indexed is plan.indexes[-1] or each.feels_index]
    for clients in (each for each in plan.clients if each <= most_clients):
        suiting = [each for each in chosen if each.suits(clients, known.count, indexed=indexed)]
        rows = await run(database, work, suiting, clients, plan.seconds)
        found += [row | {"index": index, "clients": clients} for row in rows]
    return found


async def load(database: Database, known: Expected) -> dict[str, Any]:
    """Inserts the whole collection, as one client."""
    work, batch = Work(expected(0), 0), min(LOAD_BATCH, known.count)
    calls = (work.insert(min(batch, known.count - first)) for first in range(0, known.count, batch))
    operation = Operation("load", lambda _work: next(calls, None), batch, writes=True)
    async with database.sessions(1) as sessions:
        measured = await closed_loop(database, sessions, partial(operation.make, work), math.inf)
    return _row(operation, measured, database.memory())


async def build(database: Database, known: Expected, work: Work) -> dict[str, Any]:
    """Makes the index on the size."""

    async def call(_session: Session) -> bool:
        await database.index_sizes()
        return True

    operation = Operation("build the index", lambda _work: call, known.count)
    async with database.sessions(1) as sessions:
        measured = await closed_loop(database, sessions, partial(operation.make, work), 0)
    return _row(operation, measured, database.memory())


async def run(
    database: Database, work: Work, operations: Sequence[Operation], clients: int, seconds: float
) -> list[dict[str, Any]]:
    """Every operation once, and at the end the collection as it was."""
    found = []
    async with database.sessions(clients) as sessions:
        for operation in operations:
            measured = await closed_loop(database, sessions, partial(operation.make, work), seconds)
            last = operation is operations[-1]
            found.append(_row(operation, measured, database.memory() if last else None))
        await closed_loop(database, sessions[:1], _once(work.purge()), 0)
    return found


def _row(operation: Operation, measured: Measured, memory: Memory | None) -> dict[str, Any]:
    told = {"operation": operation.name, "documents_per_call": operation.documents, "writes": operation.writes}
    return told | asdict(measured) | ({"memory": memory._asdict()} if memory else {})


def _once(call: Any) -> Any:
    calls = iter([call])
    return lambda: next(calls, None)


if __name__ == "__main__":
    main()
