"""Writes that a majority has on disk, by number of writers."""

from __future__ import annotations

import itertools
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from bench.documents.measure import closed_loop
from bench.replication.subject import Spending, check

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Sequence
    from pathlib import Path

    from bench.replication.subject import Group, Subject, Writer


async def majority_writes(
    subject: Subject, folder: Path, writers: Sequence[int], seconds: float
) -> list[dict[str, Any]]:
    """One row for each number of writers, on one fresh system.

    Raises:
        WrongAnswerError: A write was refused, or a member lacks one that was acknowledged.
    """
    async with subject.start(folder) as group:
        numbers = itertools.count()
        rows = [
            {"subject": subject.name, "writers": each} | await _row(group, each, numbers, seconds) for each in writers
        ]
        await check(group.totals, group.members, next(numbers))
        return rows


async def _row(group: Group, count: int, numbers: Iterator[int], seconds: float) -> dict[str, Any]:
    def write() -> Callable[[Writer], Awaitable[bool]]:
        number = next(numbers)
        return lambda writer: writer.write(number)

    async with group.writers(count) as writers:
        spending = Spending(group.cpu_s)
        await closed_loop(spending, writers, write, 0)  # statements are prepared, tables there
        before = await group.syncs()
        measured = await closed_loop(spending, writers, write, seconds)
        syncs = await group.syncs() - before
    return asdict(measured) | {
        "syncs_per_s": syncs * measured.per_s / measured.calls,
        "per_sync": measured.calls / syncs,
    }
