"""What is asked of the gate, and whether it keeps it: a record that `python -m laura_fast report` takes."""

from __future__ import annotations

import math
import statistics
from datetime import UTC, datetime
from itertools import pairwise
from typing import TYPE_CHECKING, Final

import msgspec

from bench.compare.quality.plant import BENCHMARK
from bench.compare.quality.resample import tally, usable
from bench.compare.report import percent as as_percent
from laura_fast.report.raw.record import Record

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bench.compare.quality.bed import Plan
    from bench.compare.quality.recording import LiveRun, RecordedRound
    from bench.compare.quality.resample import Share
    from bench.compare.rounds import Round

MOST_ALARMS: Final = 0.02
"""Share of runs with anything SLOWER where nothing was planted."""
LEAST_FOUND: Final = {5: 0.50, 10: 0.95, 20: 1.0}
"""Share of runs that find a planted slowdown, by percent. Of 3 %, the least that may be SLOWER, none is asked."""
COLUMNS: Final = [
    *("planted", "as measured", "rounds", "dirty", "runs", "found", "others slower", "undecided", "rounds per run"),
    *("asked", "kept", "live runs", "live found", "live others slower", "live seconds"),
]
CAVEATS: Final = [
    "Runs are resampled from recorded rounds in blocks of five. They share rounds: their spread is a little too small.",
    "All benchmarks are in every run. Where nothing is planted, any that is called SLOWER is a false alarm.",
    "The loop runs before every run of unary calls: a large one slows topology, too, where each run is one call.",
    "Counts are left out, instructions too: these runs are about times alone.",
]


def by_variant(recorded: Sequence[RecordedRound]) -> dict[int, list[Round]]:
    """The rounds of each variant."""
    return {percent: [one.variants[percent] for one in recorded] for percent in recorded[0].variants}


def quality(
    plan: Plan,
    recorded: Sequence[RecordedRound],
    live: Sequence[LiveRun],
    shares: Mapping[int, Share],
    command: str,
) -> Record:
    """The whole table, from at least one recorded round.

    Args:
        plan: What was planted.
        recorded: Rounds.
        live: Runs of the whole gate.
        shares: Of resampled runs, by percent planted.
        command: Repeats the recording.
    """
    rounds = by_variant(recorded)
    return Record(
        title="Quality of the regression gate",
        command=command,
        date=f"{datetime.now(UTC):%Y-%m-%d}",
        commit=plan.commit[:12],
        seed=plan.seed,
        seconds=sum(later.at - earlier.at for earlier, later in pairwise(recorded)),
        columns=COLUMNS,
        rows=[_row(percent, rounds[percent], found, _of(percent, live)) for percent, found in shares.items()],
        caveats=CAVEATS,
        data=msgspec.to_builtins({"plan": plan, "shares": shares, "live": live, "rounds": recorded}, str_keys=True),
    )


def kept(percent: int, found: Share) -> bool:
    """The gate does what is asked of it."""
    if not percent:
        return _others(percent, found) <= MOST_ALARMS * found.runs
    return found.found >= LEAST_FOUND.get(percent, 0) * found.runs


def _others(percent: int, found: Share) -> int:
    """With nothing planted a slow heartbeat is one of them; beside another it counts twice, which is stricter."""
    return found.alarms if percent else found.alarms + found.found


def _of(percent: int, live: Sequence[LiveRun]) -> list[LiveRun]:
    return [run for run in live if run.percent == percent]


def _row(percent: int, rounds: Sequence[Round], found: Share, live: Sequence[LiveRun]) -> list[str]:
    asked = f"found ≥ {LEAST_FOUND[percent]:.0%}" if percent in LEAST_FOUND else ""
    return [
        f"{percent} %" if percent else "nothing",
        as_percent(_measured(rounds)),
        str(len(rounds)),
        str(sum(one.dirty for one in rounds)),
        f"{found.runs:,}",
        f"{found.found / found.runs:.1%}" if percent else "-",
        f"{_others(percent, found) / found.runs:.1%}",
        f"{found.undecided / found.runs:.1%}",
        f"{found.rounds:.1f}",
        asked if percent else f"alarms ≤ {MOST_ALARMS:.0%}",
        "yes" if kept(percent, found) else "NO",
        *_live(percent, live),
    ]


def _measured(rounds: Sequence[Round]) -> float:
    """What the planted loop costs, as a log-ratio, from all usable rounds."""
    return statistics.median(math.log(figures[BENCHMARK][1] / figures[BENCHMARK][0]) for figures in usable(rounds))


def _live(percent: int, live: Sequence[LiveRun]) -> list[str]:
    if not live:
        return ["0", "-", "-", "-"]
    found = tally((run.verdicts for run in live), 0.0)
    return [
        str(found.runs),
        str(found.found) if percent else "-",
        str(_others(percent, found)),
        f"{statistics.median(run.seconds for run in live):.0f}",
    ]
