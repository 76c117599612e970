"""`load`: calls at a fixed rate, and their latency."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click
import msgspec
import uvloop
from rich.progress import BarColumn, Progress, TextColumn

from laura_fast.cli._connection import Seconds, console, with_server
from laura_fast.client.addresses import parse_seeds
from laura_fast.client.explain import explain
from laura_fast.errors import ClientError
from laura_fast.load.calls import METHODS
from laura_fast.load.report import as_text
from laura_fast.load.runner import Options, run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from laura_fast.client import ClientTls
    from laura_fast.load.report import LoadReport

_DEFAULT_RPS = 1000


@click.command()
@with_server()
@click.option("--rps", type=click.IntRange(1, 1_000_000), help=f"Calls per second. [default: {_DEFAULT_RPS}]")
@click.option("--closed", is_flag=True, help="Closed loop: each answer is followed by a call. Hides queueing.")
@click.option("--connections", type=click.IntRange(1, 10_000), default=10, show_default=True)
@click.option(
    "--streams", type=click.IntRange(1, 10_000), default=100, show_default=True, help="Calls at once on each."
)
@click.option("--duration", "duration_s", type=Seconds(100, 86_400_000), default="10s", show_default=True)
@click.option("--warmup", "warmup_s", type=Seconds(0, 3_600_000), default="1s", show_default=True, help="Not measured.")
@click.option("--method", type=click.Choice(METHODS), default="heartbeat", show_default=True)
@click.option("--nodes", type=click.IntRange(1, 10_000), default=10, show_default=True, help="Nodes to speak for.")
@click.option("--pid", type=click.IntRange(1), help="The server's process, where its port does not tell.")
@click.option("-o", "--output", type=click.Choice(["table", "json"]), default="table", show_default=True)
def command(
    *,
    seeds: str,
    tls: ClientTls | None,
    timeout_s: float,
    rps: int | None,
    closed: bool,
    connections: int,
    streams: int,
    duration_s: float,
    warmup_s: float,
    method: str,
    nodes: int,
    pid: int | None,
    output: str,
) -> None:
    """Load one server with calls at times fixed in advance, and show their latency.

    Registers nodes of its own and deregisters them at the end. Exit code 0 means that every call was answered OK.
    """
    if closed and rps is not None:
        raise click.UsageError("--closed has no rate: leave --rps out")
    options = Options(
        address=parse_seeds(seeds)[0],
        tls=tls,
        method=method,
        rps=None if closed else rps or _DEFAULT_RPS,
        connections=connections,
        streams=streams,
        nodes=nodes,
        warmup_s=warmup_s,
        duration_s=duration_s,
        timeout_s=timeout_s,
        pid=pid,
    )
    report = _run(options)
    if output == "json":
        click.echo(msgspec.json.encode(report))
    else:
        console().print(as_text(report))
    sys.exit(1 if report.failed else 0)


def _run(options: Options) -> LoadReport:
    try:
        with _progress() as on_progress:
            return uvloop.run(run(options, on_progress))
    except ClientError as error:
        raise ClientError(explain(error)) from error
    except KeyboardInterrupt:
        raise SystemExit(0) from None


@contextmanager
def _progress() -> Iterator[Callable[[float, int], None]]:
    """A bar on the terminal, and nothing where there is none."""
    screen = console(stderr=True)
    columns = TextColumn("{task.percentage:3.0f} %"), BarColumn(), TextColumn("{task.fields[calls]:,} calls")
    with Progress(*columns, console=screen, transient=True, disable=not screen.is_terminal, auto_refresh=False) as bar:
        task = bar.add_task("", total=1.0, calls=0)

        def show(share: float, calls: int) -> None:
            bar.update(task, completed=share, calls=calls, refresh=True)

        yield show
