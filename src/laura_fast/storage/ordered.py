"""What everything durable asks of an engine: named tables of bytes → bytes, ordered bytewise, changed all or nothing.

Two engines keep this contract under the same tests: LMDB for servers, one in memory for tests and simulations.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, Self, TypeAlias, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from types import TracebackType

Table: TypeAlias = Any
"""A handle that `Store.table` gave; it belongs to that store."""

Value = TypeVar("Value")


class Reader(Protocol):
    """One state of all tables. Close it soon: an open one pins every page that was freed since."""

    def get(self, table: Table, key: bytes) -> bytes | None:
        """The value of a key; None when absent."""

    def scan(
        self, table: Table, start: bytes = b"", stop: bytes | None = None, *, reverse: bool = False
    ) -> Iterator[tuple[bytes, bytes]]:
        """Pairs with `start` <= key < `stop` (None = to the end) in key order, or from the last to the first.

        In a job, change the scanned table only when the scan is finished.
        """

    def keys(
        self, table: Table, start: bytes = b"", stop: bytes | None = None, *, reverse: bool = False
    ) -> Iterator[bytes]:
        """The same without the values, which are not even looked at."""

    def entries(self, table: Table) -> int:
        """How many keys a table holds; takes no time."""

    def used_bytes(self, table: Table | None = None) -> int:
        """What a table, or all of them, occupy, freed space not counted; takes no time."""

    def free_bytes(self) -> int:
        """By how much the tables may grow before the engine's place is so full that nothing could be freed any more."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def close(self) -> None:
        """Lets the state go. Idempotent."""


class Writer(Reader, Protocol):
    """The newest state, with the changes that this job and the jobs before it in its group made."""

    def put(self, table: Table, key: bytes, value: bytes) -> None:
        """Sets a value. Keys have 1 to `STORAGE_KEY_BYTES` bytes."""

    def insert(self, table: Table, key: bytes, value: bytes) -> bool:
        """Sets a value unless the key is there; tells whether it did."""

    def put_many(self, table: Table, items: Iterable[tuple[bytes, bytes]]) -> None:
        """Sets many values: several times as fast as one by one, fastest in key order."""

    def delete(self, table: Table, key: bytes) -> bool:
        """Removes a key; tells whether it was there."""

    def clear(self, table: Table) -> None:
        """Removes every key, faster than one by one."""


class Store(Protocol):
    """An engine."""

    def table(self, name: bytes) -> Table:
        """The handle of a named table, created when absent. Call at set-up: it may wait for the disk."""

    def read(self) -> Reader:
        """The newest committed state."""

    async def write(self, job: Callable[[Writer], Value], *, committed: Callable[[Value], None] | None = None) -> Value:
        """Runs a job; its changes are durable when this returns, or none of them happened when it raises.

        Args:
            job: May run more than once, on another thread: it derives everything from the writer and its arguments.
            committed: Gets the job's value after the commit, before anybody who waits for it and whether or not
                the caller still waits; on the writer's thread. It must not raise.

        Raises:
            OverloadedError: The disk is full; nothing was written.
            StorageFailedError: The disk failed; this store accepts no more writes.
            Exception: Whatever the job raised.
        """

    def close(self) -> None:
        """Finishes the queued writes and lets the engine go. Idempotent."""
