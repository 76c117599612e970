"""`python -m bench.scaling`: heartbeat, registration and memory at 1 … 10,000 nodes."""

from __future__ import annotations

import os
import platform
import statistics
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec
import orjson
import uvloop
from rich.console import Console
from rich.table import Table

from bench import data
from bench.commands import repeatable
from bench.processes import CLIENT_CPUS, SERVER_CPU, pinned, transports
from bench.rivals.procfs import cpu_model
from bench.rivals.session import commit
from bench.scaling.beats import Load
from bench.scaling.curve import Plan, measure
from laura_fast.report.raw.rivals import Environment
from laura_fast.report.raw.scaling import Curve, ScalingSession

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from laura_fast.report.raw.rivals import Topology

SIZES = (1, 10, 100, 1_000, 10_000)


@click.command(help=__doc__)
@click.option("--transport", "chosen", multiple=True, help="Default: every transport of this checkout.")
@click.option("--sizes", default=",".join(map(str, SIZES)), show_default=True, help="Registered nodes.")
@click.option("--rounds", type=click.IntRange(min=1), default=4, show_default=True, help="Up, down, up, down …")
@click.option("--seconds", type=click.FloatRange(min=0.01), default=1.0, show_default=True, help="Of beats per size.")
@click.option("--connections", type=click.IntRange(min=1), default=10, show_default=True)
@click.option("--streams", type=click.IntRange(min=1), default=10, show_default=True, help="On each connection.")
@click.option("--always/--no-always", default=True, help="Also a server that answers the whole topology each time.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Raw file to write.")
def main(
    *,
    chosen: Sequence[str],
    sizes: str,
    rounds: int,
    seconds: float,
    connections: int,
    streams: int,
    always: bool,
    out: Path | None,
) -> None:
    """Measures every curve, shows the table, keeps the raw figures."""
    console = Console(width=None if sys.stdout.isatty() else 120)
    steps = sorted(int(size) for size in sizes.split(","))
    where = environment()

    def curve(transport: str, topology: Topology) -> Curve:
        plan = Plan(steps, rounds, Load(connections, streams, seconds))
        with pinned(CLIENT_CPUS):
            return uvloop.run(measure(transport, topology, plan, _teller(console)))

    measured = list(chosen) or transports()
    curves = [curve(transport, "changed") for transport in measured]
    if always:
        curves.append(curve(measured[0], "always"))
    session = ScalingSession(where, data.SEED, rounds, connections, streams, repeatable(sys.argv[1:]), curves)
    console.print(table(session))
    if out:
        out.write_bytes(orjson.dumps(msgspec.to_builtins(session), option=orjson.OPT_INDENT_2))


def _teller(console: Console) -> Callable[[str], None]:
    return lambda line: console.print(line, markup=False, highlight=False)


def environment() -> Environment:
    """The machine as it is now."""
    return Environment(
        started_at=datetime.now(UTC).isoformat(timespec="seconds"),
        commit=commit(),
        cpu=cpu_model(),
        cores=os.cpu_count() or 0,
        kernel=platform.release(),
        python=platform.python_version(),
        load_generator="prepared HTTP/2 frames from uvloop",
        server_core=SERVER_CPU,
        load_core=min(CLIENT_CPUS),
        load_average=os.getloadavg()[0],
    )


def table(session: ScalingSession) -> Table:
    """One row per curve and size: medians over the rounds."""
    shown = Table("server", "nodes", "µs CPU per beat", "growth", "bytes per beat", "ms per join", "RssAnon MiB")
    for curve in session.curves:
        sizes = sorted({point.nodes for point in curve.beats})
        first = _beat_cpu(curve, sizes[0])
        for size in sizes:
            cost = _beat_cpu(curve, size)
            answer = next(point.answer_bytes for point in curve.beats if point.nodes == size)
            joins = [point.ms_per_join for point in curve.joins if point.nodes == size and not point.omit_members]
            memory = statistics.median(point.rss_anon_kib for point in curve.memory if point.nodes == size) / 1024
            join = f"{statistics.median(joins):.2f}" if joins else "-"
            shown.add_row(
                curve.label, f"{size:,}", f"{cost:.1f}", f"{cost / first:.2f}", f"{answer:,}", join, f"{memory:.1f}"
            )
    return shown


def _beat_cpu(curve: Curve, size: int) -> float:
    return statistics.median(point.server_cpu_us_per_call for point in curve.beats if point.nodes == size)


if __name__ == "__main__":
    main()
