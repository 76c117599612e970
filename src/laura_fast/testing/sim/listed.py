"""Registers and a log in plain lists: what `DocumentLog` asks of the document store, at a fraction of its cost.

Most seeds run over this, so that there can be many of them; the rest run over the storage engine itself. Like the
engine's, its jobs run on a `SimulatedDisk` and pass the named crash points in the same order.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Self

from laura_fast.errors import OutOfRangeError
from laura_fast.storage.crash_points import reach
from laura_fast.storage.documents.layout import Head
from laura_fast.storage.documents.oplog import Operation, OplogEntry

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from laura_fast.testing.sim.disks import SimulatedDisk

START = Head()


class Listed:
    """Files of one member.

    Attributes:
        entries: The log.
        registers: What it made of them.
        state: Small values by name.
    """

    def __init__(self) -> None:
        self.entries: list[OplogEntry] = []
        self.registers: dict[str, bytes] = {}
        self.state: dict[bytes, bytes] = {}
        self._images: list[bytes | None] = []

    def begin(self) -> Session:
        return Session(self)

    def commit(self, writer: Session) -> None:
        while len(self.entries) > writer.kept:
            self._undo(self.entries.pop(), self._images.pop())
        for entry in writer.added:
            self.entries.append(entry)
            self._images.append(self.registers.get(entry.namespace))
            if entry.operation != Operation.NOOP:
                self.registers[entry.namespace] = entry.document
        self.state |= writer.state

    def _undo(self, entry: OplogEntry, image: bytes | None) -> None:
        if entry.operation == Operation.NOOP:
            return
        if image is None:
            del self.registers[entry.namespace]
        else:
            self.registers[entry.namespace] = image


class Session:
    """Changes of one group of jobs: as much of a `WriteSession` as is needed, and its own `Changes`.

    Attributes:
        kept: How many entries of the files stay.
        added: Those that come behind them.
        term: Of entries to come.
    """

    def __init__(self, files: Listed) -> None:
        self.kept = len(files.entries)
        self.added: list[OplogEntry] = []
        self.state: dict[bytes, bytes] = {}
        self.term = 0
        self._files = files

    @property
    def changes(self) -> Self:
        """Itself."""
        return self

    @property
    def op_id(self) -> int:
        """Of the newest entry."""
        return self.kept + len(self.added)

    def head(self) -> Head:
        """The end of the log."""
        if not self.op_id:
            return START
        last = self.added[-1] if self.added else self._files.entries[self.kept - 1]
        return Head(last.op_id, last.term, last.time, 0)

    def put(self, register: str, value: bytes) -> None:
        """Sets a register."""
        self._log(Operation.INSERT, register, value)

    def log_noop(self) -> None:
        """Appends an entry that changes nothing."""
        self._log(Operation.NOOP, "", b"")

    def _log(self, operation: Operation, register: str, value: bytes) -> None:
        head = self.head()
        self.added.append(
            OplogEntry(head.op_id + 1, max(self.term, head.term), head.time + 1, operation, register, value)
        )

    def append(self, entry: OplogEntry) -> None:
        """Appends an entry of the primary; one that is here is passed over."""
        if entry.op_id <= self.op_id:
            if self._entry(entry.op_id) != entry:
                raise OutOfRangeError(f"another entry {entry.op_id} is here", "CONFLICT")
            return
        if entry.op_id != self.op_id + 1 or entry.term < self.head().term:
            raise OutOfRangeError(f"entry {entry.op_id} does not fit behind {self.op_id}", "GAP")
        self.added.append(entry)

    def roll_back(self, op_id: int, limit: int) -> None:
        """Undoes entries above an op id, at most so many."""
        target = max(op_id, self.op_id - limit)
        del self.added[max(0, target - self.kept) :]
        self.kept = min(self.kept, target)

    def set_state(self, name: bytes, value: bytes) -> None:
        """Sets a small value."""
        self.state[name] = value

    def _entry(self, op_id: int) -> OplogEntry:
        return self._files.entries[op_id - 1] if op_id <= self.kept else self.added[op_id - self.kept - 1]


class ListedStore:
    """As much of a `DocumentStore` as `DocumentLog` and clients need; its attributes mean the same."""

    def __init__(self, files: Listed, disk: SimulatedDisk[Session], batch: int) -> None:
        self._files = files
        self._disk = disk
        self._batch = batch
        self._waiting = 0
        self._moved_at = 0.0
        self.head = files.begin().head()
        self.term = max(1, self.head.term)
        self.commit_point: int | None = None
        self.pins: dict[str, int] = {}
        self.guard: Callable[[], None] = lambda: None
        self.on_commit: Callable[[Head], None] = lambda _head: None

    async def write(self, job: Callable[[Any], Any], *, request_id: str = "", guarded: bool = True) -> Any:  # noqa: ARG002 - as the store's
        """See `DocumentStore.write`."""

        def run(session: Session) -> tuple[Any, Head]:
            reach("job-begun")
            session.term = self.term
            if guarded:
                self.guard()
            value = job(session)
            reach("documents-written")
            reach("log-written")
            reach("job-finished")
            return value, session.head()

        time = asyncio.get_running_loop().time
        self._moved_at = self._moved_at if self._waiting else time()
        self._waiting += 1
        try:
            value, _ = await self._disk.write(run, committed=self._publish)
        finally:
            self._waiting -= 1
            self._moved_at = time()
        return value

    def _publish(self, outcome: tuple[Any, Head]) -> None:
        self.head = outcome[1]
        reach("job-published")
        self.on_commit(self.head)

    def read_oplog(self, start: int, max_entries: int, max_bytes: int) -> Sequence[OplogEntry]:  # noqa: ARG002 - as the store's
        """See `DocumentStore.read_oplog`."""
        if start > len(self._files.entries) + 1:
            raise OutOfRangeError(f"the oplog ends at {len(self._files.entries)}; asked from {start}", "DIVERGED")
        return self._files.entries[start - 1 : start - 1 + min(max_entries, self._batch)]

    def waits_s(self, now: float) -> float:
        """See `DocumentStore.waits_s`."""
        return now - self._moved_at if self._waiting else 0.0

    def job_end(self, op_id: int) -> int:
        """See `DocumentStore.job_end`: jobs here have one entry."""
        return op_id

    def register(self, name: str, at: int | None) -> bytes | None:
        """What a register held at a commit time; None = holds now."""
        if at is None or at >= self.head.time:
            return self._files.registers.get(name)
        entries = reversed(self._files.entries)
        return next((entry.document for entry in entries if entry.time <= at and entry.namespace == name), None)

    def reading(self) -> _Reading:
        """See `DocumentStore.reading`."""
        return _Reading(self._files)


class _Reading:
    def __init__(self, files: Listed) -> None:
        self._files = files

    def state(self, name: bytes) -> bytes | None:
        """A small value, as `Session.set_state` set it."""
        return self._files.state.get(name)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing is held."""
