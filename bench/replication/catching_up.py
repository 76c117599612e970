"""How fast a member that was away takes what was written meanwhile, by its log or, without any data, by a copy."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from bench.documents.data import package
from bench.documents.measure import WrongAnswerError
from bench.replication.filling import fill
from bench.replication.members import Members
from bench.replication.subject import check

if TYPE_CHECKING:
    from pathlib import Path

    from bench.replication.filling import Source

MB = 1e6


async def catch_up(folder: Path, entries: int, rounds: int) -> list[float]:
    """Entries a second, from the member's readiness to the moment when it has all of them on disk."""
    rates: list[float] = []
    with Members(folder) as members:
        primary, away = await _set_of_three(members)
        for number in range(rounds):
            members.stop(away)
            await fill(members.address(primary), [package(number * entries + each) for each in range(entries)])
            members.start(away)
            rates.append(entries / await _seconds_until_level(members, away, primary))
        await check(members.totals, members.names, rounds * entries)
    return rates


async def initial_sync(folder: Path, source: Source, rounds: int) -> list[float]:
    """MB of BSON a second, from the readiness of a member without data to the moment when it has all on disk.

    Raises:
        WrongAnswerError: It holds something else.
    """
    rates: list[float] = []
    with Members(folder) as members:
        primary, empty = await _set_of_three(members)
        await fill(members.address(primary), source.documents)
        for _ in range(rounds):
            members.stop(empty)
            members.forget(empty)
            members.start(empty)
            rates.append(source.bson_bytes / MB / await _seconds_until_level(members, empty, primary))
            if await members.totals(empty, source.section, source.size) != source.totals():
                raise WrongAnswerError(f"{empty} does not hold what {primary} has")
    return rates


async def _set_of_three(members: Members) -> tuple[str, str]:
    """Starts it; its primary, and a member that is not."""
    for name in members.names:
        members.start(name)
    primary = await members.primary()
    return primary, next(name for name in members.names if name != primary)


async def _seconds_until_level(members: Members, name: str, primary: str) -> float:
    started = time.perf_counter()
    await members.until_level(name, primary)
    return time.perf_counter() - started
