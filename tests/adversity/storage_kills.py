"""Kills a writing process again and again and checks what is left: python -m tests.adversity.storage_kills."""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from laura_fast.report.raw.record import Record
from laura_fast.storage import crash_points
from tests.adversity.storage_load import WORKERS, Expected, faults, follow, write_until_killed

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT = Path(__file__).resolve().parent.parent.parent
KILLS_PER_DIRECTORY = 10
"""A log that began ten kills ago is replayed in a moment."""
PATIENCE_S = 30.0
AT_RANDOM = "a random moment"


CAVEATS = [
    "A killed process loses nothing that the kernel has: what an fsync adds shows only when the power fails.",
    """Six workers of one process write batches of one to five documents with three indexes; another index is built and
dropped, and old versions are collected, all the time. After each kill every acknowledged request must be there and
every other one wholly or not at all, the ledger must say the same, indexes and documents must agree, and the oplog,
replayed on an empty engine, must give the same documents.""",
]


@dataclass(frozen=True)
class Kill:
    """One kill.

    Attributes:
        point: Crash point, or `AT_RANDOM`.
        acknowledged: Requests that had been.
        happened: Requests that were found done though nobody had been told.
        faults: What was wrong with what was left.
    """

    point: str
    acknowledged: int
    happened: int
    faults: list[str]


def run(kills: int, seed: int) -> list[Kill]:
    """Kills `kills` processes, every other one at a random moment, the rest at each crash point in turn."""
    rng, done = random.Random(seed), list[Kill]()  # noqa: S311 - repeatable dice
    while len(done) < kills:
        path = Path(tempfile.mkdtemp(prefix="storage-kills-"))
        expected = [Expected() for _ in range(WORKERS)]
        for _ in range(min(KILLS_PER_DIRECTORY, kills - len(done))):
            point = crash_points.POINTS[len(done) // 2 % len(crash_points.POINTS)] if len(done) % 2 else AT_RANDOM
            done.append(_kill(path, point, expected, rng))
        shutil.rmtree(path)
    return done


def _kill(path: Path, point: str, expected: list[Expected], rng: random.Random) -> Kill:
    told = _output_of_victim(path, point, rng)
    acknowledged = follow(expected, told.splitlines())
    found, happened = asyncio.run(faults(path, expected))
    return Kill(point, acknowledged, happened, found)


def _output_of_victim(path: Path, point: str, rng: random.Random) -> bytes:
    """What a process wrote into its pipe before it was killed."""
    reading, writing = os.pipe()
    seed, count, delay_s = rng.randrange(1 << 30), rng.randint(1, 40), rng.uniform(0.02, 0.3)
    pid = os.fork()
    if pid == 0:
        _be_victim(path, writing, seed, None if point == AT_RANDOM else crash_points.dying_at(point, count))
    os.close(writing)
    try:
        return _drain(reading, pid, delay_s if point == AT_RANDOM else PATIENCE_S)
    finally:
        os.close(reading)
        os.waitpid(pid, 0)


def _be_victim(path: Path, pipe: int, seed: int, action: object) -> None:
    try:
        crash_points.arm(action)  # type: ignore[arg-type]  # what dying_at made
        write_until_killed(path, pipe, seed)
    finally:
        os._exit(1)  # only a bug comes here: no handler of the parent may run in its copy


def _drain(reading: int, pid: int, delay_s: float) -> bytes:
    """Reads until the process is dead; kills it when `delay_s` have passed since it was ready."""
    told, deadline, killed = b"", time.monotonic() + PATIENCE_S, False
    while True:
        left = max(0.0, deadline - time.monotonic())
        if not killed and not select.select([reading], [], [], left)[0]:
            os.kill(pid, signal.SIGKILL)
            killed = True
        chunk = os.read(reading, 1 << 16)
        if not chunk:
            return told
        if not told:
            deadline = time.monotonic() + delay_s
        told += chunk
        if not killed and time.monotonic() >= deadline:
            os.kill(pid, signal.SIGKILL)
            killed = True


def today() -> str:
    """The date of a record."""
    return f"{datetime.now(UTC):%Y-%m-%d}"


def described_commit() -> str:
    """The commit that runs, marked when it is changed."""
    describe = ["git", "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"]
    return subprocess.run(describe, cwd=ROOT, check=True, capture_output=True, text=True).stdout.strip()


def record(kills: Sequence[Kill], *, seed: int, seconds: float) -> Record:
    """The run as `python -m laura_fast report` takes it."""
    points = Counter(kill.point for kill in kills)
    return Record(
        title="Killed while it writes",
        command=f"python -m tests.adversity.storage_kills --kills {len(kills)} --seed {seed} --out raw.json",
        date=today(),
        commit=described_commit(),
        seed=seed,
        seconds=seconds,
        columns=["killed at", "kills", "acknowledged requests", "happened unacknowledged", "faults"],
        rows=[_row(point, [kill for kill in kills if kill.point == point]) for point in points],
        caveats=CAVEATS,
        data=[asdict(kill) for kill in kills],
    )


def _row(point: str, kills: Sequence[Kill]) -> list[str]:
    return [
        point,
        f"{len(kills):,}",
        f"{sum(kill.acknowledged for kill in kills):,}",
        f"{sum(kill.happened for kill in kills):,}",
        f"{sum(len(kill.faults) for kill in kills):,}",
    ]


def main() -> int:
    """Kills, and writes the record; exit code 1 if anything was wrong, or too little happened to tell."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, help="where the record goes")
    chosen = parser.parse_args()
    started = time.monotonic()
    kills = run(chosen.kills, chosen.seed)
    made = record(kills, seed=chosen.seed, seconds=round(time.monotonic() - started, 1))
    if chosen.out:
        chosen.out.write_bytes(msgspec.json.encode(made))
    for row in [made.columns, *made.rows]:
        print(" · ".join(row))
    for fault in [fault for kill in kills for fault in kill.faults]:
        print(fault)
    too_few = sum(kill.acknowledged for kill in kills) < 5 * len(kills)
    return int(too_few or any(kill.faults for kill in kills))


if __name__ == "__main__":
    sys.exit(main())
