"""The sequential procedure: looks, and the second trial of whoever was found slower.

Where rounds come from is not its business: from processes (`rounds`) or from a recording (`quality.resample`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

import numpy as np

from bench.compare.verdicts import LOOKS, Times, Verdict, judge

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bench.compare.verdicts import Judged

    Figures = Mapping[str, tuple[float, float, float]]
    """One round: by benchmark, ns per call as in `Times`: base, head, control."""


class Source(Protocol):
    """Where rounds come from."""

    def take(self, names: Sequence[str], rounds: int) -> Sequence[Figures]:
        """The next rounds of these benchmarks."""

    def reseed(self) -> None:
        """A second trial begins: from now on rounds are drawn with new seeds."""

    def time_for(self, taken: int, rounds: int) -> bool:
        """After `taken` rounds of the trial, whether the time allows as many as `rounds`."""


@dataclass(frozen=True, slots=True)
class Result:
    """What the procedure came to.

    Attributes:
        judged: By benchmark, the final verdict.
        times: Of the first trial.
        again: The second trial of the benchmarks that the first found slower.
    """

    judged: dict[str, Judged]
    times: dict[str, Times]
    again: dict[str, Judged]


def run(source: Source, names: Sequence[str]) -> Result:
    """Takes rounds until every benchmark is decided or the last look is over; tries what is slower once more."""
    judged, times = _trial(source, names)
    suspects = [name for name, found in judged.items() if found.verdict is Verdict.SLOWER]
    again: dict[str, Judged] = {}
    if suspects:
        source.reseed()
        again, _ = _trial(source, suspects)
    for name, found in again.items():
        if found.verdict is not Verdict.SLOWER:
            judged[name] = replace(judged[name], verdict=Verdict.INCONCLUSIVE)
    return Result(judged, times, again)


def _trial(source: Source, names: Sequence[str]) -> tuple[dict[str, Judged], dict[str, Times]]:
    taken: list[Figures] = []
    judged: dict[str, Judged] = {}
    times: dict[str, Times] = {}
    for look in LOOKS:
        if taken and not source.time_for(len(taken), look.rounds):
            break
        taken += source.take(names, look.rounds - len(taken))
        times = {name: _times(taken, name) for name in names}
        judged = judge(times, look)
        if all(found.verdict is not Verdict.INCONCLUSIVE for found in judged.values()):
            break
    return judged, times


def _times(taken: Sequence[Figures], name: str) -> Times:
    base, head, control = np.array([figures[name] for figures in taken]).T
    return Times(base, head, control)
