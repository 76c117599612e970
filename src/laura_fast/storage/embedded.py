"""The contract of `ordered` over LMDB."""

from __future__ import annotations

from itertools import takewhile
from typing import TYPE_CHECKING, Any, Self

import lmdb

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from types import TracebackType

    from laura_fast.storage.environment import Environment
    from laura_fast.storage.ordered import Table, Value, Writer


class EmbeddedStore:
    """`Store` over one environment, which it closes."""

    def __init__(self, environment: Environment) -> None:
        self._environment = environment
        self._tables: list[Table] = []

    def table(self, name: bytes) -> Table:
        table = self._environment.table(name)
        if table not in self._tables:
            self._tables.append(table)
        return table

    def read(self) -> EmbeddedReader:
        return EmbeddedReader(self._environment.read(), self._tables, self._environment)

    async def write(self, job: Callable[[Writer], Value], *, committed: Callable[[Value], None] | None = None) -> Value:
        def run(transaction: lmdb.Transaction[bytes]) -> Value | _Refusal:
            writer = EmbeddedWriter(transaction, self._tables, self._environment)
            try:
                return job(writer)
            except (lmdb.MapFullError, lmdb.DiskError):
                raise
            except Exception as error:
                if writer.changed:
                    raise
                return _Refusal(error)

        def tell(value: Value | _Refusal) -> None:
            if committed and not isinstance(value, _Refusal):
                committed(value)

        value: Value | _Refusal = await self._environment.write(run, tell)
        if isinstance(value, _Refusal):
            raise value.error
        return value

    def close(self) -> None:
        self._environment.close()


class _Refusal:
    """What a job raised before it changed anything: nothing of its group needs to be done again."""

    def __init__(self, error: Exception) -> None:
        self.error = error


class EmbeddedReader:
    """`Reader` over a transaction."""

    __slots__ = ("_environment", "_tables", "_transaction")

    def __init__(self, transaction: lmdb.Transaction[bytes], tables: list[Table], environment: Environment) -> None:
        self._transaction = transaction
        self._tables = tables
        self._environment = environment

    def get(self, table: Table, key: bytes) -> bytes | None:
        return self._transaction.get(key, None, table)

    def scan(
        self, table: Table, start: bytes = b"", stop: bytes | None = None, *, reverse: bool = False
    ) -> Iterator[tuple[bytes, bytes]]:
        with self._transaction.cursor(table) as cursor:
            if not _place(cursor, start, stop, reverse=reverse):
                return
            if reverse:
                yield from takewhile(lambda pair: pair[0] >= start, cursor.iterprev())
            elif stop is None:
                yield from cursor
            else:
                yield from takewhile(lambda pair: pair[0] < stop, cursor)

    def keys(
        self, table: Table, start: bytes = b"", stop: bytes | None = None, *, reverse: bool = False
    ) -> Iterator[bytes]:
        with self._transaction.cursor(table) as cursor:
            if not _place(cursor, start, stop, reverse=reverse):
                return
            if reverse:
                yield from takewhile(start.__le__, cursor.iterprev(keys=True, values=False))
            elif stop is None:
                yield from cursor.iternext(keys=True, values=False)
            else:
                yield from takewhile(stop.__gt__, cursor.iternext(keys=True, values=False))

    def entries(self, table: Table) -> int:
        return self._transaction.stat(table)["entries"]

    def used_bytes(self, table: Table | None = None) -> int:
        tables = self._tables if table is None else (table,)
        return sum(_table_bytes(self._transaction.stat(table)) for table in tables)

    def free_bytes(self) -> int:
        file_bytes, disk_bytes = self._environment.space()
        return (file_bytes - self.used_bytes()) // 2 + disk_bytes  # runs of freed pages are not always long enough

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._transaction.abort()


class EmbeddedWriter(EmbeddedReader):
    """`Writer` over the transaction of a group; the environment commits it.

    Attributes:
        changed: Whether anything was written, or tried to be.
    """

    __slots__ = ("changed",)

    def __init__(self, transaction: lmdb.Transaction[bytes], tables: list[Table], environment: Environment) -> None:
        super().__init__(transaction, tables, environment)
        self.changed = False

    def put(self, table: Table, key: bytes, value: bytes) -> None:
        self.changed = True
        self._transaction.put(key, value, db=table)

    def insert(self, table: Table, key: bytes, value: bytes) -> bool:
        self.changed = True
        return self._transaction.put(key, value, overwrite=False, db=table)

    def put_many(self, table: Table, items: Iterable[tuple[bytes, bytes]]) -> None:
        self.changed = True
        with self._transaction.cursor(table) as cursor:
            cursor.putmulti(items)

    def delete(self, table: Table, key: bytes) -> bool:
        self.changed = True
        return self._transaction.delete(key, db=table)

    def clear(self, table: Table) -> None:
        self.changed = True
        self._transaction.drop(table, delete=False)

    def close(self) -> None:
        """The environment ends the transaction."""


def _place(cursor: lmdb.Cursor[bytes], start: bytes, stop: bytes | None, *, reverse: bool) -> bool:
    """Goes to where a scan begins; tells whether there is anything."""
    if not reverse:
        return cursor.set_range(start)
    return cursor.prev() if stop is not None and cursor.set_range(stop) else cursor.last()


def _table_bytes(stat: Any) -> int:
    pages: int = stat["branch_pages"] + stat["leaf_pages"] + stat["overflow_pages"]
    return pages * int(stat["psize"])
