"""A disk that takes its time, and on which a crash finds only what was synced."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from laura_fast.errors import StorageFailedError

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

    from laura_fast.storage.memory import MemoryStore
    from laura_fast.storage.ordered import Reader, Table, Value, Writer

SYNC_S: Final = (0.001, 0.01, 0.1)
"""What a sync takes: a good disk, an ordinary one, one that is busy."""


class SimulatedDisk:
    """`Store` of one life of a member, on files that outlive it. Jobs run one after the other, each with its sync."""

    def __init__(self, files: MemoryStore, dice: random.Random) -> None:
        self._files = files
        self._dice = dice
        self._gone = False
        self._turn = asyncio.Lock()

    def crash(self) -> None:
        """Whatever is not synced will never be, and nobody hears of anything any more."""
        self._gone = True

    def table(self, name: bytes) -> Table:
        return self._files.table(name)

    def read(self) -> Reader:
        return self._files.read()

    async def write(self, job: Callable[[Writer], Value], *, committed: Callable[[Value], None] | None = None) -> Value:
        async with self._turn:
            await asyncio.sleep(self._dice.choice(SYNC_S))
            if self._gone:
                raise StorageFailedError("the member is gone")
            return await self._files.write(job, committed=committed)

    def close(self) -> None:
        """The files stay."""
