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
from laura_fast.testing.sim.disks import StoreDisk
from laura_fast.testing.sim.loop import Process, State

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Generator
    from random import Random

    import pytest

    from laura_fast.storage.documents.catalog import CompiledIndex
    from laura_fast.storage.memory import MemoryWriter
    from laura_fast.testing.sim.loop import VirtualLoop

Call: TypeAlias = "Callable[[database.Database], Coroutine[Any, Any, bytes]]"

TRAVEL_S = (0.0, 0.001, 0.02, 0.2)
"""What a message takes; the slowest overtakes nothing and is overtaken by everything."""

SYNC_S = (0.001, 0.01, 0.1)
"""What a sync takes: a good disk, an ordinary one, one that is busy."""

LATE_S = 3.0
"""How late a copy of a request may come: its client has long done other things."""


class LostError(Exception):
    """No answer will come; whether the request was done, nobody knows."""


class RepeatingDisk(StoreDisk):
    """A disk whose jobs may run more than once, as where one of a group fails and the others are done again."""

    def __init__(self, dice: Random, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._dice = dice

    def _run_jobs(self, group: list[Any]) -> MemoryWriter:
        if self._dice.random() < 0.2:
            super()._run_jobs(group)
        return super()._run_jobs(group)


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
        self._life = _Life(self.files, self._dice, self._loop)

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
    """What runs from a start to a crash."""

    def __init__(self, files: MemoryStore, dice: Random, loop: VirtualLoop) -> None:
        self._dice = dice
        self._loop = loop
        self._process = Process()
        self._death = loop.create_future()
        self._disk = RepeatingDisk(
            dice,
            files,
            loop,
            self._process,
            sync_s=lambda: dice.choice(SYNC_S),
            changed=lambda: None,
            died=self.crash,
        )
        store = DocumentStore(self._disk, _compiled, now_ms=loop.wall_ms)
        cursors = Cursors(b"s" * SECRET_BYTES, loop, 60_000)
        self.database = database.Database(store, cursors, loop, DatabaseSettings())

    def crash(self) -> None:
        """Nothing of it runs any more; of a sync that was on its way, nobody knows what became."""
        self._process.state = State.DEAD
        self._disk.lose_power(synced=self._dice.random() < 0.5)
        self._death.set_result(None)

    async def answer(self, call: Call) -> bytes:
        work = self._loop.create_task(call(self.database), context=self._process.context)
        await asyncio.wait((work, self._death), return_when=asyncio.FIRST_COMPLETED)
        if self._death.done():
            raise LostError
        return work.result()


def _compiled(definition: Any) -> CompiledIndex:
    return cast("CompiledIndex", compile_index(parse_definition(definition)))
