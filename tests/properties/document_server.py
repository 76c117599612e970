"""A database that loses its process again and again, behind a network that loses, repeats and reorders what it carries.

All of it runs on a virtual clock and draws from one source of randomness: the same seed takes the same steps.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from laura_fast.domain.documents.indexing.definitions import parse_definition
from laura_fast.domain.documents.indexing.entries import compile_index
from laura_fast.node.database import database
from laura_fast.node.database.cursors import SECRET_BYTES, Cursors
from laura_fast.node.database.settings import DatabaseSettings
from laura_fast.storage.documents.store import DocumentStore
from laura_fast.storage.memory import MemoryStore
from laura_fast.testing.sim.disk import SimulatedDisk

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Generator
    from random import Random

    import pytest

    from laura_fast.storage.documents.catalog import CompiledIndex
    from laura_fast.storage.ordered import Value, Writer
    from laura_fast.testing.sim.loop import VirtualLoop

Call: TypeAlias = "Callable[[database.Database], Awaitable[bytes]]"

TRAVEL_S = (0.0, 0.001, 0.02, 0.2)
"""What a message takes; the slowest overtakes nothing and is overtaken by everything."""

LATE_S = 3.0
"""How late a copy of a request may come: its client has long done other things."""


class LostError(Exception):
    """No answer will come; whether the request was done, nobody knows."""


class _AnotherJobFailedError(Exception):
    """A group of commits is done again without the job that failed."""


class GroupingDisk(SimulatedDisk):
    """A disk whose jobs may run more than once, as where commits are grouped."""

    async def write(self, job: Callable[[Writer], Value], *, committed: Callable[[Value], None] | None = None) -> Value:
        def in_vain(writer: Writer) -> None:
            job(writer)
            raise _AnotherJobFailedError

        if not self._gone and self._dice.random() < 0.2:
            with suppress(_AnotherJobFailedError):
                await self._files.write(in_vain)
        return await super().write(job, committed=committed)


class SlowReaders:
    """`Readers` without a thread: others have their turn between two slices."""

    @staticmethod
    async def run(start: Callable[[], Generator[None, None, Any]]) -> Any:
        slices = start()
        while True:
            try:
                next(slices)
            except StopIteration as end:
                return end.value
            await asyncio.sleep(0.001)


class Server:
    """One database: its files last, its processes don't.

    Attributes:
        crashes: How often it died.
    """

    def __init__(self, dice: Random, loop: VirtualLoop, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(database, "Readers", SlowReaders)
        self.files = MemoryStore()
        self.crashes = 0
        self._dice = dice
        self._loop = loop
        self._life: _Life | None = None
        self._late: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        """Begins a life."""
        disk = GroupingDisk(self.files, self._dice)
        self._life = _Life(disk, self._loop)

    def crash(self) -> None:
        """Ends it: what is not on disk is gone, what waits for an answer gets none."""
        assert self._life is not None
        self._life.crash()
        self._life = None
        self.crashes += 1

    @property
    def database(self) -> database.Database:
        """Of the present life."""
        assert self._life is not None
        return self._life.database

    async def send(self, call: Call, told: Callable[[bytes], None]) -> bytes:
        """The answer to a request that is sent once, or more often.

        Args:
            call: The request.
            told: Gets the answer to each copy, however late.

        Raises:
            LostError: Nothing came back.
        """
        for _ in range(self._dice.choice((0, 0, 0, 1, 2))):
            late = asyncio.create_task(self._late_copy(call, told))
            self._late.add(late)
            late.add_done_callback(self._late.discard)
        return await self._copy(call, told, 0.0)

    async def settle(self) -> None:
        """Waits for the late copies."""
        while self._late:
            await asyncio.wait(self._late)

    async def _late_copy(self, call: Call, told: Callable[[bytes], None]) -> None:
        with suppress(LostError):
            await self._copy(call, told, self._dice.choice((0.01, 0.1, LATE_S)))

    async def _copy(self, call: Call, told: Callable[[bytes], None], after_s: float) -> bytes:
        await self._travel(after_s)
        if self._life is None:
            raise LostError
        answer = await self._life.answer(call)
        told(answer)
        await self._travel(0.0)
        return answer

    async def _travel(self, after_s: float) -> None:
        await asyncio.sleep(after_s * self._dice.random() + self._dice.choice(TRAVEL_S))
        if self._dice.random() < 0.1:
            raise LostError


class _Life:
    """A process."""

    def __init__(self, disk: GroupingDisk, loop: VirtualLoop) -> None:
        self._disk = disk
        self._died = asyncio.Event()
        store = DocumentStore(disk, _compiled, now_ms=loop.wall_ms)
        cursors = Cursors(b"s" * SECRET_BYTES, loop, 60_000)
        self.database = database.Database(store, cursors, loop, DatabaseSettings())

    def crash(self) -> None:
        self._disk.crash()
        self._died.set()

    async def answer(self, call: Call) -> bytes:
        work, death = asyncio.ensure_future(call(self.database)), asyncio.create_task(self._died.wait())
        try:
            await asyncio.wait((work, death), return_when=asyncio.FIRST_COMPLETED)
            if self._died.is_set():
                raise LostError
            return work.result()
        finally:
            work.cancel()
            death.cancel()
            await asyncio.gather(work, death, return_exceptions=True)


def _compiled(definition: Any) -> CompiledIndex:
    return cast("CompiledIndex", compile_index(parse_definition(definition)))
