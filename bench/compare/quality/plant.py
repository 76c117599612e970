"""Slowdowns of a known size in the heartbeat's path: an empty loop, calibrated, at the entry of every unary call."""

from __future__ import annotations

import random
import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from bench.compare.errors import MeasureError
from bench.compare.rounds import work
from bench.processes import SERVER_CPU, pinned

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from bench.compare.trees import Tree

FILE: Final = "src/laura_fast/transport/native/runs.py"
ENTRY: Final = "    for done, (stream_id, raw) in enumerate(run):  # noqa: B007  # how many, where it is left early\n"
BENCHMARK: Final = "heartbeat"
TURNS: Final = (50, 250)
"""Of the two loops from which a turn's cost is worked out; both are short, as what is planted later is."""
ROUNDS: Final = 9
SECONDS: Final = 0.3


def plant(root: Path, turns: int) -> None:
    """Adds the loop to a copy of the code.

    Raises:
        MeasureError: The code has no such entry any more.
    """
    path = root / FILE
    before, found, after = path.read_text(encoding="utf-8").partition(ENTRY)
    if not found:
        raise MeasureError(f"{FILE} has no longer the line where slowdowns are planted")
    loop = f"        for _ in range({turns}):\n            pass\n"
    path.write_text(f"{before}{found}{loop}{after}", encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Loop:
    """What planted loops cost, in ns of CPU time.

    Attributes:
        call: A heartbeat without one.
        entry: A loop without turns.
        turn: Each turn.
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
    trees = {0: base}
    for turns in TURNS:
        trees[turns] = copy(f"t{turns:03d}")
        plant(trees[turns].root, turns)
    short, long = TURNS
    extra = _extra_ns(trees, random.Random(seed))
    turn = (extra[long] - extra[short]) / (long - short)
    return Loop(extra[0], extra[short] - turn * short, turn)


def _extra_ns(trees: Mapping[int, Tree], rng: random.Random) -> dict[int, float]:
    """By number of turns what they add to a call; at 0 the call itself. Only what is paired by round is compared."""
    taken: dict[int, list[float]] = {turns: [] for turns in trees}
    with pinned(frozenset({SERVER_CPU})):
        for _ in range(ROUNDS):
            hash_seed = rng.getrandbits(32)
            for turns in rng.sample(list(trees), len(trees)):
                answer = work(trees[turns], str(SECONDS), [BENCHMARK], hash_seed)
                taken[turns].append(float(answer[BENCHMARK]["ns"]))
    call = statistics.median(taken[0])
    ratios = {turns: [one / base for one, base in zip(found, taken[0], strict=True)] for turns, found in taken.items()}
    return {turns: call * (statistics.median(found) - 1) if turns else call for turns, found in ratios.items()}
