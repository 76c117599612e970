"""Attacks servers of its own, one per transport, with many bad messages per method.

::

    python -m tests.properties.bad_input_run --count 10000 --seed 1 --record
"""

from __future__ import annotations

import argparse
import asyncio
import datetime as dt
import json
import platform
import subprocess
import sys
import tempfile
import time
from collections import Counter
from itertools import product
from pathlib import Path
from typing import Any

import grpc

from laura_fast import __version__
from laura_fast.app import Server
from laura_fast.app.transports import MODULES
from laura_fast.config import load
from tests.properties.bad_input import METHODS, OUR_FAULT, attack, populate

BATCH = 150
"""Messages per connection: each cancelled watch is a reset, and the native transport ends connections with too many."""

ROOT = Path(__file__).resolve().parents[2]


async def attack_all(transport: str, count: int, seed: int) -> dict[str, dict[str, int]]:
    """Attacks every method of a server of its own with `count` messages; how often each answered which status."""
    found: dict[str, Counter[grpc.StatusCode]] = {name: Counter() for name in METHODS}
    with tempfile.TemporaryDirectory() as directory:
        flags = {"host": "127.0.0.1", "port": "0", "data_dir": directory, "request_timeout": "2s"}
        server = Server(load({**flags, "transport": transport}, {}).config)
        await server.start()
        for name, begin in product(METHODS, range(0, count, BATCH)):
            async with grpc.aio.insecure_channel(server.address) as channel:
                await populate(channel)
                found[name] += await attack(channel, name, min(BATCH, count - begin), f"{seed}/{begin}")
        await server.stop(grace_s=0)
    return {name: {code.name: codes[code] for code in sorted(codes, key=str)} for name, codes in found.items()}


def _failed(found: dict[str, dict[str, int]]) -> list[str]:
    bad = {code.name for code in OUR_FAULT}
    return [name for name, codes in found.items() if codes.keys() & bad]


def record(runs: list[dict[str, Any]]) -> Path:
    """Writes the runs to results/."""
    git = ["git", "rev-parse", "--short", "HEAD"]
    commit = subprocess.run(git, cwd=ROOT, check=True, capture_output=True, text=True).stdout.strip()
    today = str(dt.datetime.now(dt.UTC).date())
    folder = ROOT / "results" / f"{today}-{commit}-bad-input"
    folder.mkdir(parents=True)
    machine = {"python": platform.python_version(), "machine": platform.machine(), "system": platform.release()}
    raw = {"commit": commit, "date": today, "version": __version__, **machine, "runs": runs}
    (folder / "raw.json").write_text(json.dumps(raw, indent=1) + "\n")
    (folder / "summary.md").write_text(_summary(runs, commit))
    return folder


def _summary(runs: list[dict[str, Any]], commit: str) -> str:
    lines = [
        f"# Bad input at {commit}",
        "",
        "Random and mutated messages, made from each method's schema and a seed, sent to a whole server over the wire.",
        "A call fails if its status is INTERNAL or UNKNOWN, or if none comes within ten seconds. The machine was busy",
        "with other work, which the counts don't mind.",
        "",
        "| transport | methods | messages per method | seconds | methods with a failed call |",
        "|---|---|---|---|---|",
    ]
    lines += [
        f"| {run['transport']} | {len(run['answers'])} | {run['count']:,} | {run['seconds']:,} | {len(run['failed'])} |"
        for run in runs
    ]
    command = f"python -m tests.properties.bad_input_run --count {runs[0]['count']} --seed {runs[0]['seed']} --record"
    return "\n".join([*lines, "", f"Status counts of each method: raw.json. Again: `{command}`", ""])


def _run(transport: str, count: int, seed: int) -> dict[str, Any]:
    started = time.monotonic()
    answers = asyncio.run(attack_all(transport, count, seed))
    seconds = round(time.monotonic() - started)
    told = {"transport": transport, "count": count, "seed": seed, "seconds": seconds}
    return {**told, "failed": _failed(answers), "answers": answers}


def main() -> int:
    """Attacks every method on both transports; exit code 1 if a status was our fault."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=10_000, help="messages per method")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--record", action="store_true", help="write results/ instead of printing")
    chosen = parser.parse_args()
    runs = [_run(transport, chosen.count, chosen.seed) for transport in MODULES]
    print(record(runs) if chosen.record else json.dumps(runs))
    return int(any(run["failed"] for run in runs))


if __name__ == "__main__":
    sys.exit(main())
