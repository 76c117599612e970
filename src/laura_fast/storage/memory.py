"""The contract of `ordered` in memory: for tests, simulations and embedding without a disk. Nothing is durable."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Self

from sortedcontainers import SortedDict

from laura_fast.errors import StorageFailedError
from laura_fast.limits import STORAGE_KEY_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from types import TracebackType

    from laura_fast.storage.ordered import Table, Value, Writer


class MemoryStore:
    """`Store` over sorted dicts. A job works on copies of the tables it touches, which replace them when it ends."""

    def __init__(self) -> None:
        self._tables: dict[bytes, SortedDict] = {}
        self._closed = False

    def table(self, name: bytes) -> Table:
        self._tables.setdefault(name, SortedDict())
        return name

    def read(self) -> MemoryReader:
        return MemoryReader(self._tables)

    async def write(self, job: Callable[[Writer], Value], *, committed: Callable[[Value], None] | None = None) -> Value:
        if self._closed:
            raise StorageFailedError("the store is closed")
        writer = MemoryWriter(self._tables)
        value = job(writer)
        self._tables = writer.tables
        if committed:
            committed(value)
        return value

    def close(self) -> None:
        self._closed = True


class MemoryReader:
    """`Reader` over tables that nobody changes any more."""

    def __init__(self, tables: dict[bytes, SortedDict]) -> None:
        self.tables = tables

    def get(self, table: Table, key: bytes) -> bytes | None:
        value: bytes | None = self.tables[table].get(key)
        return value

    def scan(
        self, table: Table, start: bytes = b"", stop: bytes | None = None, *, reverse: bool = False
    ) -> Iterator[tuple[bytes, bytes]]:
        pairs = self.tables[table]
        for key in self.keys(table, start, stop, reverse=reverse):
            yield key, pairs[key]

    def keys(
        self, table: Table, start: bytes = b"", stop: bytes | None = None, *, reverse: bool = False
    ) -> Iterator[bytes]:
        keys: Iterator[bytes] = self.tables[table].irange(start, stop, (True, False), reverse=reverse)
        return keys

    def entries(self, table: Table) -> int:
        return len(self.tables[table])

    def used_bytes(self, table: Table | None = None) -> int:
        tables = self.tables.values() if table is None else (self.tables[table],)
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
        self.tables = {}


class MemoryWriter(MemoryReader):
    """`Writer` that copies a table before its first change."""

    def __init__(self, tables: dict[bytes, SortedDict]) -> None:
        super().__init__(dict(tables))
        self._own: set[bytes] = set()

    def put(self, table: Table, key: bytes, value: bytes) -> None:
        _check_key(key)
        self._changing(table)[key] = value

    def insert(self, table: Table, key: bytes, value: bytes) -> bool:
        if key in self.tables[table]:
            return False
        self.put(table, key, value)
        return True

    def put_many(self, table: Table, items: Iterable[tuple[bytes, bytes]]) -> None:
        for key, value in items:
            self.put(table, key, value)

    def delete(self, table: Table, key: bytes) -> bool:
        return self._changing(table).pop(key, None) is not None

    def close(self) -> None:
        """The store takes the tables."""

    def _changing(self, table: bytes) -> SortedDict:
        if table not in self._own:
            self._own.add(table)
            self.tables[table] = SortedDict(self.tables[table])
        return self.tables[table]


def _check_key(key: bytes) -> None:
    """Refuses what LMDB refuses, so that no test passes here only."""
    if not 0 < len(key) <= STORAGE_KEY_BYTES:
        raise ValueError(f"a key of {len(key)} bytes; allowed are 1 to {STORAGE_KEY_BYTES}")
