"""Snapshots that outlive their read transactions: no state of the store is held for long, the time read at stays."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, Self

from laura_fast.errors import OutOfRangeError
from laura_fast.limits.storage import MAX_READ_BYTES, MAX_READ_S
from laura_fast.storage.documents.layout import HEAD, HORIZON, unpack_head, unpack_number
from laura_fast.storage.documents.snapshot import Snapshot

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from laura_fast.storage.documents.catalog import Catalog
    from laura_fast.storage.documents.layout import Tables
    from laura_fast.storage.ordered import Reader, Store

_READS_PER_LOOK = 64
"""Reads between two looks at the clock."""


class LastingSnapshot(Snapshot):
    """A snapshot over a store, to be closed, best by a `with`.

    Its scans go on in a newer state when theirs is held for too long, and still see the time they began with.

    Attributes:
        op_id: Of the newest oplog entry when it was opened; what is read may be older.
    """

    def __init__(
        self, store: Store, tables: Tables, catalog_of: Callable[[Reader, int], Catalog], at: int | None
    ) -> None:
        self._store = store
        reader = store.read()
        head = unpack_head(reader.get(tables.state, HEAD))
        super().__init__(tables, catalog_of(reader, head.catalog), head.time if at is None else at, reader)
        self.op_id = head.op_id
        self._held: Reader | None = reader
        self._begin(reader, head.time)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Lets the state go; the next read opens the newest one, at the same time. Call before waiting for anything."""
        if self._held is not None:
            self._held.close()
            self._held = None

    def _open(self) -> Reader:
        if self._held is None or self._is_spent():
            self.close()
            reader = self._held = self._reader = self._store.read()
            self._begin(reader, unpack_head(reader.get(self.tables.state, HEAD)).time)
        return self._reader

    def _begin(self, reader: Reader, newest: int) -> None:
        self._opened = monotonic()
        self._bytes = self._reads = 0
        self._newest = self.at == newest
        if self.at > newest:
            self.close()
            raise OutOfRangeError("the time to read at is ahead of this node", "TIME_AHEAD")
        if not self._newest and self.at < horizon(reader, self.tables):
            self.close()
            raise OutOfRangeError("the time to read at is older than what is kept", "SNAPSHOT_TOO_OLD")

    def _read(self, count: int) -> bool:
        self._bytes += count
        self._reads += 1
        return self._held is None or self._is_spent()

    def _is_spent(self) -> bool:
        if self._bytes > MAX_READ_BYTES:
            return True
        return self._reads % _READS_PER_LOOK == 0 and monotonic() - self._opened > MAX_READ_S


def horizon(reader: Reader, tables: Tables) -> int:
    """The oldest commit time that can be read at."""
    value = reader.get(tables.state, HORIZON)
    return int(unpack_number(value)[0]) if value else 0
