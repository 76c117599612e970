"""What is asked of every replicated system under measurement."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from bench.documents.data import expected, package
from bench.documents.measure import WrongAnswerError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from bench.documents.subject import Session

    Totals = dict[str, tuple[int, int]]

WRITERS_PER_CONNECTION: Final = 100
"""As many streams as a server of laura_fast allows by default."""
LEVEL_S: Final = 60.0
POLL_S: Final = 0.01


class Writer(Protocol):
    """One client. Its calls never overlap."""

    async def write(self, number: int) -> bool:
        """Inserts this package; whether the answer says that it is safe."""


class Group(Protocol):
    """One running subject."""

    @property
    def members(self) -> Sequence[str]:
        """Names of all members, whoever leads."""

    def writers(self, count: int) -> AbstractAsyncContextManager[Sequence[Writer]]:
        """So many clients of the leader."""

    async def totals(self, member: str) -> Totals:
        """Packages of each section that this member itself holds, and the sum of their sizes."""

    async def syncs(self) -> int:
        """How often the leader has waited for its disk. Asked while there are writers, and none of them writes."""

    def cpu_s(self) -> float:
        """CPU time that all its processes spent so far."""


@dataclass(frozen=True)
class Subject:
    """A system that can be started.

    Attributes:
        name: In tables.
        version: Of what is installed; None where it is not.
        start: Runs it for the length of the block, its files in the folder.
    """

    name: str
    version: Callable[[], str | None]
    start: Callable[[Path], AbstractAsyncContextManager[Group]]


@dataclass(frozen=True)
class Spending:
    """What a closed loop asks while writers write."""

    cpu_s: Callable[[], float]

    def commits(self) -> None:
        """Counted afterwards; see `Group.syncs`."""


class Inserter:
    """A writer that is a client of a document database."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def write(self, number: int) -> bool:
        return await self._session.insert([package(number)]) == 1


async def until(done: Callable[[], Awaitable[bool]], what: str) -> None:
    """Asks again and again.

    Raises:
        TimeoutError: The answer was still no after `LEVEL_S`.
    """
    deadline = time.monotonic() + LEVEL_S
    while not await done():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what} within {LEVEL_S:g} s")
        await asyncio.sleep(POLL_S)


async def check(totals: Callable[[str], Awaitable[Totals]], members: Sequence[str], count: int) -> None:
    """Returns when each of these members holds the first so many packages, and nothing else.

    Raises:
        WrongAnswerError: One of them still does not after `LEVEL_S`.
    """
    wanted = expected(count).totals
    for member in members:

        async def whole(name: str = member) -> bool:
            return await totals(name) == wanted

        try:
            await until(whole, "not level")
        except TimeoutError as error:
            packages = sum(each[0] for each in (await totals(member)).values())
            raise WrongAnswerError(f"{member} holds {packages} packages, {count} were acknowledged") from error
