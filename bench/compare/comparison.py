"""A whole comparison: what both sides have, the counts, the times, and what of it fails."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.compare import case, gate
from bench.compare.accepted import reason_for
from bench.compare.counts import survey
from bench.compare.rounds import Processes
from bench.compare.verdicts import Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

    from bench.compare.accepted import Accepted
    from bench.compare.counts import Survey
    from bench.compare.rounds import Round
    from bench.compare.trees import Tree


@dataclass(frozen=True, slots=True)
class Comparison:
    """Everything that was found.

    Attributes:
        base: Hash of the older commit.
        seed: Of orders and hash seeds.
        survey: Counts, and which benchmarks are new.
        gone: Benchmarks that only the base has.
        result: Times and verdicts.
        rounds: Every round as measured.
        accepted: Entries of the accept file.
        seconds: How long it took.
    """

    base: str
    seed: int
    survey: Survey
    gone: list[str]
    result: gate.Result
    rounds: Sequence[Round]
    accepted: Sequence[Accepted]
    seconds: float

    @property
    def slower(self) -> dict[str, float]:
        """Everything that is SLOWER, times and counts, with its ratio."""
        return dict(self._slower())

    @property
    def failures(self) -> list[str]:
        """What is SLOWER and not accepted."""
        return [name for name, ratio in self.slower.items() if not self.acceptance(name, ratio)]

    def acceptance(self, name: str, ratio: float) -> str:
        """Why a slowdown is accepted; empty if it isn't."""
        return reason_for(self.accepted, name, ratio, self.base)

    def _slower(self) -> Iterator[tuple[str, float]]:
        for name, judged in self.result.judged.items():
            if judged.verdict is Verdict.SLOWER:
                yield name, math.exp(judged.estimate)
        for name, counts in self.survey.counted.items():
            for kind, counted in counts.items():
                if counted.verdict is Verdict.SLOWER:
                    yield f"{name}: {kind}", counted.head / counted.base if counted.base else math.inf


@dataclass(frozen=True, slots=True)
class Sides:
    """What is compared."""

    base: Tree
    head: Tree
    base_commit: str
    base_cases: Collection[str]


def compare(
    sides: Sides,
    names: Sequence[str],
    seed: int,
    accepted: Sequence[Accepted],
    *,
    now: Callable[[], float],
    tell: Callable[[str], None],
) -> Comparison:
    """Measures both sides.

    Args:
        sides: Older and newer code.
        names: Benchmarks.
        seed: Of orders and hash seeds.
        accepted: Slowdowns that don't fail.
        now: Seconds of a steady clock.
        tell: Gets a line for each step.

    Raises:
        MeasureError: A measured process failed.
    """
    started = now()
    found = survey(sides.base, sides.head, names)
    tell(f"counted {sum(map(len, found.counted.values()))} figures of {len(found.common)} benchmarks")
    source = Processes(sides.base, sides.head, seed, tell)
    result = gate.run(source, found.common) if found.common else gate.Result({}, {}, {})
    gone = sorted(set(sides.base_cases) - set(case.names()))
    return Comparison(sides.base_commit, seed, found, gone, result, source.rounds, accepted, now() - started)
