"""The bench of the transports runs from its command to figures that can be read, so that it does not rot."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from bench.rivals.build import ROOT, missing_go, missing_tools
from laura_fast.report.raw import rivals

if TYPE_CHECKING:
    from pathlib import Path

NO_LOAD = missing_tools("h2load", "taskset") or ("" if (os.cpu_count() or 0) > 1 else "needs two cores")
pytestmark = pytest.mark.skipif(bool(NO_LOAD), reason=NO_LOAD)


def run(out: Path, *options: str) -> rivals.Session:
    """One quick session; a failed run would be its exit code."""
    command = [sys.executable, "-m", "bench.transport", "--quick", "--seconds=0.1", *options, f"--out={out}"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=200)
    assert done.returncode == 0, done.stdout + done.stderr
    return rivals.read(out / "raw.json")


@pytest.mark.timeout(240)  # the Go client may have to be compiled first, on a busy machine
def test_streams_and_tls_are_measured(tmp_path: Path) -> None:
    """Every answer weighed what it should: a generator that counts other bytes fails its run."""
    session = run(tmp_path, "--only=ours-native,ours-native-tls", "--client=h2load,raw")
    ran = {(sample.subject, sample.scenario.call, sample.scenario.in_flight) for sample in session.samples}
    assert ran == {
        ("ours-native", "heartbeat", 1),
        ("ours-native-tls", "heartbeat", 1),
        ("ours-native", "heartbeat_stream", 1),
        ("ours-native", "heartbeat_stream", 16),
    }
    assert all(sample.server_cpu_us_per_call > 0 for sample in session.samples)
    assert session.tool == "bench.transport"


@pytest.mark.timeout(240)
def test_clients_with_deadlines_are_measured(tmp_path: Path) -> None:
    """grpc.aio, and grpc-go where it can be compiled."""
    session = run(tmp_path, "--only=ours-native", "--client=go,grpcio")
    expected = {"grpcio"} if missing_go() else {"grpcio", "go"}
    assert {sample.scenario.client for sample in session.samples} == expected
    assert all(sample.requests >= 4 for sample in session.samples)
