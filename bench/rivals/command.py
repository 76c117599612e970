"""The command line that the interleaved benches share: who runs, how often, where, and what is left behind."""

from __future__ import annotations

import os
import secrets
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console

from bench.commands import repeatable
from bench.rivals import session, table
from bench.rivals.build import missing_tools
from bench.rivals.measure import Bench
from laura_fast.report.raw import rivals as raw

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bench.rivals.rival import Rival
    from laura_fast.report.raw.rivals import Scenario

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


@dataclass(frozen=True)
class Options:
    """What `options` read."""

    quick: bool
    only: tuple[str, ...] | None
    rounds: int | None
    seconds: float | None
    seed: int | None
    server_core: int
    load_core: int
    out: Path | None


def options(subjects: Sequence[Rival]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Adds the shared options, whose values are the arguments of `Options`."""
    names = Listed(click.Choice([rival.name for rival in subjects]))
    shared = [
        click.option(
            "--quick", is_flag=True, help="Everything once and briefly: does it work? Its figures say nothing."
        ),
        click.option("--only", type=names, help="Subjects to run."),
        click.option("--rounds", type=click.IntRange(min=1), help=f"Default {ROUNDS}; quick {QUICK_ROUNDS}."),
        click.option(
            "--seconds", type=click.FloatRange(min=0.1), help=f"Of one run. Default {SECONDS}; quick {QUICK_SECONDS}."
        ),
        click.option("--seed", type=int, help="Order of the runs and the bootstrap; drawn when not given."),
        click.option("--server-core", type=int, default=0, show_default=True),
        click.option("--load-core", type=int, default=1, show_default=True),
        click.option("--out", type=click.Path(path_type=Path, file_okay=False), help="Folder that gets raw.json."),
    ]

    def add(command: Callable[..., None]) -> Callable[..., None]:
        for option in reversed(shared):
            command = option(command)
        return command

    return add


def run(
    tool: str, subjects: Sequence[Rival], baselines: Sequence[str], scenarios: Sequence[Scenario], asked: Options
) -> None:
    """Runs the session, shows its tables, keeps its raw figures, and exits with 1 if a run failed.

    Raises:
        click.ClickException: A tool that every run needs is missing.
    """
    if reason := missing_tools("h2load", "taskset"):
        raise click.ClickException(reason)
    os.sched_setaffinity(0, {asked.load_core})  # keeps this process and the compilers off the server's core
    console = Console(width=None if sys.stdout.isatty() else 180)
    seconds = asked.seconds or (QUICK_SECONDS if asked.quick else SECONDS)
    order = session.Order(
        rivals=[rival for rival in subjects if not asked.only or rival.name in asked.only],
        scenarios=scenarios,
        baselines=baselines,
        rounds=asked.rounds or (QUICK_ROUNDS if asked.quick else ROUNDS),
        seed=secrets.randbelow(2**31) if asked.seed is None else asked.seed,
        bench=Bench(asked.server_core, asked.load_core, seconds),
        command=repeatable(sys.argv[1:]),
        tool=tool,
    )
    finished = session.run(order, lambda line: console.print(line, markup=False, highlight=False))
    table.show(finished, console)
    if asked.out:
        asked.out.mkdir(parents=True, exist_ok=True)
        raw.write(finished, asked.out / "raw.json")
    sys.exit(1 if finished.failures else 0)
