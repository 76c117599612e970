"""`python -m bench.channel`: CPU time of a client per unary call, our channel and grpc.aio's in paired rounds."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click
import msgspec
import numpy as np
import orjson

from bench.channel.client import CHANNELS
from bench.processes import CLIENT_CPUS, ROOT, SERVER_CPU, pinned
from bench.rivals.session import commit
from bench.streams.__main__ import interval
from laura_fast.report.raw.record import Record

if TYPE_CHECKING:
    from collections.abc import Iterator

COUNTS: Final = {1: 8_000, 10: 24_000, 100: 40_000}
"""Calls of one run, by how many are under way at once."""

MEMORY_CALLS: Final = 1_000_000
MEMORY_CONCURRENCY: Final = 100
CAVEATS: Final = [
    "CPU time of the client process per call, all of its threads, event loop (uvloop) and kernel included.",
    "Every answer is held against its request. Messages are 50 bytes, no protobuf; each call has a deadline.",
    "Both channels call the same native server process; each run is a fresh client process.",
    "A ratio is the median over rounds of both, one right after the other, with its 95 % bootstrap interval.",
    "One call at a time is mostly three system calls and two changes of the process, which any client pays.",
]
MEMORY_CAVEATS: Final = ["Memory is RssAnon of the client process. The second half's growth leaves the warm-up out."]


@click.command(help=__doc__)
@click.option("--trial", default="cost", show_default=True, type=click.Choice(["cost", "memory"]))
@click.option("--rounds", default=7, show_default=True, type=click.IntRange(2), help="of the trial of cost")
@click.option("--scale", default=1.0, show_default=True, help="fraction of the full counts")
@click.option("--seed", default=1, show_default=True, help="order of the runs, and the bootstrap")
@click.option("--out", type=click.Path(path_type=Path), help="JSON file to write")
def main(trial: str, rounds: int, scale: float, seed: int, out: Path | None) -> None:
    """Measures what calls cost, or what is left of a million of them."""
    started = time.monotonic()
    with _serve() as port:
        found = _memory(port, scale) if trial == "memory" else _cost(port, rounds, scale, seed)
    for row in found["rows"]:
        click.echo(", ".join(f"{name}: {value}" for name, value in zip(found["columns"], row, strict=True)))
    if out:
        arguments = f" --rounds {rounds}" if trial == "cost" else ""
        record = Record(
            command=f"python -m bench.channel --trial {trial}{arguments} --scale {scale:g} --seed {seed}",
            date=f"{datetime.now(UTC):%Y-%m-%d}",
            commit=commit(),
            seed=seed,
            seconds=time.monotonic() - started,
            **found,
        )
        out.write_bytes(orjson.dumps(msgspec.to_builtins(record), option=orjson.OPT_INDENT_2))


def _cost(port: str, rounds: int, scale: float, seed: int) -> dict[str, Any]:
    dice = random.Random(seed)
    costs: dict[int, dict[str, list[float]]] = {at_once: {name: [] for name in CHANNELS} for at_once in COUNTS}
    for _ in range(rounds):
        for at_once, count in COUNTS.items():
            for name in dice.sample(list(CHANNELS), len(CHANNELS)):
                ran = _run(name, port, at_once, max(10 * at_once, int(count * scale)))
                costs[at_once][name].append(ran["cpu_us"])
    return {
        "title": "Unary calls of a client, native channel against grpc.aio",
        "columns": ["calls at once", "native µs", "grpc.aio µs", "grpc.aio over native"],
        "rows": [_cost_row(at_once, costs[at_once], seed) for at_once in COUNTS],
        "caveats": CAVEATS,
        "data": {str(at_once): costs[at_once] for at_once in COUNTS},
    }


def _cost_row(at_once: int, costs: dict[str, list[float]], seed: int) -> list[str]:
    native, rival = (np.array(costs[name]) for name in CHANNELS)
    low, high = interval(rival / native, seed)
    ratio = f"{np.median(rival / native):.1f} ({low:.1f} … {high:.1f})"
    return [str(at_once), f"{np.median(native):.1f}", f"{np.median(rival):.1f}", ratio]


def _memory(port: str, scale: float) -> dict[str, Any]:
    count = max(10 * MEMORY_CONCURRENCY, int(MEMORY_CALLS * scale))
    memory = _run("native", port, MEMORY_CONCURRENCY, count)["memory_kib"]
    growth = memory[-1] - memory[len(memory) // 2]
    return {
        "title": "Memory of a client, native channel",
        "columns": ["calls", "memory KiB", "second half"],
        "rows": [[f"{count:,}", f"{memory[0]:,} → {memory[-1]:,}", f"{growth:+,}"]],
        "caveats": MEMORY_CAVEATS,
        "data": memory,
    }


def _run(name: str, port: str, at_once: int, count: int) -> dict[str, Any]:
    """One client process.

    Raises:
        RuntimeError: A call failed, or an answer was wrong; with what the client said.
    """
    command = [sys.executable, "-m", "bench.channel.client", name, port, str(at_once), str(count)]
    with pinned(CLIENT_CPUS):
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{name}, {at_once} at once:\n{done.stderr}")
    figures: dict[str, Any] = orjson.loads(done.stdout)
    return figures


@contextmanager
def _serve() -> Iterator[str]:
    """The port of a server on a core of its own."""
    with pinned(frozenset({SERVER_CPU})):
        server = subprocess.Popen([sys.executable, "-m", "bench.channel.server"], cwd=ROOT, stdout=subprocess.PIPE)
    try:
        assert server.stdout is not None
        yield server.stdout.readline().decode().strip()
    finally:
        server.terminate()
        server.wait()


if __name__ == "__main__":
    main()
