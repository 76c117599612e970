"""Asks very many random queries with and without indexes.

::

    python -m tests.properties.planned_queries_run --cases 50000 --seed 1 --record
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import platform
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

from laura_fast import __version__
from tests.properties.planned_queries import Case

QUERIES = 20
"""Of one collection."""

ROOT = Path(__file__).resolve().parents[2]


def ask(cases: int, seed: int) -> dict[str, Any]:
    """Asks queries until there were `cases`, each through several plans; how many plans of each kind, and failures."""
    kinds: Counter[str] = Counter()
    failures = []
    for number in range(cases // QUERIES):
        case = Case(Random(f"{seed}/{number}"))  # noqa: S311 - a case, no secret
        try:
            for _ in range(QUERIES):
                case.ask()
        except AssertionError as error:
            failures.append(f"{number}: {error}")
        kinds.update(case.kinds)
    return {"cases": cases, "seed": seed, "plans": dict(kinds.most_common()), "failures": failures}


def record(run: dict[str, Any]) -> Path:
    """Writes a run to results/."""
    git = ["git", "rev-parse", "--short", "HEAD"]
    commit = subprocess.run(git, cwd=ROOT, check=True, capture_output=True, text=True).stdout.strip()
    today = str(dt.datetime.now(dt.UTC).date())
    folder = ROOT / "results" / f"{today}-{commit}-planned-queries"
    folder.mkdir(parents=True)
    machine = {"python": platform.python_version(), "machine": platform.machine(), "system": platform.release()}
    raw = {"commit": commit, "date": today, "version": __version__, **machine, **run}
    (folder / "raw.json").write_text(json.dumps(raw, indent=1) + "\n")
    (folder / "summary.md").write_text(_summary(run, commit))
    return folder


def _summary(run: dict[str, Any], commit: str) -> str:
    lines = [
        f"# Planned queries at {commit}",
        "",
        "Random documents, indexes and queries. Each query is answered by looking at every document, and through the",
        "plan that is chosen twice, and through every index that can be hinted at; documents, order, and what a plan",
        "says of itself (exact, repeats, sorted) must agree. Statistics are random, so that every kind of plan comes.",
        "",
        f"Queries: {run['cases']:,}, of them failed: {len(run['failures'])}. Seconds: {run['seconds']:,}.",
        "",
        "| plan | times |",
        "|---|---|",
    ]
    lines += [f"| {kind} | {times:,} |" for kind, times in run["plans"].items()]
    command = f"python -m tests.properties.planned_queries_run --cases {run['cases']} --seed {run['seed']} --record"
    lines += [
        "",
        "BAD_HINT: an index that would miss matches was refused. SORT_INVALID: two arrays in the fields of a sort.",
        f"Again: `{command}`",
        "",
    ]
    return "\n".join(lines)


def main() -> int:
    """Asks; exit code 1 if an answer was wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=50_000, help="queries")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--record", action="store_true", help="write results/ instead of printing")
    chosen = parser.parse_args()
    started = time.monotonic()
    run = ask(chosen.cases, chosen.seed)
    run["seconds"] = round(time.monotonic() - started)
    print(record(run) if chosen.record else json.dumps(run))
    return int(bool(run["failures"]))


if __name__ == "__main__":
    sys.exit(main())
