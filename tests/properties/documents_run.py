"""Compares very many random cases with other implementations of MongoDB's semantics, and records what came out.

::

    python -m tests.properties.documents_run --kind query=120000 update=20000 --seed 1 --record
"""

from __future__ import annotations

import argparse
import datetime as dt
import importlib
import json
import os
import platform
import subprocess
import sys
import time
from collections import Counter
from importlib.metadata import version
from pathlib import Path
from random import Random
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[2]
BATCH: Final = 100
"""Cases of one random source: an unknown difference is found again with its seed alone."""

KINDS: Final = {
    "query": "tests.properties.filter_cases",
    "find": "tests.properties.find_cases",
    "update": "tests.properties.update_cases",
    "pipeline": "tests.properties.pipeline_cases",
    "plan": "tests.properties.planned_queries",
}
"""Modules with `compare_many(rng, cases)`: counts how cases ended, raises AssertionError for an unknown end."""


def run(kind: str, cases: int, seed: int) -> dict[str, Any]:
    """Compares so many cases of a kind."""
    compare_many = importlib.import_module(KINDS[kind]).compare_many
    started = time.monotonic()
    ended: Counter[tuple[str, str]] = Counter()
    unknown = []
    for batch in range(0, cases, BATCH):
        try:
            ended += compare_many(Random(f"{seed}/{batch}"), min(BATCH, cases - batch))  # noqa: S311 - no secrets
        except AssertionError as error:
            unknown.append({"seed": f"{seed}/{batch}", "what": str(error)})
    endings: dict[str, dict[str, int]] = {}
    for (rival, ending), times in sorted(ended.items()):
        endings.setdefault(rival, {})[ending] = times
    seconds = round(time.monotonic() - started)
    return {"kind": kind, "cases": cases, "seed": seed, "seconds": seconds, "unknown": unknown, "endings": endings}


def record(runs: list[dict[str, Any]]) -> Path:
    """Writes the runs to results/."""
    git = ["git", "rev-parse", "--short", "HEAD"]
    commit = subprocess.run(git, cwd=ROOT, check=True, capture_output=True, text=True).stdout.strip()
    today = str(dt.datetime.now(dt.UTC).date())
    folder = ROOT / "results" / f"{today}-{commit}-document-differential"
    folder.mkdir(parents=True)
    versions = {name: version(name) for name in ("mongomock-ng", "montydb", "pymongo", "google-re2")}
    machine = {"python": platform.python_version(), "machine": platform.machine(), "system": platform.release()}
    raw = {"commit": commit, "date": today, "versions": versions, **machine, "runs": runs}
    (folder / "raw.json").write_text(json.dumps(raw, indent=1) + "\n")
    (folder / "summary.md").write_text(_summary(runs, commit, versions))
    return folder


def _summary(runs: list[dict[str, Any]], commit: str, versions: dict[str, str]) -> str:
    rivals = ", ".join(f"{name} {number}" for name, number in versions.items())
    lines = [
        f"# Documents against other implementations at {commit}",
        "",
        f"Random cases from a seed, answered by this project and by others ({rivals}).",
        "Equal answers are the same. A case that runs into a known difference is set aside: a rule of MongoDB's manual",
        "decides it. Failed are cases where the other one ended in a Python error. Anything else is unknown, a fault",
        "here or there. Plans are not held against others but against a look at every document, by the kind of plan;",
        "each query is asked through several.",
        "",
        "| kind | cases | other | same | known differences | failed there | unknown | seconds |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for each in runs:
        for rival, endings in each["endings"].items():
            same, failed = endings.get("same", 0), endings.get("failed", 0)
            known = sum(endings.values()) - same - failed
            unknown = sum(rival in case["what"] for case in each["unknown"])
            lines.append(
                f"| {each['kind']} | {each['cases']:,} | {rival} | {same:,} | {known:,} | {failed:,} | {unknown} "
                f"| {each['seconds']:,} |"
            )
    return "\n".join([*lines, "", "Known differences by name, with how often each came up: raw.json.", ""])


def _asked(text: str) -> tuple[str, int]:
    kind, _, cases = text.partition("=")
    if kind not in KINDS:
        raise argparse.ArgumentTypeError(f"{kind!r} is none of {', '.join(KINDS)}")
    return kind, int(cases or 0)


def main() -> int:
    """Runs the kinds asked for; exit code 1 if a difference was unknown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kind", type=_asked, nargs="+", default=[(kind, 0) for kind in KINDS], metavar="KIND[=CASES]")
    parser.add_argument("--cases", type=int, default=10_000, help="of each kind that does not say how many")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--record", action="store_true", help="write results/ instead of printing")
    chosen = parser.parse_args()
    os.nice(10)
    runs = [run(kind, cases or chosen.cases, chosen.seed) for kind, cases in chosen.kind]
    print(record(runs) if chosen.record else json.dumps(runs, indent=1))
    return int(any(each["unknown"] for each in runs))


if __name__ == "__main__":
    sys.exit(main())
