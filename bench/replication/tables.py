"""Rows of the record: one figure, every subject."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from bench.documents.tables import ratio

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Found = dict[str, Any]

FIGURES: Final[Sequence[tuple[str, Callable[[Found], float]]]] = (
    ("writes a second", lambda row: float(row["per_s"])),
    ("p50, ms", lambda row: float(row["p50_us"]) / 1000),
    ("p99, ms", lambda row: float(row["p99_us"]) / 1000),
    ("syncs of the leader a second", lambda row: float(row["syncs_per_s"])),
    ("writes per sync", lambda row: float(row["per_sync"])),
    ("CPU of all servers per write, µs", lambda row: float(row["cpu_us"])),
)


def columns(names: Sequence[str]) -> list[str]:
    """Heads of the table."""
    return ["figure", "writers", *names, *(f"{names[0]} over {name}" for name in names[1:])]


def write_rows(found: Sequence[Found], names: Sequence[str], seed: int) -> list[list[str]]:
    """Medians over the rounds with the lowest and the highest, and how many times the first one's is each other's."""
    writers = dict.fromkeys(each["writers"] for each in found)
    return [_row(figure, count, found, names, seed) for count in writers for figure in FIGURES]


def _row(
    figure: tuple[str, Callable[[Found], float]], count: int, found: Sequence[Found], names: Sequence[str], seed: int
) -> list[str]:
    title, value = figure
    values = {
        name: np.array([value(row) for row in found if row["subject"] == name and row["writers"] == count])
        for name in names
    }
    ratios = (ratio(values[names[0]] / values[name], seed) for name in names[1:])
    return [title, f"{count:,}", *(spread(each) for each in values.values()), *ratios]


def own_row(title: str, told: str, names: Sequence[str]) -> list[str]:
    """A figure of laura_fast alone; the columns of others stay empty."""
    return [title, "", told, *[""] * (2 * len(names) - 2)]


def spread(values: Sequence[float] | np.ndarray[Any, Any]) -> str:
    """The median, and between what all of them lie."""
    told = [
        f"{each:,.0f}" if each >= 100 else f"{each:.2g}" if each < 1 else f"{each:.1f}"
        for each in map(float, (np.median(values), np.min(values), np.max(values)))
    ]
    return told[0] if len(values) == 1 else f"{told[0]} ({told[1]} … {told[2]})"
