"""Figures that don't depend on the machine's mood: bytes on the wire, syncs, memory, instructions.

One process per side counts; the first look at both sides also tells which benchmarks they have in common.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from bench.compare import callgrind
from bench.compare.errors import MeasureError
from bench.compare.rounds import work
from bench.compare.verdicts import Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from bench.compare.trees import Tree

    Figures = Mapping[str, Mapping[str, float]]
    """By benchmark and name of the count, per call."""

TOLERANCE: Final = {"peak bytes": 0.02, "instructions": 0.02}
"""Ratio minus 1 that passes; every other count must not grow at all. Sizes of objects differ a little between builds,
and a handful of instructions is no regression."""


@dataclass(frozen=True, slots=True)
class Counted:
    """One count on both sides, per call."""

    base: float
    head: float
    tolerance: float

    @property
    def verdict(self) -> Verdict:
        """More is SLOWER, whatever is counted."""
        if self.head > self.base * (1 + self.tolerance):
            return Verdict.SLOWER
        if self.head < self.base * (1 - self.tolerance):
            return Verdict.FASTER
        return Verdict.SAME


@dataclass(frozen=True, slots=True)
class Survey:
    """What both sides have, and what of it can be counted.

    Attributes:
        counted: By benchmark and name.
        new: Benchmarks that the older code can't run, with the reason.
        skipped: Kinds of counts that this machine doesn't allow, with the reason.
    """

    counted: dict[str, dict[str, Counted]]
    new: dict[str, str]
    skipped: dict[str, str]

    @property
    def common(self) -> list[str]:
        """Benchmarks of both sides."""
        return list(self.counted)


def survey(base: Tree, head: Tree, names: Sequence[str]) -> Survey:
    """Counts on both sides at once, a core each: time doesn't matter here.

    Raises:
        MeasureError: A process failed, or this checkout lacks what one of its own benchmarks needs.
    """
    older, newer = _both(lambda tree: work(tree, "counts", names, 0), base, head)
    for name, answer in newer.items():
        if "absent" in answer:
            raise MeasureError(f"{name} can't be set up in this checkout: {answer['absent']}")
    new = {name: str(answer["absent"]) for name, answer in older.items() if "absent" in answer}
    common = [name for name in names if name not in new]
    counted = compare(
        {name: older[name]["counts"] for name in common}, {name: newer[name]["counts"] for name in common}
    )
    reason = callgrind.missing()
    if not reason and common:
        for name, found in _instructions(base, head, common).items():
            counted[name]["instructions"] = found
    return Survey(counted, new, {"instructions": reason} if reason else {})


def compare(older: Figures, newer: Figures) -> dict[str, dict[str, Counted]]:
    """Both sides' counts beside each other; one that only one side has can't be compared."""
    return {
        name: {
            kind: Counted(older[name][kind], figure, TOLERANCE.get(kind, 0.0))
            for kind, figure in figures.items()
            if kind in older[name]
        }
        for name, figures in newer.items()
    }


def _instructions(base: Tree, head: Tree, names: Sequence[str]) -> dict[str, Counted]:
    older, newer = _both(lambda tree: callgrind.instructions(tree, names), base, head)
    return {name: Counted(older[name], newer[name], TOLERANCE["instructions"]) for name in newer if name in older}


def _both(count: Callable[[Tree], dict[str, Any]], base: Tree, head: Tree) -> tuple[dict[str, Any], dict[str, Any]]:
    with ThreadPoolExecutor(2) as pool:
        older, newer = pool.map(count, (base, head))
    return older, newer
