"""Every load scenario runs against a real server without an error, alone and with workers, and judges what it saw."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.e2e.processes import ServerProcess

ROOT = Path(__file__).parents[2]
DEADLINE_S = 60
BRIEF = ("--headless", "--users", "12", "--spawn-rate", "12", "--run-time", "5s", "--only-summary")
LIVELY = ("--beat-interval", "0.2", "--death-rate", "0.05", "--down-time", "0.5")
SCENARIOS = {
    "heartbeat": {"ClusterService/RegisterNode", "ClusterService/Heartbeat", "ClusterService/DeregisterNode"},
    "registration": {"ClusterService/RegisterNode", "ClusterService/DeregisterNode"},
    "topology": {"ClusterService/GetTopology", "MembershipService/WatchTopology"},
    "mixed": {"ClusterService/Heartbeat", "ClusterService/GetTopology", "MembershipService/WatchTopology"},
}


class Locust:
    """Locust processes on one scenario; those still running at the end are killed."""

    def __init__(self, address: str, directory: Path) -> None:
        self.address = address
        self.written = directory / "latency.json"
        self.started: list[subprocess.Popen[str]] = []

    def start(self, scenario: str, *arguments: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "locust", "-f", f"loadtests/{scenario}.py", "--host", self.address]
        environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
        process = subprocess.Popen(
            [*command, *arguments],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.started.append(process)
        return process

    def run(self, scenario: str, *arguments: str) -> tuple[int, str]:
        """Exit code and output of a brief run."""
        process = self.start(scenario, *BRIEF, *LIVELY, "--latency-json", str(self.written), *arguments)
        output, _ = process.communicate(timeout=DEADLINE_S)
        return process.returncode, output

    @property
    def record(self) -> dict[str, Any]:
        record: dict[str, Any] = json.loads(self.written.read_text())
        return record


@pytest.fixture
def locust(serve: Callable[..., ServerProcess], tmp_path: Path) -> Iterator[Locust]:
    locust = Locust(serve().address, tmp_path)
    yield locust
    for process in locust.started:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_scenario_runs_without_an_error(locust: Locust, scenario: str) -> None:
    code, output = locust.run(scenario)
    assert code == 0, output
    assert locust.record["failures"] == 0
    assert set(locust.record["latencies"]) >= SCENARIOS[scenario]


def test_broken_limit_is_the_exit_code(locust: Locust) -> None:
    code, output = locust.run("heartbeat", "--limit-p99", "0.001", "--shape", "step")
    assert code == 1, output
    assert "p99 is" in output
    assert locust.record["shape"] == "step"


def test_server_that_is_not_there_fails_the_run(locust: Locust) -> None:
    locust.address = "127.0.0.1:1"
    code, output = locust.run("heartbeat")
    assert code == 1, output
    assert "UNAVAILABLE" in output


def test_workers_send_their_histograms_to_the_master(locust: Locust) -> None:
    port = ("--master-bind-port", "25557")
    workers = [locust.start("heartbeat", "--worker", "--master-port", "25557") for _ in range(2)]
    code, output = locust.run("heartbeat", "--master", "--expect-workers", "2", *port)
    assert code == 0, output
    assert locust.record["latencies"]["ClusterService/Heartbeat"]["count"] > 12
    assert [worker.wait(DEADLINE_S) for worker in workers] == [0, 0]


def test_forking_workers_is_refused(locust: Locust) -> None:
    code, output = locust.run("heartbeat", "--processes", "2")
    assert code == 1
    assert "--worker" in output
