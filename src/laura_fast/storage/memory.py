"""The contract of `ordered` in memory: for tests, simulations and embedding without a disk. Nothing is durable."""

from __future__ import annotations

import sys
from heapq import merge
from threading import Lock
from typing import TYPE_CHECKING, Self

from sortedcontainers import SortedDict

from laura_fast.errors import StorageFailedError
from laura_fast.limits.storage import STORAGE_KEY_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from types import TracebackType

    from laura_fast.storage.ordered import Table, Value, Writer


class MemoryStore:
    """`Store` over sorted dicts. A job's changes lie beside the tables until it ends.

    They are then made in place; only a table that an open reader sees is copied first.
    """

    def __init__(self) -> None:
        self._tables: dict[bytes, SortedDict] = {}
        self._closed = False
        self._readers = 0
        self._seen: set[bytes] = set()
        self._lock = Lock()  # readers may be opened and closed on any thread

    def table(self, name: bytes) -> Table:
        self._tables.setdefault(name, SortedDict())
        return name

    def read(self) -> MemoryReader:
        with self._lock:
            self._readers += 1
            self._seen = set(self._tables)
            return MemoryReader(self._tables, self._let_go)

    async def write(self, job: Callable[[Writer], Value], *, committed: Callable[[Value], None] | None = None) -> Value:
        if self._closed:
            raise StorageFailedError("the store is closed")
        writer = self.begin()
        value = job(writer)
        self.commit(writer)
        if committed:
            committed(value)
        return value

    def begin(self) -> MemoryWriter:
        """A writer whose changes nobody sees before `commit`. One at a time."""
        return MemoryWriter(self._tables)

    def commit(self, writer: MemoryWriter) -> None:
        """Makes the changes of a writer."""
        with self._lock:
            for table, changes in writer.changes.items():
                pairs = self._unseen(table)
                for key, value in changes.items():
                    if value is None:
                        pairs.pop(key, None)
                    else:
                        pairs[key] = value

    def close(self) -> None:
        self._closed = True

    def _unseen(self, table: bytes) -> SortedDict:
        """The table, as a copy where a reader sees it."""
        if table in self._seen:
            self._seen.discard(table)
            self._tables = self._tables | {table: self._tables[table].copy()}
        return self._tables[table]

    def _let_go(self) -> None:
        with self._lock:
            self._readers -= 1
            if not self._readers:
                self._seen = set()


class MemoryReader:
    """`Reader` over tables that nobody changes before it is closed."""

    def __init__(self, tables: dict[bytes, SortedDict], closed: Callable[[], None] | None = None) -> None:
        self._tables = tables
        self._closed = closed

    def get(self, table: Table, key: bytes) -> bytes | None:
        value: bytes | None = self._tables[table].get(key)
        return value

    def scan(
        self, table: Table, start: bytes = b"", stop: bytes | None = None, *, reverse: bool = False
    ) -> Iterator[tuple[bytes, bytes]]:
        pairs = self._tables[table]
        for key in pairs.irange(start, stop, (True, False), reverse=reverse):
            yield key, pairs[key]

    def keys(
        self, table: Table, start: bytes = b"", stop: bytes | None = None, *, reverse: bool = False
    ) -> Iterator[bytes]:
        keys: Iterator[bytes] = self._tables[table].irange(start, stop, (True, False), reverse=reverse)
        return keys

    def entries(self, table: Table) -> int:
        return len(self._tables[table])

    def used_bytes(self, table: Table | None = None) -> int:
        tables = self._tables.values() if table is None else (self._tables[table],)
        return sum(len(key) + len(value) for pairs in tables for key, value in pairs.items())

    def free_bytes(self) -> int:
        return sys.maxsize

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._tables = {}
        if self._closed:
            self._closed()
            self._closed = None


class MemoryWriter(MemoryReader):
    """`Writer` that keeps its changes beside the tables.

    Attributes:
        changes: By table and key; None removes.
    """

    def __init__(self, tables: dict[bytes, SortedDict]) -> None:
        super().__init__(tables)
        self.changes: dict[bytes, dict[bytes, bytes | None]] = {}

    def get(self, table: Table, key: bytes) -> bytes | None:
        changes = self.changes.get(table)
        if changes and key in changes:
            return changes[key]
        return super().get(table, key)

    def scan(
        self, table: Table, start: bytes = b"", stop: bytes | None = None, *, reverse: bool = False
    ) -> Iterator[tuple[bytes, bytes]]:
        if not self.changes.get(table):
            yield from super().scan(table, start, stop, reverse=reverse)
            return
        for key in self.keys(table, start, stop, reverse=reverse):
            yield key, self.get(table, key) or b""

    def keys(
        self, table: Table, start: bytes = b"", stop: bytes | None = None, *, reverse: bool = False
    ) -> Iterator[bytes]:
        untouched = super().keys(table, start, stop, reverse=reverse)
        changes = self.changes.get(table)
        if not changes:
            return untouched
        put = [key for key, value in changes.items() if value is not None and start <= key]
        put = sorted((key for key in put if stop is None or key < stop), reverse=reverse)
        return merge((key for key in untouched if key not in changes), put, reverse=reverse)

    def entries(self, table: Table) -> int:
        pairs, changes = self._tables[table], self.changes.get(table, {})
        return len(pairs) + sum((value is not None) - (key in pairs) for key, value in changes.items())

    def used_bytes(self, table: Table | None = None) -> int:
        tables = self._tables if table is None else (table,)
        return sum(len(key) + len(value) for each in tables for key, value in self.scan(each))

    def put(self, table: Table, key: bytes, value: bytes) -> None:
        _check_key(key)
        self._changes(table)[key] = value

    def insert(self, table: Table, key: bytes, value: bytes) -> bool:
        if self.get(table, key) is not None:
            return False
        self.put(table, key, value)
        return True

    def put_many(self, table: Table, items: Iterable[tuple[bytes, bytes]]) -> None:
        for key, value in items:
            self.put(table, key, value)

    def delete(self, table: Table, key: bytes) -> bool:
        if self.get(table, key) is None:
            return False
        self._changes(table)[key] = None
        return True

    def clear(self, table: Table) -> None:
        self.changes[table] = dict.fromkeys(super().keys(table))

    def _changes(self, table: bytes) -> dict[bytes, bytes | None]:
        return self.changes.setdefault(table, {})


def _check_key(key: bytes) -> None:
    """Refuses what LMDB refuses, so that no test passes here only."""
    if not 0 < len(key) <= STORAGE_KEY_BYTES:
        raise ValueError(f"a key of {len(key)} bytes; allowed are 1 to {STORAGE_KEY_BYTES}")
