"""Load from our own generator, an open loop."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Any, Final

import msgspec

from bench.processes import ROOT
from bench.rivals.load import Load, LoadResult, Target, WrongAnswersError
from laura_fast.report.raw.rivals import Latency

if TYPE_CHECKING:
    from collections.abc import Mapping

WARM_UP: Final = "1s"
SLACK_S: Final = 60.0
_US_PER_MS: Final = 1000


def run(target: Target, load: Load) -> LoadResult:
    """Offers `load.rps` calls a second for as long as `load.requests` of them take.

    Raises:
        WrongAnswersError: A call failed, or an answer was wrong.
    """
    seconds = load.requests / load.rps
    shape = [f"--connections={load.connections}", f"--streams={load.streams}", f"--rps={load.rps}"]
    pace = [f"--duration={round(seconds * 1000)}ms", f"--warmup={WARM_UP}", "--output=json", "--nodes=1"]
    command = [sys.executable, "-m", "laura_fast", "load", f"--server={target.address}", *shape, *pace]
    pinned = ["taskset", "--cpu-list", str(load.core), *command]
    done = subprocess.run(pinned, cwd=ROOT, capture_output=True, check=False, timeout=seconds + SLACK_S)
    if done.returncode:
        raise WrongAnswersError(
            f"the generator failed:\n{(done.stderr or done.stdout).decode(errors='replace')[-2000:]}"
        )
    return result(msgspec.json.decode(done.stdout))


def result(report: Mapping[str, Any]) -> LoadResult:
    """What the generator reported, in this bench's terms; calls of the warm-up count, as the server's CPU saw them."""
    told, count = report["latency"], report["answered"]
    return LoadResult(
        count,
        count / report["calls_per_s"],
        Latency(**{name: told[key] * _US_PER_MS for name, key in _PERCENTILES.items()}),
        report["generator"]["cpu_us_per_call"] * count / 1e6,
        list(report["saturated"]),
    )


_PERCENTILES: Final = {
    "p50_us": "p50_ms",
    "p90_us": "p90_ms",
    "p95_us": "p95_ms",
    "p99_us": "p99_ms",
    "p999_us": "p99_9_ms",
    "max_us": "max_ms",
}
