"""Performs the attacks beside the probe and records what each cost: python -m tests.adversity.measure."""

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
from tests.adversity.crowds import CROWDS

if TYPE_CHECKING:
    from tests.adversity.arena import Arena
    from tests.adversity.attacks import Attack
    from tests.adversity.crowds import Crowd

_CUT = {True: "yes", False: "no", None: "-"}
QUIET_S = 2.0
"""How long the probe is watched without an attack, for comparison."""


@dataclass(frozen=True)
class Row:
    """One attack."""

    row: int
    name: str
    cut: bool | None
    """None where the attack is not one connection's."""
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
    return Row(attack.row, attack.name, outcome.cut, outcome.code, **_cost(place, before))


def measure_crowd(crowd: Crowd) -> Row:
    """The same of an attack by many connections, or by slow ones, on a fresh server. Being cut off is no measure."""
    with arena(crowd.settings, crowd.limits) as place:
        time.sleep(QUIET_S)  # the probe's own calls have warmed the server up
        place.probed()
        place.forget_peak()
        before = place.rss_mib()
        asyncio.run(crowd.attack(place.port))
        return Row(crowd.row, crowd.name, cut=None, code=None, **_cost(place, before))


def _cost(place: Arena, before_mib: float) -> dict[str, Any]:
    time.sleep(0.2)  # calls that were under way are part of it
    return {**_seen(place.probed()), "growth_mib": round(place.peak_mib() - before_mib, 1)}


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
        "first row is the same client without an attack. Growth is the peak of resident memory over its start. The",
        "last of rows 11, 12 and 18 take many connections or time, on a fresh server each. Those of row 18 come from",
        "another address than the client's; an honest crowd of the same size stands beside them for comparison.",
        "",
        "| row | attack | cut off | code | probe calls | failed | p50 ms | p99 ms | max ms | growth MiB |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    lines = [
        f"| {r.row} | {r.name} | {_CUT[r.cut]} | {'' if r.code is None else r.code} | {r.calls} "
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
    rows += [measure_crowd(crowd) for crowd in CROWDS]
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
