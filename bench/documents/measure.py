"""A closed loop of clients, and what it took."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

US_PER_S: Final = 1e6
Session = TypeVar("Session")


class WrongAnswerError(Exception):
    """A database answered something else than the truth."""


class Spender(Protocol):
    """Whatever is measured."""

    def cpu_s(self) -> float:
        """CPU time that all its processes spent so far."""

    def commits(self) -> int | None:
        """Commits that were synced to disk so far; None where they are not counted here."""


@dataclass(frozen=True)
class Measured:
    """Calls of one operation.

    Attributes:
        calls: How many were answered.
        per_s: Of them, a second.
        p50_us: Median latency.
        p99_us: 99th percentile.
        cpu_us: CPU time of the database's processes, per call.
        commits_per_s: Synced to disk; None where nobody counted.
    """

    calls: int
    per_s: float
    p50_us: float
    p99_us: float
    cpu_us: float
    commits_per_s: float | None


async def closed_loop(
    database: Spender,
    sessions: Sequence[Session],
    make: Callable[[], Callable[[Session], Awaitable[bool]] | None],
    seconds: float,
) -> Measured:
    """Every session calls again and again until the time is over, and at least once.

    Raises:
        WrongAnswerError: An answer was not the expected one.
    """
    taken: list[float] = []
    commits, cpu, started = database.commits(), database.cpu_s(), time.perf_counter()
    end = started + seconds

    async def client(session: Session) -> None:
        before = time.perf_counter()
        while call := make():
            if not await call(session):
                raise WrongAnswerError
            after = time.perf_counter()
            taken.append(after - before)
            before = after
            if after > end:
                return

    await asyncio.gather(*map(client, sessions))
    elapsed = time.perf_counter() - started
    if not taken:
        raise WrongAnswerError
    p50, p99 = np.percentile(taken, [50, 99]) * US_PER_S
    cpu_us = (database.cpu_s() - cpu) / len(taken) * US_PER_S
    now = database.commits()
    commits_per_s = None if commits is None or now is None else (now - commits) / elapsed
    return Measured(len(taken), len(taken) / elapsed, float(p50), float(p99), cpu_us, commits_per_s)
