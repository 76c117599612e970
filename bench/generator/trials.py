"""The questions put to the generator. Each answer is a row of the record."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import replace
from statistics import median
from typing import TYPE_CHECKING, Any

import msgspec
import orjson
from hdrh.histogram import HdrHistogram

from bench.generator import delayed
from bench.processes import CLIENT_CPUS, NEVER_DOWN, ROOT, SERVER_CPU, pinned, serve
from bench.rivals import cluster, h2load, process
from bench.rivals.load import Load, Target
from laura_fast.load.measuring import QUANTILES, Histogram
from laura_fast.load.report import LoadReport

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from laura_fast.report.raw.rivals import Latency

TIMEOUT_S = 120
LONGEST_US = 60_000_000
SIGNIFICANT_DIGITS = 3
SUSTAINED = 0.99
"""Share of the planned rate that counts as kept."""

Row = dict[str, Any]


def generate(address: str, *flags: str) -> LoadReport:
    """One run of the command on the client's cores.

    Raises:
        subprocess.CalledProcessError: A call failed.
    """
    command = [sys.executable, "-m", "laura_fast", "load", "--server", address, "-o", "json", *flags]
    with pinned(CLIENT_CPUS):
        done = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, timeout=TIMEOUT_S)
    return msgspec.json.decode(done.stdout, type=LoadReport)


def ceiling(seconds: float, rounds: int) -> list[Row]:
    """Closed loop, as fast as both sides can: rate, and CPU time of either side per call."""
    with serve("native", *NEVER_DOWN) as server:
        flags = ("--closed", "--warmup", "500ms", *_duration(seconds))
        runs = [generate(server.address, *flags) for _ in range(rounds)]
    assert all(run.server for run in runs), "the server was not found by its port"
    return [
        {
            "trial": "ceiling",
            "calls_per_s": median(run.calls_per_s for run in runs),
            "generator_us": median(run.generator.cpu_us_per_call for run in runs),
            "server_us": median(run.server.cpu_us_per_call for run in runs if run.server),
        }
    ]


def ladder(rates: Sequence[int], seconds: float) -> list[Row]:
    """Open loop at rising rates: which are kept, and whether the generator says that it was the limit."""
    rows = []
    with serve("native", *NEVER_DOWN) as server:
        for rate in rates:
            run = generate(server.address, "--rps", str(rate), *_duration(seconds), "--timeout", "30s")
            rows.append(
                {
                    "trial": f"open loop at {rate:,}",
                    "calls_per_s": run.calls_per_s,
                    "kept": run.calls_per_s >= SUSTAINED * rate,
                    "generator_us": run.generator.cpu_us_per_call,
                    "p99_us": run.latency.p99_ms * 1000,
                    "saturated": run.saturated,
                }
            )
    return rows


def beside_h2load(rate: int, seconds: float, rounds: int, seed: int, scratch: Path) -> list[Row]:
    """The same rate from both generators, in turn, to servers that delay the same answers by the same times.

    Delays around 20 ms outweigh what h2load adds to each latency, some 0.3 ms from its timer and from sending in
    batches. One connection, because h2load's connections keep time apart and in step: ten send ten calls at once.
    """
    ours: list[LoadReport] = []
    theirs: list[Latency] = []
    load = Load(round(rate * seconds), 1, 100, min(CLIENT_CPUS), scratch, rps=rate)
    for _ in range(rounds):
        with _delayed(seed, scratch) as (server, _):
            ours.append(_open_loop(server.address, rate, seconds))
        with _delayed(seed, scratch) as (server, _):
            theirs.append(h2load.run(_beat(server.address), load).latency)
    rows = []
    for name in ("p50", "p90", "p95", "p99"):
        own = median(getattr(run.latency, f"{name}_ms") for run in ours) * 1000
        other = median(getattr(latency, f"{name}_us") for latency in theirs)
        trial = f"{name} beside h2load at {rate:,}"
        rows.append({"trial": trial, "ours_us": own, "theirs_us": other, "ratio": own / other})
    return rows


def beside_the_truth(rate: int, seconds: float, seed: int, scratch: Path) -> list[Row]:
    """A server that notes how long its answers took: its own HDR histogram against our percentiles."""
    with _delayed(seed, scratch) as (server, noted):
        run = _open_loop(server.address, rate, seconds)
    truth = HdrHistogram(1, LONGEST_US, SIGNIFICANT_DIGITS)
    for value in orjson.loads(noted.read_bytes()):
        truth.record_value(value)
    assert truth.get_total_count() == run.answered
    latency = run.latency
    ours = (latency.p50_ms, latency.p90_ms, latency.p95_ms, latency.p99_ms, latency.p99_9_ms)
    rows = []
    for quantile, own_ms in zip(QUANTILES, ours, strict=False):
        exact = truth.get_value_at_percentile(quantile * 100)
        trial = f"p{quantile * 100:g} of known delays at {rate:,}"
        rows.append({"trial": trial, "ours_us": own_ms * 1000, "theirs_us": exact, "ratio": own_ms * 1000 / exact})
    return rows


def recording(values: int, seed: int) -> list[Row]:
    """What counting a latency costs in our histogram, in batches as under load, and in hdrhistogram's."""
    rng = random.Random(seed)
    latencies = [round(rng.lognormvariate(6, 1)) for _ in range(values)]
    own, other = Histogram(), HdrHistogram(1, LONGEST_US, SIGNIFICANT_DIGITS)
    started = time.process_time()
    for start in range(0, values, 4096):
        own.record(latencies[start : start + 4096])
    between = time.process_time()
    for value in latencies:
        other.record_value(value)
    ended = time.process_time()
    assert own.count == other.get_total_count() == values
    ours, theirs = (between - started) / values * 1e6, (ended - between) / values * 1e6
    return [{"trial": "recording a value", "ours_us": ours, "theirs_us": theirs, "ratio": ours / theirs}]


def _duration(seconds: float) -> tuple[str, str]:
    return "--duration", f"{seconds * 1000:.0f}ms"


def _open_loop(address: str, rate: int, seconds: float) -> LoadReport:
    """Of beats on one connection, nothing left out."""
    return generate(address, "--rps", str(rate), "--connections", "1", "--warmup", "0ms", *_duration(seconds))


@contextmanager
def _delayed(seed: int, scratch: Path) -> Iterator[tuple[process.Running, Path]]:
    """A server whose answers take this seed's times, and where it notes at its end what they took."""
    ready, noted = scratch / "ready", scratch / "noted"
    ready.unlink(missing_ok=True)
    command = [sys.executable, "-m", "bench.generator.delayed", str(ready), str(noted), str(seed)]
    with process.serve(command, SERVER_CPU, scratch, process.from_ready_file(ready)) as server:
        yield server, noted


def _beat(address: str) -> Target:
    """What the delayed server is asked and answers."""
    request, answer = cluster.beat(None).SerializeToString(), delayed.ANSWER.SerializeToString()
    target = Target(address, cluster.PATHS["heartbeat"], headers=h2load.GRPC_HEADERS)
    return replace(target, body=h2load.frame(request), answer_bytes=len(h2load.frame(answer)))
