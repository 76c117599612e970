"""Cluster state in memory: for tests and for embedding without a disk. Nothing survives the process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from laura_fast.errors import CompareFailedError
from laura_fast.metadata.store import NOTHING

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping


class MemoryMetadata:
    """`MetadataStore` over a dict."""

    def __init__(self) -> None:
        self._values: dict[bytes, bytes] = {}

    def read(self, prefix: bytes) -> list[tuple[bytes, bytes]]:
        return sorted((key, value) for key, value in self._values.items() if key.startswith(prefix))

    async def commit(
        self,
        *,
        expect: Mapping[bytes, bytes | None] = NOTHING,
        put: Mapping[bytes, bytes] = NOTHING,
        delete: Collection[bytes] = (),
    ) -> None:
        for key, value in expect.items():
            if self._values.get(key) != value:
                raise CompareFailedError(key)
        for key in delete:
            self._values.pop(key, None)
        self._values.update(put)
