"""Rounds and live runs on file, a JSON line each, so that a recording can be stopped at any time and goes on."""

from __future__ import annotations

import random
import time
from collections import Counter
from typing import TYPE_CHECKING, Any, Final, TypeVar

import msgspec

from bench.compare import case, gate
from bench.compare.rounds import Processes, Round, measure_all

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bench.compare.quality.bed import Bed

ROUNDS: Final = "rounds.ndjson"
LIVE: Final = "live.ndjson"
Line = TypeVar("Line")


class RecordedRound(msgspec.Struct, frozen=True):
    """One round of every variant.

    Attributes:
        at: Seconds since the epoch.
        variants: By percent planted.
    """

    at: float
    variants: dict[int, Round]


class LiveRun(msgspec.Struct, frozen=True):
    """One run of the whole gate.

    Attributes:
        percent: Planted.
        seed: Of the run.
        verdicts: By benchmark.
        rounds: Measured in all, repeated ones and second trial included.
        seconds: How long it took.
    """

    percent: int
    seed: int
    verdicts: dict[str, str]
    rounds: int
    seconds: float


def rounds(folder: Path) -> list[RecordedRound]:
    """All recorded rounds."""
    return _lines(folder / ROUNDS, RecordedRound)


def live(folder: Path) -> list[LiveRun]:
    """All live runs."""
    return _lines(folder / LIVE, LiveRun)


def record(folder: Path, bed: Bed, wanted: int, tell: Callable[[str], None]) -> None:
    """Measures until the folder has so many rounds; all variants take turns within each.

    Raises:
        MeasureError: A process failed.
    """
    for number in range(len(rounds(folder)), wanted):
        rng = random.Random(f"{bed.plan.seed} {number}")
        started = time.monotonic()
        heads = {str(percent): tree for percent, tree in bed.variants.items()}
        measured = {int(head): found for head, found in measure_all(bed.base, heads, case.names(), rng).items()}
        _append(folder / ROUNDS, RecordedRound(time.time(), dict(sorted(measured.items()))))
        dirty = ", dirty" if any(one.dirty for one in measured.values()) else ""
        tell(f"round {number + 1} of {wanted}: {time.monotonic() - started:.1f} s{dirty}")


def run_live(folder: Path, bed: Bed, wanted: int, tell: Callable[[str], None]) -> None:
    """Runs the gate until the folder has so many runs of each variant, one of each in turn.

    Raises:
        MeasureError: A process failed.
    """
    done = Counter(run.percent for run in live(folder))
    for number in range(wanted):
        for percent in (percent for percent in bed.variants if done[percent] <= number):
            run = _run(bed, percent, random.Random(f"live {bed.plan.seed} {number} {percent}").getrandbits(32))
            _append(folder / LIVE, run)
            tell(f"run {number + 1} of {wanted}, {percent} % planted: {run.seconds:.0f} s, {run.verdicts}")


def _run(bed: Bed, percent: int, seed: int) -> LiveRun:
    started = time.monotonic()
    source = Processes(bed.base, bed.variants[percent], seed)
    judged = gate.run(source, case.names()).judged
    verdicts = {name: str(found.verdict) for name, found in judged.items()}
    return LiveRun(percent, seed, verdicts, len(source.rounds), time.monotonic() - started)


def _lines(path: Path, kind: type[Line]) -> list[Line]:
    """Whole lines; the last one may have been cut short when the recording was killed."""
    if not path.exists():
        return []
    return [
        msgspec.json.decode(line, type=kind)
        for line in path.read_bytes().splitlines(keepends=True)
        if line[-1:] == b"\n"
    ]


def _append(path: Path, line: Any) -> None:
    content = path.read_bytes() if path.exists() else b""
    whole = content[: content.rfind(b"\n") + 1]
    if whole != content:
        path.write_bytes(whole)  # the line that was cut short
    with path.open("ab") as file:
        file.write(msgspec.json.encode(line) + b"\n")
