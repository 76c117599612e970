"""The questions put to the generator. Each answer is a row of the record."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import replace
from statistics import median
from typing import TYPE_CHECKING, Any

import grpc
import msgspec
import orjson
from hdrh.histogram import HdrHistogram

from bench.processes import CLIENT_CPUS, NEVER_DOWN, ROOT, SERVER_CPU, pinned, serve
from bench.rivals import cluster, h2load, process, registrar
from bench.rivals.load import Load, Target
from laura_fast.load.measuring import QUANTILES, Histogram
from laura_fast.load.report import LoadReport
from laura_fast.pb.lauradb.cluster import cluster_pb2 as pb
from laura_fast.pb.lauradb.cluster import cluster_pb2_grpc as rpc

if TYPE_CHECKING:
    from collections.abc import Sequence
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


def beside_h2load(rate: int, seconds: float, rounds: int, scratch: Path) -> list[Row]:
    """The same beat at the same rate from both generators, in turn: medians of the rounds' percentiles.

    h2load counts from the real sending, we from the intended time: where neither is late, both say the same. One
    connection, because h2load's connections keep time apart and in step: ten of them send ten calls at once.
    """
    connections = 1
    ours: list[LoadReport] = []
    theirs: list[Latency] = []
    with serve("native", *NEVER_DOWN) as server:
        _register(server.address)
        load = Load(round(rate * seconds), connections, 100, min(CLIENT_CPUS), scratch, rps=rate)
        for _ in range(rounds):
            flags = ("--rps", str(rate), "--connections", str(connections), "--nodes", "1", *_duration(seconds))
            ours.append(generate(server.address, *flags))
            theirs.append(h2load.run(_beat(server.address), load).latency)
    rows = []
    for name in ("p50", "p90", "p99"):
        own = median(getattr(run.latency, f"{name}_ms") for run in ours) * 1000
        other = median(getattr(latency, f"{name}_us") for latency in theirs)
        trial = f"{name} beside h2load at {rate:,}"
        rows.append({"trial": trial, "ours_us": own, "theirs_us": other, "ratio": own / other})
    return rows


def beside_the_truth(rate: int, seconds: float, seed: int, scratch: Path) -> list[Row]:
    """A server that notes how long its answers took: its own HDR histogram against our percentiles."""
    ready, noted = scratch / "ready", scratch / "noted"
    command = [sys.executable, "-m", "bench.generator.delayed", str(ready), str(noted), str(seed)]
    with process.serve(command, SERVER_CPU, scratch, process.from_ready_file(ready)) as server:
        run = generate(server.address, "--rps", str(rate), "--warmup", "0ms", *_duration(seconds))
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


def _register(address: str) -> None:
    """The node whose beats h2load repeats."""
    with closing(grpc.insecure_channel(address)) as channel:
        request = pb.NodeRegistrationRequest(node=registrar.node(0), omit_members=True)
        assert rpc.ClusterServiceStub(channel).RegisterNode(request, timeout=TIMEOUT_S).success


def _beat(address: str) -> Target:
    """Its beat, which knows the version of now: the runs before have changed it."""
    target = Target(address, cluster.PATHS["heartbeat"], headers=h2load.GRPC_HEADERS)
    body, answer = cluster.probe(target, "changed")
    return replace(target, body=h2load.frame(body), answer_bytes=len(h2load.frame(answer)))
