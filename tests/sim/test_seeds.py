"""Replica sets in simulation: seeds that nobody has seen before, and what makes a seed worth its name."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
from itertools import count
from statistics import median
from typing import TYPE_CHECKING

import pytest

from laura_fast.testing.sim.running import outcomes
from laura_fast.testing.sim.simulation import ENGINES, Simulation

if TYPE_CHECKING:
    from pathlib import Path

CHUNKS = 20
COMMAND = [sys.executable, "-m", "laura_fast.testing.sim"]
SEEDS = 16
"""In each chunk; all chunks together are the 320 fresh seeds of every run of the tests."""


@pytest.mark.parametrize("_chunk", range(CHUNKS))
def test_no_fresh_seed_breaks_a_rule(_chunk: int) -> None:
    first = random.SystemRandom().randrange(1 << 40)
    wrong = [each for each in outcomes(range(first, first + SEEDS)) if each.violation]
    told = [f"python -m laura_fast.testing.sim --seed {each.seed} --trace  # {each.violation}" for each in wrong]
    assert not told


def test_a_seed_has_its_share_of_events_and_faults() -> None:
    seen = list(outcomes(range(40)))
    assert median(each.events for each in seen) >= 500
    assert median(each.faults for each in seen) >= 10
    assert median(each.commits for each in seen) >= 15
    assert all(each.elections for each in seen)


def test_a_seed_takes_the_same_steps_whatever_the_order_of_sets() -> None:
    def told(hash_seed: str) -> str:
        command = [*COMMAND, "--seeds", "100..110"]
        environment = os.environ | {"PYTHONHASHSEED": hash_seed}
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout

    first = told("1")
    assert "fingerprint" in first
    assert first == told("2")


@pytest.mark.parametrize("engine", ENGINES)
def test_keeping_the_events_changes_nothing(engine: str) -> None:
    kept, plain = (Simulation(7, engine, keep=keep).run() for keep in (True, False))
    assert kept.fingerprint == plain.fingerprint
    assert len(kept.lines) == kept.events
    assert not plain.lines


def test_processes_share_the_seeds_and_change_nothing() -> None:
    alone, shared = (list(outcomes(range(60), "lists", jobs=jobs)) for jobs in (1, 2))
    assert alone == shared


def test_no_seed_begins_when_the_time_is_over() -> None:
    assert not list(outcomes(count(), jobs=2, go_on=lambda: False))
    ended = subprocess.run([*COMMAND, "--seed", "1", "--minutes", "-1"], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (1, "Error: no seed was run\n")


@pytest.mark.parametrize("jobs", [1, 2])
def test_an_interrupted_run_tells_what_it_has_seen(tmp_path: Path, jobs: int) -> None:
    out = tmp_path / "raw.json"
    asked = ["--seed", "300", "--minutes", "10", "--jobs", f"{jobs}", "--out", f"{out}"]
    with subprocess.Popen([*COMMAND, *asked], stdout=subprocess.PIPE, text=True, start_new_session=True) as running:
        assert running.stdout
        running.stdout.readline()
        os.killpg(running.pid, signal.SIGINT)  # as a terminal does
        told = running.stdout.read()
    assert running.returncode == 0
    first, last = json.loads(out.read_text())["data"]["seeds"]
    assert (first, told.count("\nseed ")) == (300, last - first - 1)
    assert "fingerprint" in told
