"""Cuts the power of a writing process, on paper: python -m tests.adversity.storage_power.

A library preloaded into the process logs every write to the data file, every sync that ended and every line that was
told, in one order. So for any moment, what a disk might hold is put together: all that was synced, and of each write
that was not, all, nothing or some sectors. Whatever the dice choose, what had been acknowledged must be there.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from laura_fast.errors import LauraError
from laura_fast.report.raw.record import Record
from tests.adversity.storage_kills import ROOT, described_commit, today
from tests.adversity.storage_load import WORKERS, Expected, faults, follow

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

SHIM = Path(__file__).parent / "power_shim.c"
SECTOR = 512
"""What a disk writes wholly or not at all."""
_HEAD = struct.Struct("=cQI")
PATIENCE_S = 60.0


CAVEAT = """The disk is a model: a sync that returned is believed; sectors of 512 bytes are written wholly or not at
all, in any order. Each cut is checked as a kill is: acknowledged requests, ledger, indexes, oplog."""


class Logged(NamedTuple):
    """One record of the log; see power_shim.c."""

    kind: bytes
    offset: int
    data: bytes


@dataclass(frozen=True)
class Cut:
    """One moment at which the power failed.

    Attributes:
        place: Records of the log before it.
        acknowledged: Requests that had been.
        happened: Requests that were found done though nobody had been told.
        unsynced: Writes that were not synced.
        faults: What was wrong with what was left.
    """

    place: int
    acknowledged: int
    happened: int
    unsynced: int
    faults: list[str]


def compile_shim(folder: Path) -> Path:
    """The library to preload.

    Raises:
        FileNotFoundError: There is no C compiler.
    """
    library = folder / "power.so"
    subprocess.run(["cc", "-O1", "-shared", "-fPIC", "-o", library, SHIM], check=True)
    return library


def run(cuts: int, seed: int, seconds: float) -> list[Cut]:
    """Lets one process write for some seconds, then cuts its power at as many moments."""
    rng = random.Random(seed)  # noqa: S311 - repeatable dice
    with tempfile.TemporaryDirectory(prefix="storage-power-") as name:
        folder = Path(name)
        records = _log_of_victim(folder, seed, seconds)
        ready = next(place for place, logged in enumerate(records) if b"ready" in logged.data and logged.kind == b"M")
        places = sorted(rng.sample(range(ready + 1, len(records)), min(cuts, len(records) - ready - 1)))
        return list(_cuts(folder, records, places, rng))


def _log_of_victim(folder: Path, seed: int, seconds: float) -> list[Logged]:
    reading, writing = os.pipe()
    log = folder / "log"
    added = {"LD_PRELOAD": str(compile_shim(folder)), "POWER_LOG": str(log), "POWER_PIPE": str(writing)}
    command = [sys.executable, "-m", "tests.adversity.storage_load", str(folder / "data"), str(writing), str(seed)]
    victim = subprocess.Popen(command, cwd=ROOT, env=os.environ | added, pass_fds=[writing])
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        pipe.readline()  # ready
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and pipe.readline():
            pass
        victim.send_signal(signal.SIGKILL)
        pipe.read()
    victim.wait(PATIENCE_S)
    return list(_parse(log.read_bytes()))


def _parse(log: bytes) -> Iterator[Logged]:
    place = 0
    while place + _HEAD.size <= len(log):
        kind, offset, length = _HEAD.unpack_from(log, place)
        place += _HEAD.size + length
        if place <= len(log):
            yield Logged(kind, offset, log[place - length : place])


def _cuts(folder: Path, records: Sequence[Logged], places: Sequence[int], rng: random.Random) -> Iterator[Cut]:
    disk, unsynced, told, done = bytearray(), list[Logged](), b"", 0
    for place in places:
        for logged in records[done:place]:
            if logged.kind == b"W":
                unsynced.append(logged)
            elif logged.kind == b"D":
                _write(disk, unsynced.pop())
            elif logged.kind == b"S":
                for synced in unsynced:
                    _write(disk, synced)
                unsynced.clear()
            else:
                told += logged.data
        done = place
        left = bytearray(disk)
        for logged in unsynced:
            _write_in_part(left, logged, rng)
        yield _check(folder / f"cut-{place}", left, told, Cut(place, 0, 0, len(unsynced), []))


def _write(disk: bytearray, logged: Logged) -> None:
    disk.extend(bytes(max(0, logged.offset - len(disk))))
    disk[logged.offset : logged.offset + len(logged.data)] = logged.data


def _write_in_part(disk: bytearray, logged: Logged, rng: random.Random) -> None:
    share = rng.choice((0.0, 0.5, 1.0))
    for start in range(0, len(logged.data), SECTOR):
        if rng.random() < share:
            _write(disk, Logged(b"W", logged.offset + start, logged.data[start : start + SECTOR]))


def _check(path: Path, disk: bytearray, told: bytes, cut: Cut) -> Cut:
    path.mkdir()
    (path / "data.mdb").write_bytes(disk)
    shutil.copy(path.parent / "data" / "FORMAT", path)
    expected = [Expected() for _ in range(WORKERS)]
    acknowledged = follow(expected, told.splitlines())
    try:
        found, happened = asyncio.run(faults(path, expected))
    except LauraError as error:
        found, happened = [str(error)], 0
    shutil.rmtree(path)
    return Cut(cut.place, acknowledged, happened, cut.unsynced, found)


def record(cuts: Sequence[Cut], *, seed: int, seconds: float, run_s: float) -> Record:
    """The run as `python -m laura_fast report` takes it."""
    options = f"--cuts {len(cuts)} --seed {seed} --write-s {seconds:g}"
    synced = [cut for cut in cuts if not cut.unsynced]
    torn = [cut for cut in cuts if cut.unsynced]
    return Record(
        title="Power cut while it writes",
        command=f"python -m tests.adversity.storage_power {options} --out raw.json",
        date=today(),
        commit=described_commit(),
        seed=seed,
        seconds=run_s,
        columns=["power cut", "cuts", "unsynced writes", "happened unacknowledged", "faults"],
        rows=[_row("with everything synced", synced), _row("in the middle of a commit", torn)],
        caveats=[CAVEAT],
        data=[asdict(cut) for cut in cuts],
    )


def _row(label: str, cuts: Sequence[Cut]) -> list[str]:
    sums = [sum(cut.unsynced for cut in cuts), sum(cut.happened for cut in cuts), sum(len(cut.faults) for cut in cuts)]
    return [label, f"{len(cuts):,}", *(f"{number:,}" for number in sums)]


def main() -> int:
    """Cuts, and writes the record; exit code 1 if anything was wrong, or too little happened to tell."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cuts", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--write-s", type=float, default=1.0, help="how long the process writes")
    parser.add_argument("--out", type=Path, help="where the record goes")
    chosen = parser.parse_args()
    started = time.monotonic()
    cuts = run(chosen.cuts, chosen.seed, chosen.write_s)
    run_s = round(time.monotonic() - started, 1)
    made = record(cuts, seed=chosen.seed, seconds=chosen.write_s, run_s=run_s)
    if chosen.out:
        chosen.out.write_bytes(msgspec.json.encode(made))
    for row in [made.columns, *made.rows]:
        print(" · ".join(row))
    for fault in [fault for cut in cuts for fault in cut.faults]:
        print(fault)
    return int(max(cut.acknowledged for cut in cuts) < WORKERS or any(cut.faults for cut in cuts))


if __name__ == "__main__":
    sys.exit(main())
