"""A round: three fresh processes that take turns on one core, and the machine's speed meanwhile.

The older code runs twice. One of the two is compared with the newer code, the other is the control that shows what the
same code makes of this machine now.
"""

from __future__ import annotations

import json
import random
import subprocess
import time
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

from bench.compare.errors import MeasureError
from bench.compare.slices import interleaved
from bench.processes import SERVER_CPU, pinned

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from bench.compare.gate import Figures
    from bench.compare.trees import Tree

PROCESS_DEADLINE_S: Final = 300.0
"""Under callgrind on a machine with five times more to do than cores, it is a minute or two."""
SPIN_TURNS: Final = 200_000
"""Of an empty loop: about 3 ms."""
SPINS: Final = 5
DIRTY_SPREAD: Final = 0.15
"""From the spin before a benchmark to the one behind it. What changes between two benchmarks, no ratio sees."""
REPEATS_SHARE: Final = 0.3
"""Dirty rounds are repeated, at most so many of those asked for; after that they count, and widen the intervals."""
TRIAL_S: Final = 110.0
"""A look that would make a trial longer is left out, so that a commit never waits five minutes for its verdict."""


@dataclass(frozen=True, slots=True)
class Round:
    """One round as it was measured.

    Attributes:
        figures: By benchmark: base, head, control in ns per call.
        spins_ns: The machine's speed before, between and after the benchmarks.
    """

    figures: dict[str, tuple[float, float, float]]
    spins_ns: list[float]

    @property
    def dirty(self) -> bool:
        """The machine changed its speed in the middle of a benchmark."""
        steps = pairwise(self.spins_ns)
        return any(max(step) > min(step) * (1 + DIRTY_SPREAD) for step in steps)


def spin_ns() -> float:
    """CPU time that a fixed piece of work takes here and now: the median of a few spins.

    Like the benchmarks' own times it leaves out what strangers do on the core, but not what they do to its speed.
    """
    taken: list[int] = []
    for _ in range(SPINS):
        started = time.process_time_ns()
        for _ in range(SPIN_TURNS):
            pass
        taken.append(time.process_time_ns() - started)
    return float(sorted(taken)[SPINS // 2])


def work(tree: Tree, mode: str, names: Sequence[str], hash_seed: int, prefix: Sequence[str] = ()) -> dict[str, Any]:
    """Runs a worker over the tree's code and returns what it answers, see `worker`.

    Args:
        tree: Whose code.
        mode: The worker's.
        names: Benchmarks, in this order.
        hash_seed: Of the process.
        prefix: What the interpreter is run under.

    Raises:
        MeasureError: It failed.
    """
    command = [*prefix, tree.python, "-P", "-m", "bench.compare.worker", mode, *names]
    try:
        done = subprocess.run(
            command,
            cwd=tree.root,
            env=tree.environment(hash_seed),
            capture_output=True,
            check=True,
            timeout=PROCESS_DEADLINE_S,
        )
    except subprocess.CalledProcessError as error:
        raise MeasureError(f"a measured process failed:\n{error.stderr.decode()[-2000:]}") from error
    except subprocess.TimeoutExpired as error:
        raise MeasureError(f"a measured process was not through after {PROCESS_DEADLINE_S:.0f} s") from error
    return dict(json.loads(done.stdout))


def measure(base: Tree, head: Tree, names: Sequence[str], rng: random.Random) -> Round:
    """One round. Raises as `measure_all`."""
    return measure_all(base, {"head": head}, names, rng)["head"]


def measure_all(base: Tree, heads: Mapping[str, Tree], names: Sequence[str], rng: random.Random) -> dict[str, Round]:
    """A round of each head, all of them in the same turns, beside the same base and control.

    Raises:
        MeasureError: A process failed, or a benchmark that both sides have could not be set up.
    """
    found: dict[str, dict[str, float]] = {}
    with pinned(frozenset({SERVER_CPU})):
        spins = [spin_ns()]
        for name, times in interleaved({"base": base, "control": base, **heads}, names, rng):
            found[name] = times
            spins.append(spin_ns())
    return {
        head: Round({name: (times["base"], times[head], times["control"]) for name, times in found.items()}, spins)
        for head in heads
    }


@dataclass
class Processes:
    """The gate's source of rounds: measures them.

    Attributes:
        rounds: All that were measured, the dirty ones that were repeated too.
        tell: Gets a line per round.
    """

    base: Tree
    head: Tree
    seed: int
    tell: Callable[[str], None] = lambda _line: None
    rounds: list[Round] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._rng = random.Random(self.seed)
        self._began = time.monotonic()

    def reseed(self) -> None:
        """The second trial draws its own orders and hash seeds."""
        self._rng = random.Random(f"{self.seed} again")
        self._began = time.monotonic()

    def time_for(self, taken: int, rounds: int) -> bool:
        """At the speed so far."""
        return (time.monotonic() - self._began) * rounds <= TRIAL_S * taken

    def take(self, names: Sequence[str], rounds: int) -> list[Figures]:
        """So many rounds, clean ones as long as repeating is allowed."""
        taken: list[Figures] = []
        repeats = int(rounds * REPEATS_SHARE)
        while len(taken) < rounds:
            found = measure(self.base, self.head, names, self._rng)
            self.rounds.append(found)
            again = found.dirty and repeats > 0
            repeats -= again
            if not again:
                taken.append(found.figures)
            self.tell(f"{len(taken)} of {rounds} rounds{', one to be repeated' if again else ''}")
        return taken
