"""What clients do, each with the answer that must come."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from bench.documents.data import SIZES, package

if TYPE_CHECKING:
    from bench.documents.data import Expected
    from bench.documents.subject import Session

MOST_LOOKED_AT: Final = 2_000_000
"""Documents that all clients together look at in one round of scans."""

Call = Callable[["Session"], Awaitable[bool]]
"""One call; whether its answer was right."""


class Work:
    """The calls on one collection of the packages 0 … count - 1. Inserted ones come behind, until `purge`."""

    def __init__(self, known: Expected, seed: int) -> None:
        self.known = known
        self._dice = random.Random(seed)
        self._next = known.count
        self._spare: list[int] = []
        self.increments = 0

    def insert(self, batch: int) -> Call:
        """Inserts the next packages."""
        first, self._next = self._next, self._next + batch
        numbers = range(first, first + batch)

        async def call(session: Session) -> bool:
            right = await session.insert([package(number) for number in numbers]) == batch
            self._spare += numbers
            return right

        return call

    def find(self) -> Call:
        """A package by `_id`."""
        number = self._dice.randrange(self.known.count)

        async def call(session: Session) -> bool:
            return await session.find(number) == str(package(number)["name"])

        return call

    def between(self) -> Call:
        """About twenty packages by their size."""
        low = self._dice.randrange(SIZES)
        high = low + self.known.span

        async def call(session: Session) -> bool:
            return await session.between(low, high) == self.known.between(low, high)

        return call

    def rare(self) -> Call:
        """Every 997th, found by looking at all."""

        async def call(session: Session) -> bool:
            return await session.rare() == self.known.rare

        return call

    def increment(self) -> Call:
        """Counts an installation."""
        number = self._dice.randrange(self.known.count)

        async def call(session: Session) -> bool:
            self.increments += 1
            return await session.increment(number) == 1

        return call

    def delete(self) -> Call | None:
        """A package that was inserted during the run; None when there is no more."""
        if not self._spare:
            return None
        number = self._spare.pop()

        async def call(session: Session) -> bool:
            return await session.delete(number) == 1

        return call

    def totals(self) -> Call:
        """Packages and sizes by section."""

        async def call(session: Session) -> bool:
            return await session.totals() == self.known.totals

        return call

    def purge(self) -> Call:
        """All that was inserted during the run and is still there."""
        there, self._spare = len(self._spare), []

        async def call(session: Session) -> bool:
            return await session.purge(self.known.count) == there

        return call

    def installed(self) -> Call:
        """Every installation was counted exactly once."""

        async def call(session: Session) -> bool:
            return await session.installed() == self.increments

        return call


@dataclass(frozen=True)
class Operation:
    """One row of the table.

    Attributes:
        name: Of the row.
        make: The next call, or None when nothing is left to do.
        documents: Per call.
        most_clients: More would only queue: a quarter of a million documents on their way are no load but a backlog.
        reads_all: Each call looks at the whole collection.
        needs_index: Without an index on the size each call does so, too.
        feels_index: The index makes a difference to it.
        writes: It commits.
    """

    name: str
    make: Callable[[Work], Call | None]
    documents: int = 1
    most_clients: int = 256
    reads_all: bool = False
    needs_index: bool = False
    feels_index: bool = False
    writes: bool = False

    def suits(self, clients: int, documents: int, *, indexed: bool) -> bool:
        """Whether so many clients get through it in a few seconds."""
        reads_all = self.reads_all or (self.needs_index and not indexed)
        return clients <= self.most_clients and not (reads_all and clients * documents > MOST_LOOKED_AT)


OPERATIONS: Final = (
    Operation("find by _id", Work.find),
    Operation("range of 20", Work.between, needs_index=True, feels_index=True),
    Operation("scan", Work.rare, reads_all=True),
    Operation("group by section", Work.totals, reads_all=True),
    Operation("$inc by _id", Work.increment, writes=True),
    Operation("insert 1", lambda work: work.insert(1), feels_index=True, writes=True),
    Operation("delete by _id", Work.delete, feels_index=True, writes=True),
    Operation("insert 100", lambda work: work.insert(100), documents=100, feels_index=True, writes=True),
    Operation(
        "insert 1,000", lambda work: work.insert(1_000), documents=1_000, most_clients=16, feels_index=True, writes=True
    ),
)
"""Reads see the collection as it was loaded, so they come first, and `Work.purge` goes before the next ones."""
