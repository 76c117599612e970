"""Floor: a key with a time to live, set anew at each beat, in Redis."""

from __future__ import annotations

import csv
import re
import resource
import subprocess
from typing import TYPE_CHECKING, Final

from bench.rivals import process
from bench.rivals.build import missing_tools
from bench.rivals.cluster import beat
from bench.rivals.load import LoadResult, Target, WrongAnswersError
from bench.rivals.rival import Rival
from bench.rivals.subjects.debian import package_version
from laura_fast.report.raw.rivals import Latency

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from bench.rivals.load import Load
    from bench.rivals.rival import Launch
    from laura_fast.report.raw.rivals import Scenario

TIMEOUT_S: Final = 120
CALLS: Final = re.compile(r"^cmdstat_set:calls=(\d+),.*failed_calls=(\d+)", re.MULTILINE)


def start(launch: Launch) -> AbstractContextManager[process.Running]:
    """Redis without any persistence."""
    port = process.free_port()
    options = ["--bind", "127.0.0.1", "--port", str(port), "--save", "", "--appendonly", "no"]
    command = ["redis-server", *options, "--dir", str(launch.scratch)]
    return process.serve(command, launch.core, launch.scratch, process.when_listening(port))


def prepare(running: process.Running, scenario: Scenario, launch: Launch) -> Target:  # one key for all
    """The value is as long as a heartbeat."""
    return Target(running.address, body=b"x" * beat(known_version=1).ByteSize())


def drive(target: Target, load: Load) -> LoadResult:
    """Runs redis-benchmark: connections as asked, as many commands in one pipeline as others have streams.

    Raises:
        WrongAnswersError: Redis counted other than the asked number of successful commands.
    """
    port = target.address.rpartition(":")[2]
    cli(port, "CONFIG", "RESETSTAT")
    sizes = ["-n", str(load.requests), "-c", str(load.connections), "-P", str(load.streams)]
    command = ["redis-benchmark", "-h", "127.0.0.1", "-p", port, *sizes, "--csv"]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    output = run(["taskset", "--cpu-list", str(load.core), *command, "SET", "node", target.body.decode(), "EX", "30"])
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    check(cli(port, "INFO", "commandstats"), load)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return read(output, load.requests, spent)


def check(statistics: str, load: Load) -> None:
    """Holds Redis's own count against the asked one; the benchmark may finish the pipelines it has begun.

    Raises:
        WrongAnswersError: Too few, too many or failed commands.
    """
    found = CALLS.search(statistics.replace("\r", ""))
    calls, failed = (int(found[1]), int(found[2])) if found else (0, 0)
    if failed or not load.requests <= calls <= load.requests + load.connections * load.streams:
        raise WrongAnswersError(f"redis ran {calls} of {load.requests} SETs, {failed} failed")


def read(output: str, requests: int, cpu_seconds: float) -> LoadResult:
    """The one row of redis-benchmark's CSV; it tells no 90th percentile."""
    row = next(csv.DictReader(output.splitlines()))
    p50, p95, p99, top = (float(row[f"{name}_latency_ms"]) * 1000 for name in ("p50", "p95", "p99", "max"))
    latency = Latency(p50_us=p50, p95_us=p95, p99_us=p99, max_us=top)
    return LoadResult(requests, requests / float(row["rps"]), latency, cpu_seconds)


def cli(port: str, *words: str) -> str:
    """One command over redis-cli."""
    return run(["redis-cli", "-p", port, *words])


def run(command: list[str]) -> str:
    """Runs one of Redis's tools and returns what it printed."""
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=TIMEOUT_S).stdout


RIVAL = Rival(
    name="redis",
    title="Redis SET with EX",
    missing=lambda: missing_tools("redis-server", "redis-benchmark", "redis-cli"),
    version=lambda: f"redis {package_version('redis-server')}",
    start=start,
    prepare=prepare,
    drive=drive,
    caveat="A floor for an in-memory store in C: another protocol, pipelined; measured by redis-benchmark.",
    calls=frozenset({"heartbeat"}),
    topologies=frozenset({"changed"}),
    open_loop=False,
)
