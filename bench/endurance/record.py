"""Trials as a record that `python -m laura_fast report` takes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from laura_fast.report.raw.record import Record

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

COLUMNS = ["trial", "count", "seconds", "memory KiB", "second half", "descriptors", "noted"]
CAVEATS = [
    "Endurance is about memory, descriptors and errors; its rates are those of a shared machine and mean nothing.",
    "Memory is RssAnon of the server process. The second half's growth leaves the warm-up out.",
]


def record(trials: Sequence[Mapping[str, Any]], *, command: str, commit: str, seed: int) -> Record:
    """One record of all `trials`, each as `Trial.as_dict` made it."""
    return Record(
        title=f"Endurance, {trials[0]['transport']} transport",
        command=command,
        date=f"{datetime.now(UTC):%Y-%m-%d}",
        commit=commit,
        seed=seed,
        seconds=sum(trial["seconds"] for trial in trials),
        columns=COLUMNS,
        rows=[_row(trial) for trial in trials],
        caveats=CAVEATS,
        data=list(trials),
    )


def _row(trial: Mapping[str, Any]) -> list[str]:
    memory, descriptors = trial["memory_kib"], trial["descriptors"]
    noted = ", ".join(
        f"{key.replace('_', ' ')} {_brief(value)}" for key, value in trial["facts"].items() if key != "log"
    )
    return [
        trial["name"],
        f"{trial['count']:,}",
        f"{trial['seconds']:,.0f}",
        f"{memory[0]:,} → {memory[-1]:,}",
        f"{trial['second_half_growth_kib']:+,}",
        f"{descriptors[0]} → {descriptors[-1]}",
        noted,
    ]


def _brief(value: Any) -> str:
    return f"{value:,.1f}" if isinstance(value, float) else str(value)
