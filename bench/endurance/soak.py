"""Mixed load from several processes, one of which is killed with SIGKILL every few seconds, for as long as asked."""

from __future__ import annotations

import random
import subprocess
import sys
import time
import urllib.request
from typing import TYPE_CHECKING

from prometheus_client.parser import text_string_to_metric_families

from bench.endurance.trials import Probe, Trial
from bench.processes import CLIENT_CPUS, ROOT, pinned

if TYPE_CHECKING:
    from bench.processes import Process

CLIENTS = 4
KILL_EVERY_S = 3.0
SERVER_FAULTS = {"Internal", "Unknown", "DataLoss", "Unavailable"}


def soak(server: Process, metrics: str, minutes: float, seed: int) -> Trial:
    """Loads `server` for `minutes`, samples it every ten seconds, and counts what went wrong.

    Raises:
        AssertionError: A client ended by itself, the server logged an error, or it answered a fault of its own.
    """
    trial = Trial("soak", 0)
    probe = Probe(server)
    dice = random.Random(seed)
    started = time.monotonic()
    clients = [_spawn(server.address, seed + number) for number in range(CLIENTS)]
    try:
        while time.monotonic() - started < minutes * 60:
            time.sleep(KILL_EVERY_S)
            _kill_one(clients, dice, server.address, seed + CLIENTS + trial.count)
            trial.count += 1
            if trial.count % 3 == 1:
                probe.sample(trial)
    finally:
        for client in clients:
            client.kill()
            client.wait()
    trial.seconds = time.monotonic() - started
    trial.facts = {"kills": trial.count, "calls": _calls(metrics), "log": server.log.read_text().splitlines()[:50]}
    assert not any('"error"' in line or "Traceback" in line for line in trial.facts["log"]), trial.facts["log"]
    assert not SERVER_FAULTS & trial.facts["calls"].keys(), trial.facts["calls"]
    return trial


def _spawn(address: str, seed: int) -> subprocess.Popen[bytes]:
    with pinned(CLIENT_CPUS):
        return subprocess.Popen([sys.executable, "-m", "bench.endurance.client", address, str(seed)], cwd=ROOT)


def _kill_one(clients: list[subprocess.Popen[bytes]], dice: random.Random, address: str, seed: int) -> None:
    for client in clients:
        assert client.poll() is None, f"client {client.pid} ended by itself with {client.returncode}"
    victim = dice.randrange(len(clients))
    clients[victim].kill()
    clients[victim].wait()
    clients[victim] = _spawn(address, seed)


def _calls(metrics: str) -> dict[str, int]:
    """Finished calls by status code, from the server's own counters."""
    counts: dict[str, int] = {}
    with urllib.request.urlopen(f"http://{metrics}/metrics") as answer:
        text = answer.read().decode()
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            if sample.name == "grpc_server_handled_total" and sample.value:
                code = sample.labels["grpc_code"]
                counts[code] = counts.get(code, 0) + int(sample.value)
    return counts
