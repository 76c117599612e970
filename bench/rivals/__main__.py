"""`python -m bench.rivals`: every server under test, interleaved in one session."""

from __future__ import annotations

import os
import secrets
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from bench.rivals import plan, session, table
from bench.rivals.build import missing_tools
from bench.rivals.measure import Bench
from bench.rivals.subjects import ALL, BASELINES
from laura_fast.report.raw import rivals

ROUNDS, QUICK_ROUNDS = 5, 1
SECONDS, QUICK_SECONDS = 3.0, 0.3


class Listed(click.ParamType[Any]):
    """Values with commas between them, each of one type."""

    name = "list"

    def __init__(self, single: click.ParamType[Any]) -> None:
        self._single = single

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> object:
        if not isinstance(value, str):
            return value
        return tuple(self._single.convert(part, param, ctx) for part in value.split(",") if part)


class Shape(click.ParamType[str]):
    """CONNECTIONSxSTREAMS."""

    name = "shape"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        try:
            plan.shape(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)
        return value


NAMES = Listed(click.Choice([rival.name for rival in ALL]))
COUNTS = Listed(click.IntRange(min=1))
PERCENTS = Listed(click.IntRange(1, 100))
TOPOLOGIES = Listed(click.Choice(["changed", "always"]))


@click.command(help=__doc__)
@click.option("--quick", is_flag=True, help="Everything once and briefly: does it work? The figures mean nothing.")
@click.option("--only", type=NAMES, help="Subjects to run.")
@click.option("--shapes", type=Listed(Shape()), help="Closed loops, as CONNECTIONSxSTREAMS.")
@click.option("--rps", "rates", type=COUNTS, help="Open loops, in requests per second.")
@click.option("--load-percent", "load_percents", type=PERCENTS, help="Open loops, in percent of a subject's own rate.")
@click.option("--nodes", type=COUNTS, help="Registered nodes during heartbeats.")
@click.option("--joins", type=COUNTS, help="Nodes that register in a registration run.")
@click.option("--topology", "topologies", type=TOPOLOGIES, help="When beats are answered with the topology.")
@click.option("--rounds", type=click.IntRange(min=1), help=f"Default {ROUNDS}; quick {QUICK_ROUNDS}.")
@click.option(
    "--seconds", type=click.FloatRange(min=0.1), help=f"Of one run. Default {SECONDS}; quick {QUICK_SECONDS}."
)
@click.option("--seed", type=int, help="Order of the runs and the bootstrap; drawn when not given.")
@click.option("--server-core", type=int, default=0, show_default=True)
@click.option("--load-core", type=int, default=1, show_default=True)
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), help="Folder that gets raw.json.")
def main(
    *,
    quick: bool,
    only: tuple[str, ...] | None,
    rounds: int | None,
    seconds: float | None,
    seed: int | None,
    server_core: int,
    load_core: int,
    out: Path | None,
    **varied: tuple[str, ...] | tuple[int, ...] | None,
) -> None:
    """Runs the session, shows its tables and keeps its raw figures."""
    if reason := missing_tools("h2load", "taskset"):
        raise click.ClickException(reason)
    os.sched_setaffinity(0, {load_core})  # keeps this process and the compilers off the server's core
    given = {name: values for name, values in varied.items() if values is not None}
    wanted = replace(plan.QUICK if quick else plan.Plan(), **given)  # type: ignore[arg-type]
    console = Console(width=None if sys.stdout.isatty() else 180)
    order = session.Order(
        rivals=[rival for rival in ALL if not only or rival.name in only],
        scenarios=wanted.scenarios(),
        baselines=BASELINES,
        rounds=rounds or (QUICK_ROUNDS if quick else ROUNDS),
        seed=secrets.randbelow(2**31) if seed is None else seed,
        bench=Bench(server_core, load_core, seconds or (QUICK_SECONDS if quick else SECONDS)),
        command=sys.argv[1:],
    )
    finished = session.run(order, lambda line: console.print(line, markup=False, highlight=False))
    table.show(finished, console)
    if out:
        out.mkdir(parents=True, exist_ok=True)
        rivals.write(finished, out / "raw.json")
    sys.exit(1 if finished.failures else 0)


if __name__ == "__main__":
    main()
