"""Many seeds: in several processes, for as long as there is time, and what all of them together have shown."""

from __future__ import annotations

import gc
import multiprocessing
from collections import Counter, deque
from dataclasses import dataclass, field
from itertools import islice
from statistics import median
from typing import TYPE_CHECKING, Any, Final
from zlib import crc32

from laura_fast.storage.crash_points import POINTS
from laura_fast.testing.sim.knobs import KINDS
from laura_fast.testing.sim.simulation import Outcome, run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

DOCUMENTS_EVERY: Final = 10
"""Every tenth seed runs over the storage engine, the others over lists, which take half as long."""
CHUNK: Final = 25
"""Seeds that one process takes at a time; garbage is collected between two chunks."""


def engine_of(seed: int) -> str:
    """What members keep their logs in, where nothing else is asked for."""
    return "documents" if seed % DOCUMENTS_EVERY == 0 else "lists"


def outcomes(
    seeds: Iterable[int], engine: str = "", *, jobs: int = 1, go_on: Callable[[], bool] = lambda: True
) -> Iterator[Outcome]:
    """Runs seeds, in their order.

    Args:
        seeds: Which.
        engine: For all of them; "" = each its own.
        jobs: Processes.
        go_on: Asked before each chunk; those that have not begun when it says no are left out.
    """
    chunks = _chunks(iter(seeds), engine, go_on)
    if jobs == 1:
        for chunk in chunks:
            yield from _run_chunk(chunk)
        return
    with multiprocessing.get_context("fork").Pool(jobs) as pool:
        running = deque(pool.apply_async(_run_chunk, (chunk,)) for chunk in islice(chunks, 2 * jobs))
        while running:
            yield from running.popleft().get()
            running.extend(pool.apply_async(_run_chunk, (chunk,)) for chunk in islice(chunks, 1))


def _chunks(seeds: Iterator[int], engine: str, go_on: Callable[[], bool]) -> Iterator[list[tuple[int, str]]]:
    while go_on() and (chunk := list(islice(seeds, CHUNK))):
        yield [(seed, engine or engine_of(seed)) for seed in chunk]


def _run_chunk(chunk: list[tuple[int, str]]) -> list[Outcome]:
    gc.disable()  # a run is over before its garbage is worth the search
    try:
        return [run(seed, engine) for seed, engine in chunk]
    finally:
        gc.enable()
        gc.collect()


@dataclass
class Tally:
    """What many runs have shown.

    Attributes:
        first: Its first seed.
        last: And its last one.
        seeds: How many, by engine.
        undecided: Histories whose search was given up.
        violations: Outcomes with one.
        counts: See `Journal`, by engine.
        fingerprint: Of all of them, in the order of their seeds.
    """

    first: int = -1
    last: int = -1
    seeds: Counter[str] = field(default_factory=Counter)
    violations: list[Outcome] = field(default_factory=list)
    undecided: int = 0
    counts: dict[str, Counter[str]] = field(default_factory=dict)
    fingerprint: int = 0
    _events: list[int] = field(default_factory=list)
    _faults: list[int] = field(default_factory=list)
    _commits: list[int] = field(default_factory=list)

    def add(self, outcome: Outcome) -> None:
        """Takes the next one."""
        self.first, self.last = outcome.seed if self.first < 0 else self.first, outcome.seed
        self.seeds[outcome.engine] += 1
        self.counts.setdefault(outcome.engine, Counter()).update(outcome.counts)
        self.counts[outcome.engine].update(commits=outcome.commits, elections=outcome.elections)
        self.fingerprint = crc32(f"{outcome.seed} {outcome.fingerprint}".encode(), self.fingerprint)
        self.undecided += outcome.undecided
        self._events.append(outcome.events)
        self._faults.append(outcome.faults)
        self._commits.append(outcome.commits)
        if outcome.violation:
            self.violations.append(outcome)

    def summary(self) -> str:
        """A few lines."""
        ran = " and ".join(f"{number:,} over {engine}" for engine, number in sorted(self.seeds.items()))
        return (
            f"{ran}: {len(self.violations)} violations, {self.undecided} histories undecided\n"
            f"median of a seed: {median(self._events):g} events, {median(self._faults):g} faults, "
            f"{median(self._commits):g} commits\n"
            f"fingerprint {self.fingerprint:08x}"
        )

    def rows(self) -> list[list[str]]:
        """How often each thing happened, by engine."""
        engines = ("lists", "documents")
        names = [f"fault: {kind}" for kind in KINDS] + [f"crash at {point}" for point in POINTS] + list(_COUNTED)
        totals = [
            ["seeds", *(f"{self.seeds[engine]:,}" for engine in engines)],
            ["violations", *(f"{sum(each.engine == engine for each in self.violations)}" for engine in engines)],
        ]
        return totals + [[name, *(f"{self._count(engine, name):,}" for engine in engines)] for name in names]

    def _count(self, engine: str, name: str) -> int:
        return self.counts.get(engine, Counter())[_COUNTED.get(name, name)]

    def told(self) -> dict[str, Any]:
        """Everything that was noted, but for the counts."""
        return {
            "seeds": [self.first, self.last],
            "violations": [[each.seed, each.engine, each.events, each.violation] for each in self.violations],
            "undecided": self.undecided,
            "median events": median(self._events),
            "median faults": median(self._faults),
            "median commits": median(self._commits),
            "fingerprint": f"{self.fingerprint:08x}",
        }


_COUNTED: Final = {
    "messages that arrived": "arrived",
    "messages lost": "lost",
    "messages repeated": "repeated",
    "messages overtaken by a later one": "overtaken",
    "messages more than 0.25 s late": "late",
    "crashes": "crash",
    "restarts": "start",
    "directories lost": "directory lost",
    "initial syncs completed": "whole",
    "elections won": "elections",
    "rollbacks": "undone",
    "configurations on a majority": "reconfigured",
    "entries committed": "commits",
    "requests of clients answered": "answered",
    "requests of unknown outcome": "unknown",
}
"""Other things that happen, by what the journal calls them."""
