"""What is measured of laura_fast alone, each as one row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from bench.replication.catching_up import catch_up, initial_sync
from bench.replication.filling import source
from bench.replication.memory import memory
from bench.replication.recovery import recovery
from bench.replication.tables import spread

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from pathlib import Path

MB: Final = 1_000_000


@dataclass(frozen=True)
class Plan:
    """How much is done.

    Attributes:
        rounds: Of everything that has a spread.
        entries: Written while a member is away.
        sync_mb: Most of the documents that a member without data copies.
        recovery_mb: Data file of the node that is killed.
        memory_writes: With a dead member and a slow reader.
    """

    rounds: int
    entries: int
    sync_mb: int
    recovery_mb: int
    memory_writes: int


@dataclass(frozen=True)
class Figure:
    """One row: its title, its cell, and what the cell was made of."""

    title: str
    told: str
    data: Any


async def _catch_up(plan: Plan, folder: Path) -> Figure:
    rates = await catch_up(folder, plan.entries, plan.rounds)
    return Figure(f"catch-up of {plan.entries:,} entries, entries a second", spread(rates), rates)


async def _initial_sync(plan: Plan, folder: Path) -> Figure:
    documents = source(plan.sync_mb * MB)
    rates = await initial_sync(folder, documents, plan.rounds)
    size = f"{len(documents.documents):,} documents, {documents.bson_bytes / MB:.1f} MB"
    return Figure(f"initial sync of {documents.name} ({size}), MB/s", spread(rates), rates)


async def _recovery(plan: Plan, folder: Path) -> Figure:
    seconds, size = await recovery(folder, plan.recovery_mb * MB, plan.rounds)
    return Figure(
        f"kill -9 with a data file of {size / MB:,.0f} MB, seconds from exec to ready", spread(seconds), seconds
    )


async def _memory(plan: Plan, folder: Path) -> Figure:
    before, after = await memory(folder, plan.memory_writes)
    title = (
        f"memory of a primary with a dead member and a slow reader, before and after {plan.memory_writes:,} writes, MB"
    )
    return Figure(title, f"{before / MB:.1f} → {after / MB:.1f}", [before, after])


def measures(plan: Plan) -> list[Callable[[Plan, Path], Coroutine[Any, Any, Figure]]]:
    """Those that the plan has something to do for."""
    every = (
        (plan.entries, _catch_up),
        (plan.sync_mb, _initial_sync),
        (plan.recovery_mb, _recovery),
        (plan.memory_writes, _memory),
    )
    return [measure for size, measure in every if size]
