"""Membership for tests: on a virtual clock and a store that can lose what was not committed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from laura_fast.errors import StorageFailedError
from laura_fast.metadata.memory import MemoryMetadata
from laura_fast.metadata.store import NOTHING

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Collection, Mapping


class FragileMetadata:
    """`MetadataStore` in memory whose commits can be held back or made to fail, as before a crash.

    Attributes:
        gate: While set to a future, commits wait for it first.
        broken: Commits fail and apply nothing.
        commits: How many were applied.
        refused: How many failed.
    """

    def __init__(self) -> None:
        self._durable = MemoryMetadata()
        self.gate: asyncio.Future[None] | None = None
        self.broken = False
        self.commits = 0
        self.refused = 0

    def read(self, prefix: bytes) -> list[tuple[bytes, bytes]]:
        return self._durable.read(prefix)

    async def commit(
        self,
        *,
        expect: Mapping[bytes, bytes | None] = NOTHING,
        put: Mapping[bytes, bytes] = NOTHING,
        delete: Collection[bytes] = (),
    ) -> None:
        if self.gate is not None:
            await self.gate
        if self.broken:
            self.refused += 1
            raise StorageFailedError("broken on purpose")
        await self._durable.commit(expect=expect, put=put, delete=delete)
        self.commits += 1
