"""What a benchmark of the gate is: small enough that all of them fit into a process of a second."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

if TYPE_CHECKING:
    from collections.abc import Callable

CASES: Final = Path(__file__).parent / "cases"


def _no_counts() -> dict[str, float]:
    return {}


def _nothing() -> None:
    """Nothing is left to close."""


@dataclass(frozen=True, slots=True)
class Case:
    """One benchmark, set up.

    Attributes:
        calls: In a batch; a batch takes about a millisecond.
        begin: Makes the input of the next batch; not measured.
        work: Runs one batch; raises AssertionError on a wrong answer.
        counts: Exact figures per call, such as bytes on the wire.
        close: Cleans up.
        threaded: Threads take turns at will, so nothing about memory or instructions is exact.
    """

    calls: int
    begin: Callable[[], Any]
    work: Callable[[Any], object]
    counts: Callable[[], dict[str, float]] = _no_counts
    close: Callable[[], None] = _nothing
    threaded: bool = False


def names() -> list[str]:
    """Every benchmark of this checkout: one module each."""
    return sorted(path.stem for path in CASES.glob("[!_]*.py"))


def prepare(name: str) -> Case:
    """Sets up a benchmark over whatever `laura_fast` is first on the path.

    Raises:
        Exception: That code lacks what the benchmark needs.
    """
    return cast("Case", importlib.import_module(f"bench.compare.cases.{name}").prepare())
