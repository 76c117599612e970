"""Drives the Go client."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Final

import msgspec

from bench.rivals.build import go_program
from bench.rivals.load import Load, LoadResult, Target, WrongAnswersError, percentiles
from bench.rivals.pyload import TIMEOUT_S
from bench.transport.clients.message import message_options

SOURCE: Final = Path(__file__).with_name("go") / "main.go"


class Report(msgspec.Struct):
    """What the program prints."""

    seconds: float
    cpu_seconds: float
    times_us: list[int]


def run(target: Target, load: Load) -> LoadResult:
    """Sends `load.requests` unary calls, each with another deadline.

    Raises:
        WrongAnswersError: A call failed, or an answer had another length.
    """
    sizes = [f"--requests={load.requests}", f"--connections={load.connections}", f"--streams={load.streams}"]
    options = [f"--address={target.address}", *sizes, *message_options(target, load)]
    command = ["taskset", "--cpu-list", str(load.core), str(go_program(SOURCE)), *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=TIMEOUT_S)
    if done.returncode:
        raise WrongAnswersError(f"the Go client failed:\n{done.stderr[-2000:]}")
    told = msgspec.json.decode(done.stdout, type=Report)
    return LoadResult(load.requests, told.seconds, percentiles(told.times_us), told.cpu_seconds)
