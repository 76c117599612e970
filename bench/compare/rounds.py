"""A round: three fresh processes on one core, in random order, and the machine's speed between them.

The older code runs twice. One of the two, drawn with the order, is compared with the newer code, the other is the
control that shows what the same code makes of this machine now.
"""

from __future__ import annotations

import json
import random
import subprocess
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from bench.compare.errors import MeasureError
from bench.processes import SERVER_CPU, pinned

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from bench.compare.gate import Figures
    from bench.compare.trees import Tree

CASE_SECONDS: Final = 0.1
"""Of each benchmark in each process: some hundred batches, whose median strangers hardly move."""
PROCESS_DEADLINE_S: Final = 300.0
"""Under callgrind on a machine with five times more to do than cores, it is a minute or two."""
SPIN_TURNS: Final = 200_000
"""Of an empty loop: about 3 ms."""
SPINS: Final = 5
DIRTY_SPREAD: Final = 0.15
"""Fastest to slowest spin of one round. Between two rounds the machine may change; a ratio doesn't see that."""
REPEATS_SHARE: Final = 0.3
"""Dirty rounds are repeated, at most so many of those asked for; after that they count, and widen the intervals."""
TRIAL_S: Final = 110.0
"""A look that would make a trial longer is left out, so that a commit never waits five minutes for its verdict."""


@dataclass(frozen=True, slots=True)
class Round:
    """One round as it was measured.

    Attributes:
        figures: By benchmark: base, head, control in ns per call.
        spins_ns: The machine's speed before, between and after the processes.
        order: In which the processes ran.
        hash_seed: Of all three.
    """

    figures: dict[str, tuple[float, float, float]]
    spins_ns: list[float]
    order: list[str]
    hash_seed: int

    @property
    def dirty(self) -> bool:
        """The machine changed its speed meanwhile."""
        return max(self.spins_ns) > min(self.spins_ns) * (1 + DIRTY_SPREAD)


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


def measure(base: Tree, head: Tree, names: Sequence[str], rng: random.Random, seconds: float = CASE_SECONDS) -> Round:
    """One round.

    Raises:
        MeasureError: A process failed, or a benchmark that both sides have could not be set up.
    """
    sides = {"base": base, "head": head, "control": base}
    order, names, hash_seed = rng.sample(list(sides), 3), rng.sample(list(names), len(names)), rng.getrandbits(32)
    answers: dict[str, dict[str, Any]] = {}
    with pinned(frozenset({SERVER_CPU})):
        spins = [spin_ns()]
        for side in order:
            answers[side] = work(sides[side], str(seconds), names, hash_seed)
            spins.append(spin_ns())
    figures = {
        name: (_ns(answers["base"], name), _ns(answers["head"], name), _ns(answers["control"], name)) for name in names
    }
    return Round(figures, spins, order, hash_seed)


def _ns(answer: Mapping[str, Any], name: str) -> float:
    if "ns" not in answer[name]:
        raise MeasureError(f"{name}: {answer[name].get('absent')}")
    return float(answer[name]["ns"])


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
