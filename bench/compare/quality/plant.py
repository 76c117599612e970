"""Slowdowns of a known size in the heartbeat's path: an empty loop, calibrated, before each run of unary calls.

Before each call it would be too coarse: beginning a loop takes five percent of a heartbeat. It runs over a constant
whose items are all one small int: a range makes new ints from 257 on, so that its turns don't all take the same time.
"""

from __future__ import annotations

import random
import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from bench.compare.errors import MeasureError
from bench.compare.slices import interleaved
from bench.processes import SERVER_CPU, pinned

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bench.compare.trees import Tree

FILE: Final = "src/laura_fast/transport/native/runs.py"
ENTRY: Final = "    for done, (stream_id, raw) in enumerate(run):  # noqa: B007  # how many, where it is left early\n"
BENCHMARK: Final = "heartbeat"
TURNS: Final = (200, 1_000)
"""Of the two loops from which a turn's cost is worked out; both are short, as what is planted later is."""
ROUNDS: Final = 60


def plant(root: Path, turns: int) -> None:
    """Adds the loop to a copy of the code.

    Raises:
        MeasureError: The code has no such entry any more.
    """
    path = root / FILE
    before, found, after = path.read_text(encoding="utf-8").partition(ENTRY)
    if not found:
        raise MeasureError(f"{FILE} has no longer the line where slowdowns are planted")
    constant = b"." * turns
    loop = f"    for _ in {constant!r}:\n        pass\n"
    path.write_text(f"{before}{loop}{found}{after}", encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Loop:
    """What planted loops cost, in ns of CPU time.

    Attributes:
        call: A heartbeat without one.
        entry: What of a loop without turns falls on each.
        turn: The same of each turn.
    """

    call: float
    entry: float
    turn: float

    def turns(self, percent: float) -> int:
        """How many make a heartbeat slower by so much."""
        return max(0, round((self.call * percent / 100 - self.entry) / self.turn))


def calibrate(base: Tree, copy: Callable[[str], Tree], seed: int) -> Loop:
    """Measures what loops of two lengths cost.

    Args:
        base: The code without a loop.
        copy: Makes another copy of it, by name.
        seed: Of the order.

    Raises:
        MeasureError: A process failed.
    """
    trees = {"0": base}
    for turns in TURNS:
        trees[f"{turns}"] = copy(f"t{turns:04d}")
        plant(trees[f"{turns}"].root, turns)
    rng = random.Random(seed)
    with pinned(frozenset({SERVER_CPU})):
        rounds = [times for _ in range(ROUNDS) for _, times in interleaved(trees, [BENCHMARK], rng)]
    call = statistics.median(times["0"] for times in rounds)
    short, long = (
        call * (statistics.median(times[f"{turns}"] / times["0"] for times in rounds) - 1) for turns in TURNS
    )
    turn = (long - short) / (TURNS[1] - TURNS[0])
    return Loop(call, short - turn * TURNS[0], turn)
