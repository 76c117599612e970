"""Cluster state in the node's own storage environment: the default, for a cluster with one coordinator."""

from __future__ import annotations

from typing import TYPE_CHECKING

from laura_fast.errors import CompareFailedError
from laura_fast.metadata.store import NOTHING

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    import lmdb

    from laura_fast.storage.environment import Environment

TABLE = b"metadata"


class EmbeddedMetadata:
    """`MetadataStore` over one table of the environment."""

    def __init__(self, environment: Environment) -> None:
        self._environment = environment
        self._table = environment.table(TABLE)

    def read(self, prefix: bytes) -> list[tuple[bytes, bytes]]:
        pairs: list[tuple[bytes, bytes]] = []
        with self._environment.read() as transaction, transaction.cursor(self._table) as cursor:
            if cursor.set_range(prefix):
                for key, value in cursor:
                    if key[: len(prefix)] != prefix:
                        break
                    pairs.append((bytes(key), bytes(value)))
        return pairs

    async def commit(
        self,
        *,
        expect: Mapping[bytes, bytes | None] = NOTHING,
        put: Mapping[bytes, bytes] = NOTHING,
        delete: Collection[bytes] = (),
    ) -> None:
        table = self._table

        def job(transaction: lmdb.Transaction) -> None:
            for key, value in expect.items():
                if transaction.get(key, db=table) != value:
                    raise CompareFailedError(key)
            for key in delete:
                transaction.delete(key, db=table)
            for key, value in put.items():
                transaction.put(key, value, db=table)

        await self._environment.write(job)
