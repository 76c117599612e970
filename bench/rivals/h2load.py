"""Drives h2load, and distrusts it: it counts a gRPC error as a success, so the bytes of the answers are added up."""

from __future__ import annotations

import re
import resource
import subprocess
from typing import TYPE_CHECKING, Final

import numpy as np

from bench.rivals.load import Load, LoadResult, Target, WrongAnswersError, percentiles

if TYPE_CHECKING:
    from pathlib import Path

GRPC_HEADERS: Final = ("content-type: application/grpc", "te: trailers")
TIMEOUT_S: Final = 120
REQUESTS: Final = re.compile(r"^requests: (\d+) total, .* (\d+) succeeded,", re.MULTILINE)
DATA: Final = re.compile(r"^traffic: .*\((\d+)\) data$", re.MULTILINE)


def frame(message: bytes) -> bytes:
    """A gRPC message as it stands in the body: not compressed, length in four bytes, the message."""
    return b"\0" + len(message).to_bytes(4, "big") + message


def run(target: Target, load: Load) -> LoadResult:
    """Sends `load.requests` requests and checks every answer's weight.

    Raises:
        WrongAnswersError: A request failed, or the answers' bytes don't add up.
        subprocess.TimeoutExpired: The server stopped answering.
    """
    body, log = load.scratch / "body", load.scratch / "requests.tsv"
    body.write_bytes(target.body)
    log.unlink(missing_ok=True)  # h2load appends
    before = _children_cpu_seconds()
    done = subprocess.run(
        command(target, load, body, log), capture_output=True, text=True, check=False, timeout=TIMEOUT_S
    )
    spent = _children_cpu_seconds() - before
    check(done.stdout + done.stderr, load.requests, target.answer_bytes)
    starts, times_us = read_log(log)
    seconds = float((starts + times_us).max() - starts.min()) / 1e6
    return LoadResult(load.requests, seconds, percentiles(times_us), spent)


def command(target: Target, load: Load, body: Path, log: Path) -> list[str]:
    """The command line of one run."""
    sizes = [f"--requests={load.requests}", f"--clients={load.connections}", f"--max-concurrent-streams={load.streams}"]
    pace = [f"--rps={load.rps / load.connections}"] if load.rps else []
    headers = [f"--header={header}" for header in target.headers]
    url = f"{'https' if target.authority else 'http'}://{target.address}{target.path}"
    pinned = ["taskset", "--cpu-list", str(load.core), "h2load"]
    return [*pinned, *sizes, *pace, *headers, f"--data={body}", f"--log-file={log}", url]


def check(output: str, requests: int, answer_bytes: int) -> None:
    """Holds what h2load printed against what right answers must have added up to.

    Raises:
        WrongAnswersError: It doesn't fit, or h2load didn't finish.
    """
    counts, data = REQUESTS.search(output), DATA.search(output)
    if counts is None or data is None:
        raise WrongAnswersError(f"h2load didn't finish:\n{output[-2000:]}")
    if int(counts[2]) != requests:
        raise WrongAnswersError(f"{counts[2]} of {requests} requests succeeded")
    if int(data[1]) != requests * answer_bytes:
        raise WrongAnswersError(f"{data[1]} answer bytes for {requests} requests, expected {answer_bytes} each")


def read_log(
    path: Path,
) -> tuple[np.ndarray[tuple[int], np.dtype[np.int64]], np.ndarray[tuple[int], np.dtype[np.int64]]]:
    """Start (µs since the epoch) and duration (µs) of each request, from h2load's own log."""
    table = np.loadtxt(path, dtype=np.int64, delimiter="\t", ndmin=2)
    return table[:, 0], table[:, 2]


def version() -> str:
    """h2load's name and version."""
    return subprocess.run(["h2load", "--version"], capture_output=True, text=True, check=True).stdout.strip()


def _children_cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
