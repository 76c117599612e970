"""Runs, prints each fault, and writes the record."""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

import tests.e2e.chaos
from laura_fast.report import raw
from tests.e2e.chaos import recording
from tests.e2e.chaos.running import kinds_for, make_faults, step_down

if TYPE_CHECKING:
    from laura_fast.report.raw.record import Record
    from tests.e2e.chaos.faults import Fault

FEWEST_WRITES_PER_S = 50
"""Fewer before the faults, and the run shows nothing (as etcd's robustness tests have it)."""


def main() -> int:
    """Exit code 1 where a promise was broken, or too little happened to tell."""
    parser = argparse.ArgumentParser(
        description=tests.e2e.chaos.__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=0.0, help="of faults")
    parser.add_argument("--step-downs", type=int, default=0, help="by themselves, behind the faults")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--record", type=Path, help="where the raw file goes")
    parser.add_argument("--remark", action="append", default=[], help="caveat of the record")
    parser.add_argument("--keep", type=Path, help="directory of the members, kept")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        records, void = _run(chosen, chosen.keep or Path(scratch))
    for row in [row for record in records for row in (record.columns, *record.rows)]:
        print(" · ".join(row))
    if chosen.record:
        chosen.record.write_bytes(raw.collect([*records]))
    return int(void)


def _run(chosen: argparse.Namespace, directory: Path) -> tuple[list[Record], bool]:
    """What to record, and whether too little happened to tell."""
    records, void = [], False
    if chosen.minutes:
        kinds = kinds_for(chosen.minutes, chosen.seed)
        outcome = asyncio.run(make_faults(directory / "faults", chosen.seed, kinds, _print))
        records = [
            recording.faults_record(outcome, chosen.minutes, chosen.seed, chosen.remark),
            recording.kinds_record(outcome, chosen.minutes, chosen.seed),
        ]
        void = median(fault.writes_per_s for fault in outcome.faults) < FEWEST_WRITES_PER_S
    if chosen.step_downs:
        began = time.monotonic()
        gaps = asyncio.run(step_down(directory / "step-downs", chosen.seed, chosen.step_downs))
        records.append(recording.gaps_record(gaps, chosen.seed, time.monotonic() - began))
    return records, void


def _print(fault: Fault) -> None:
    where = "primary" if fault.primary else "secondary"
    print(
        f"{fault.at_s:7.1f} s  {fault.kind:17} {fault.victim} ({where}) for {fault.held_s:4.1f} s"
        f"  {fault.writes_per_s:4.0f} writes/s before  answered again after {fault.failover_s:5.2f} s"
        f"{' in another term' if fault.moved else ''}  level after {fault.recovered_s:4.1f} s",
        file=sys.stderr,
        flush=True,
    )


if __name__ == "__main__":
    sys.exit(main())
