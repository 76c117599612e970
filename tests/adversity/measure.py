"""Performs every flood beside the probe and records what it cost: python -m tests.adversity.measure."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import platform
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from tests.adversity.arena import ROOT, arena, flood
from tests.adversity.attacks import FATAL, FRAMES

if TYPE_CHECKING:
    from tests.adversity.arena import Arena
    from tests.adversity.attacks import Attack

QUIET_S = 2.0
"""How long the probe is watched without an attack, for comparison."""


@dataclass(frozen=True)
class Row:
    """One attack."""

    row: int
    name: str
    cut: bool
    code: int | None
    calls: int
    failures: int
    p50_ms: float
    p99_ms: float
    max_ms: float
    growth_mib: float


def measure(place: Arena, attack: Attack) -> Row:
    """The probe's view of one attack, from its first octet to a moment behind its end."""
    place.probed()
    place.forget_peak()
    before = place.rss_mib()
    outcome = asyncio.run(flood(place.port, attack.send(), patience_s=5))
    time.sleep(0.2)  # calls that were under way are part of it
    probed = place.probed()
    growth = round(place.peak_mib() - before, 1)
    return Row(attack.row, attack.name, outcome.cut, outcome.code, growth_mib=growth, **_seen(probed))


def quiet(place: Arena) -> Row:
    """The probe alone."""
    place.probed()
    time.sleep(QUIET_S)
    probed = place.probed()
    return Row(0, "no attack", cut=False, code=None, growth_mib=0.0, **_seen(probed))


def _seen(probed: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in probed.items() if key != "examples"}


def summary(rows: list[Row], commit: str) -> str:
    """The table."""
    head = [
        f"# Attacks on the native transport at {commit}",
        "",
        f"Up to {FRAMES:,} hostile frames or streams each, beside a client that calls every few milliseconds from a",
        "process of its own. The machine was shared with other work and not pinned, so latencies are upper bounds; the",
        "first row is the same client without an attack. Growth is the peak of resident memory over its start.",
        "",
        "| row | attack | cut off | code | probe calls | failed | p50 ms | p99 ms | max ms | growth MiB |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    lines = [
        f"| {r.row} | {r.name} | {'yes' if r.cut else 'no'} | {'' if r.code is None else r.code} | {r.calls} "
        f"| {r.failures} | {r.p50_ms} | {r.p99_ms} | {r.max_ms} | {r.growth_mib} |"
        for r in rows
    ]
    return "\n".join([*head, *lines, ""])


def main() -> int:
    """Measures and writes results/."""
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.strip()
    with arena({"max_message_bytes": 1 << 20, "min_ping_interval_ms": 10_000}) as place:
        rows = [quiet(place), *[measure(place, attack) for attack in FATAL]]
    today = dt.datetime.now(dt.UTC).date()
    folder = ROOT / "results" / f"{today}-{commit}-attacks"
    folder.mkdir(parents=True, exist_ok=True)
    machine = {"python": platform.python_version(), "machine": platform.machine(), "system": platform.release()}
    raw = {"commit": commit, "date": str(today), **machine, "rows": [asdict(row) for row in rows]}
    (folder / "raw.json").write_text(json.dumps(raw, indent=1) + "\n")
    (folder / "summary.md").write_text(summary(rows, commit))
    print(folder)
    return any(row.failures for row in rows)


if __name__ == "__main__":
    sys.exit(main())
