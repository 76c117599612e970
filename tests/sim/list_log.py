"""A replica log that is a list, on a disk that takes its time and forgets what it had not yet written."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from laura_fast.domain.replication.events import Ballot
from laura_fast.domain.replication.members import BEGINNING, Position
from laura_fast.errors import FailedPreconditionError, OutOfRangeError, StorageFailedError
from laura_fast.storage.documents.oplog import Operation, OplogEntry

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Sequence

    from laura_fast.domain.replication.members import Configuration
    from laura_fast.node.replication.ports import Copies

BATCH: Final = 5


@dataclass
class Disk:
    """What outlives a crash."""

    ballot: Ballot = field(default_factory=Ballot)
    entries: list[OplogEntry] = field(default_factory=list)
    configuration: Configuration | None = None


class ListLog:
    """`ReplicaLog` over a disk."""

    def __init__(self, disk: Disk, dice: random.Random) -> None:
        self.disk = disk
        self.on_growth: Callable[[], None] = lambda: None
        self.copies: Copies | None = None
        self.committed = 0
        self._dice = dice
        self._office = 0
        self._fences = 0
        self._gone = False
        self._paused = False
        self._turn = asyncio.Lock()

    @property
    def last(self) -> Position:
        entries = self.disk.entries
        return Position(entries[-1].term, entries[-1].op_id) if entries else BEGINNING

    def waits_s(self, now: float) -> float:
        del now
        return 0.0  # its disk never takes long

    def ballot(self) -> Ballot:
        return self.disk.ballot

    def crash(self) -> None:
        self._gone = True

    async def _sync(self) -> None:
        await asyncio.sleep(self._dice.choice([0.001, 0.01, 0.1]))
        if self._gone:
            raise StorageFailedError("the member is gone")

    async def keep_ballot(self, ballot: Ballot) -> None:
        await self._sync()
        self.disk.ballot = ballot

    def configuration(self) -> Configuration | None:
        return self.disk.configuration

    async def keep_configuration(self, configuration: Configuration) -> None:
        await self._sync()
        self.disk.configuration = configuration

    async def pause(self) -> None:
        self._paused = True
        async with self._turn:
            await self._sync()

    def resume(self) -> None:
        self._paused = False

    async def lead(self, term: int) -> Position:
        fences = self._fences
        async with self._turn:
            await self._sync()
            if fences != self._fences:
                raise FailedPreconditionError("not primary", "NOT_PRIMARY")
            self._office, self._paused = term, False
            self._add(term, "")
        return self.last

    def fence(self) -> None:
        self._office = 0
        self._fences += 1

    async def write(self, value: str) -> int:
        """A client's write; its op id."""
        term = self._office
        async with self._turn:
            await self._sync()
            if not term or self._office != term or self._paused:
                raise FailedPreconditionError("not primary", "NOT_PRIMARY")
            self._add(term, value)
        self.on_growth()
        return self.last.op_id

    def _add(self, term: int, value: str) -> None:
        self.disk.entries.append(OplogEntry(len(self.disk.entries) + 1, term, 0, Operation.NOOP, value))

    def read(self, start: int) -> Sequence[OplogEntry]:
        return self.disk.entries[start - 1 : start - 1 + BATCH]

    def term_at(self, op_id: int) -> int | None:
        if not op_id:
            return 0
        return self.disk.entries[op_id - 1].term if op_id <= len(self.disk.entries) else None

    async def append(self, entries: Sequence[OplogEntry]) -> None:
        async with self._turn:
            await self._sync()
            for entry in entries:
                there = self.disk.entries[entry.op_id - 1 : entry.op_id]
                if self._office or there not in ([], [entry]) or entry.op_id > len(self.disk.entries) + 1:
                    raise OutOfRangeError(f"entry {entry.op_id} does not fit", "CONFLICT")
                self.disk.entries[entry.op_id - 1 :] = [entry, *self.disk.entries[entry.op_id :]]

    async def roll_back(self, to: Position) -> None:
        async with self._turn:
            await self._sync()
            if self._office or self.term_at(to.op_id) != to.term or to.op_id < self.committed:
                raise AssertionError(f"may not roll back to {to}: {self.committed} is committed")
            del self.disk.entries[to.op_id :]

    def commit(self, op_id: int) -> None:
        self.committed = max(self.committed, op_id)
