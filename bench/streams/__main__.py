"""`python -m bench.streams`: paired runs, ratios with their spread, a record."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click
import msgspec
import numpy as np
import orjson
from scipy import stats

from bench.processes import CLIENT_CPUS, ROOT, SERVER_CPU, pinned
from bench.rivals.session import commit
from bench.streams.load import KINDS, Connection, settle
from bench.streams.server import MODULES
from laura_fast.report.raw.record import Record

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

WARM_UP_SHARE: Final = 10
COUNTS: Final = {"server stream": 100_000, "client stream": 50_000, "echo": 20_000, "exchange": 30_000}
CAVEATS: Final = [
    "CPU time of the server process per message, all of its threads. Answers are counted by bytes.",
    "A ratio is the median over rounds of both servers, one right after the other, with its 95 % bootstrap interval.",
    "The handlers do nothing: this is what a message costs the transport. Messages have 50 bytes.",
]


@click.command(help=__doc__)
@click.option("--rounds", default=7, show_default=True, type=click.IntRange(2))
@click.option("--scale", default=1.0, show_default=True, help="fraction of the full counts")
@click.option("--seed", default=1, show_default=True, help="order of the runs, and the bootstrap")
@click.option("--out", type=click.Path(path_type=Path), help="JSON file to write")
def main(rounds: int, scale: float, seed: int, out: Path | None) -> None:
    """Measures every kind of stream on both servers."""
    dice, started = random.Random(seed), time.monotonic()
    costs: dict[str, dict[str, list[float]]] = {kind: {name: [] for name in MODULES} for kind in KINDS}
    for _ in range(rounds):
        for kind in KINDS:
            for transport in dice.sample(list(MODULES), len(MODULES)):
                costs[kind][transport].append(_cost_us(transport, kind, max(200, int(COUNTS[kind] * scale))))
    rows = [_row(kind, costs[kind], seed) for kind in KINDS]
    for row in rows:
        click.echo(f"{row[0]}: native {row[1]} µs, grpc.aio {row[2]} µs a message, × {row[3]}")
    if out:
        command = f"python -m bench.streams --rounds {rounds} --scale {scale:g} --seed {seed}"
        out.write_bytes(orjson.dumps(msgspec.to_builtins(_record(rows, costs, command, seed, started)), option=2))


def _cost_us(transport: str, kind: str, count: int) -> float:
    """CPU microseconds of a fresh server per message."""
    with _serve(transport) as (pid, port):
        for messages in (count // WARM_UP_SHARE, count):
            connection = Connection(port)
            settle()
            before = _cpu_s(pid)
            KINDS[kind](connection, messages)
            spent = _cpu_s(pid) - before
            connection.close()
    return spent / count * 1e6


@contextmanager
def _serve(transport: str) -> Iterator[tuple[int, int]]:
    command = [sys.executable, "-m", "bench.streams.server", transport]
    with pinned(frozenset({SERVER_CPU})):
        server = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE)
    try:
        assert server.stdout is not None
        with pinned(CLIENT_CPUS):
            yield server.pid, int(server.stdout.readline())
    finally:
        server.terminate()
        server.wait()


def _cpu_s(pid: int) -> float:
    return time.clock_gettime(~pid << 3 | 2)  # clock_getcpuclockid(3)'s encoding on Linux


def _row(kind: str, costs: dict[str, list[float]], seed: int) -> list[str]:
    native, rival = (np.array(costs[name]) for name in MODULES)
    low, high = interval(rival / native, seed)
    figures = [f"{np.median(native):.2f}", f"{np.median(rival):.1f}"]
    return [kind, *figures, f"{np.median(rival / native):.1f} ({low:.1f} … {high:.1f})"]


def interval(ratios: Sequence[float] | np.ndarray, seed: int) -> tuple[float, float]:
    """The 95 % bootstrap interval of the ratios' median."""
    found = stats.bootstrap((ratios,), np.median, rng=np.random.default_rng(seed), method="percentile")
    return float(found.confidence_interval.low), float(found.confidence_interval.high)


def _record(
    rows: list[list[str]], costs: dict[str, dict[str, list[float]]], command: str, seed: int, started: float
) -> Record:
    return Record(
        title="Messages on streams, native against grpc.aio",
        command=command,
        date=f"{datetime.now(UTC):%Y-%m-%d}",
        commit=commit(),
        seed=seed,
        seconds=time.monotonic() - started,
        columns=["stream", "native µs", "grpc.aio µs", "grpc.aio over native"],
        rows=rows,
        caveats=CAVEATS,
        data=costs,
    )


if __name__ == "__main__":
    main()
