"""Gate runs made of recorded rounds: a thousand of them in the time of one."""

from __future__ import annotations

import random
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from typing import TYPE_CHECKING, Final

from bench.compare import gate
from bench.compare.quality.plant import BENCHMARK
from bench.compare.rounds import REPEATS_SHARE
from bench.compare.verdicts import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from bench.compare.gate import Figures
    from bench.compare.rounds import Round

BLOCK: Final = 5
"""Neighbouring rounds are drawn together: the machine's moods last longer than a round, and a run meets them whole."""
LEAST_CLEAN: Final = 1 / (1 + REPEATS_SHARE)
"""Share of clean rounds from which on the gate can repeat all the others."""


@dataclass(frozen=True, slots=True)
class Share:
    """Of the runs against one variant.

    Attributes:
        runs: How many.
        found: In which the slowed-down benchmark was SLOWER.
        alarms: In which another one was.
        undecided: In which some benchmark was INCONCLUSIVE.
        rounds: On average, of the first trial.
    """

    runs: int
    found: int
    alarms: int
    undecided: int
    rounds: float


class Recorded:
    """The gate's source of rounds: draws blocks of recorded ones."""

    def __init__(self, recorded: Sequence[Figures], rng: random.Random) -> None:
        self._recorded = recorded
        self._rng = rng

    def take(self, names: Sequence[str], rounds: int) -> list[Figures]:
        """Drawn with replacement, in blocks."""
        taken: list[Figures] = []
        while len(taken) < rounds:
            first = self._rng.randrange(len(self._recorded))
            taken += [self._recorded[(first + step) % len(self._recorded)] for step in range(BLOCK)]
        return [{name: figures[name] for name in names} for figures in taken[:rounds]]

    def reseed(self) -> None:
        """Every draw is new."""

    def time_for(self, _taken: int, _rounds: int) -> bool:
        """Always."""
        return True


def usable(rounds: Sequence[Round]) -> list[Figures]:
    """The clean ones, as the gate repeats the others; all, where the gate would have had to take them as well."""
    clean: list[Figures] = [one.figures for one in rounds if not one.dirty]
    return clean if len(clean) >= LEAST_CLEAN * len(rounds) else [one.figures for one in rounds]


def share(rounds: Sequence[Round], runs: int, seed: int) -> Share:
    """Runs the gate so many times on rounds drawn from these."""
    recorded = usable(rounds)
    names = list(recorded[0])
    rng = random.Random(seed)
    results = [gate.run(Recorded(recorded, rng), names) for _ in range(runs)]
    verdicts = [{name: judged.verdict for name, judged in result.judged.items()} for result in results]
    used = sum(max(judged.rounds for judged in result.judged.values()) for result in results)
    return tally(verdicts, used / runs)


def shares(rounds: Mapping[int, Sequence[Round]], runs: int, seed: int) -> dict[int, Share]:
    """As `share` for every variant, on all cores: a thousand runs take minutes."""
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:  # a fork would copy the threads of numpy
        found = pool.map(partial(share, runs=runs, seed=seed), rounds.values())
        return dict(zip(rounds, found, strict=True))


def tally(verdicts: Iterable[Mapping[str, str]], rounds: float) -> Share:
    """Counts what runs came to."""
    runs = list(verdicts)
    others = [[verdict for name, verdict in run.items() if name != BENCHMARK] for run in runs]
    return Share(
        runs=len(runs),
        found=sum(run[BENCHMARK] == Verdict.SLOWER for run in runs),
        alarms=sum(Verdict.SLOWER in run for run in others),
        undecided=sum(Verdict.INCONCLUSIVE in run.values() for run in runs),
        rounds=rounds,
    )
