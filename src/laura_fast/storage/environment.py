"""One LMDB environment: opened exclusively, written by one thread, synced by every commit.

Jobs that arrive while a commit runs share the next one (group commit), so N concurrent writers cost far fewer than N
fsyncs. The event loop never waits for the disk: it awaits a future that the writer thread completes after the sync.
"""

from __future__ import annotations

import asyncio
import errno
import os
import threading
from collections import deque
from time import monotonic
from typing import TYPE_CHECKING, Any

import lmdb

from laura_fast.errors import DataDirectoryError, OverloadedError, StorageFailedError
from laura_fast.limits.storage import (
    DISK_FULL_BYTES,
    DISK_RESERVE_BYTES,
    DISK_RESERVE_SHARE,
    MAX_COMMIT_DELAY_S,
    MAX_COMMIT_JOBS,
    STORAGE_MAP_BYTES,
    STORAGE_READERS,
    STORAGE_SPARE_READERS,
    STORAGE_TABLES,
)
from laura_fast.storage.crash_points import reach
from laura_fast.storage.directory import DirectoryLock

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Job = Callable[[lmdb.Transaction[bytes]], Any]


_EIO = os.strerror(errno.EIO)


class Environment:
    """Durable tables of bytes → bytes in one directory. Create with `open`.

    Attributes:
        on_failure: Called once, on the writer's thread, when the disk failed for good.
    """

    def __init__(self, lock: DirectoryLock, handle: lmdb.Environment) -> None:
        self._lock = lock
        self._handle = handle
        self._tables: dict[bytes, Any] = {}
        self.on_failure: Callable[[StorageFailedError], None] = lambda _error: None
        self._writer = _Writer(handle, self._tell)

    def _tell(self, error: StorageFailedError) -> None:
        self.on_failure(error)

    @classmethod
    def open(cls, path: Path) -> Environment:
        """Opens the directory, creating it when absent.

        Raises:
            DataDirectoryError: Another process holds it, it can't be written, or its content is not ours.
        """
        lock = DirectoryLock.acquire(path)
        try:
            handle = lmdb.open(
                str(path),
                map_size=STORAGE_MAP_BYTES,
                max_dbs=STORAGE_TABLES,
                max_readers=STORAGE_READERS,
                max_spare_txns=STORAGE_SPARE_READERS,
                mode=0o600,
            )
        except lmdb.Error as error:
            lock.release()
            raise DataDirectoryError(f"data directory {path} can't be opened: {error}") from error
        return cls(lock, handle)

    def table(self, name: bytes) -> Any:
        """The handle of a named table, created when absent. Call at set-up: it may wait for the disk."""
        if name not in self._tables:
            self._tables[name] = self._handle.open_db(name)
        return self._tables[name]

    def read(self) -> lmdb.Transaction[bytes]:
        """A snapshot for reading. Keep it short: it pins every page that was freed since."""
        return self._handle.begin()

    def commits(self) -> int:
        """How many commits the data has seen, each of them synced."""
        return int(self._handle.info()["last_txnid"])

    def space(self) -> tuple[int, int]:
        """What the data file occupies, freed pages included; by how much it may grow and leave the disk its reserve."""
        info, path = self._handle.info(), self._handle.path()
        disk = os.statvfs(path)
        reserve = min(DISK_RESERVE_BYTES, disk.f_blocks * disk.f_frsize // DISK_RESERVE_SHARE)
        page_bytes = self._handle.stat()["psize"]
        return (info["last_pgno"] + 1) * page_bytes, _free_bytes(path) - reserve

    async def write(self, job: Job, committed: Callable[[Any], None] | None = None) -> Any:
        """Runs `job(transaction)` on the writer thread; returns its value once the commit is on disk.

        A job may run more than once (its group is retried without a job that raised), so it must derive everything
        from the transaction and its own arguments. `committed` gets the value after the commit, on the writer's
        thread, in the order of the jobs and even when the caller was cancelled; it must not raise.

        Raises:
            OverloadedError: The disk or the map is full; nothing was written.
            StorageFailedError: The disk failed; this environment accepts no more writes.
            Exception: Whatever the job raised; nothing of it was written.
        """
        return await self._writer.submit(job, committed)

    def close(self) -> None:
        """Finishes the queued writes and releases the directory. Idempotent."""
        self._writer.stop()
        self._handle.close()
        self._lock.release()


class _Writer:
    """The one thread that may open write transactions (LMDB binds them to a thread)."""

    def __init__(self, handle: lmdb.Environment, on_failure: Callable[[StorageFailedError], None]) -> None:
        self._handle = handle
        self._on_failure = on_failure
        self._queue: deque[_Pending] = deque()
        self._wake = threading.Condition()
        self._stopping = False
        self._failure: StorageFailedError | None = None
        self._thread = threading.Thread(target=self._run, name="storage-writer", daemon=True)
        self._thread.start()

    async def submit(self, job: Job, committed: Callable[[Any], None] | None) -> Any:
        pending = _Pending(job, committed, asyncio.get_running_loop())
        with self._wake:
            if self._stopping:
                raise StorageFailedError("the storage environment is closed")
            if self._failure:
                raise self._failure
            self._queue.append(pending)
            self._wake.notify()
        return await pending.future

    def stop(self) -> None:
        with self._wake:
            self._stopping = True
            self._wake.notify()
        self._thread.join()

    def _run(self) -> None:
        while group := self._next_group():
            try:
                settled = self._commit(group)
            except BaseException as error:  # noqa: BLE001 - a waiter must never be left hanging, whatever broke
                self._fail(group, error)
                settled = group
            _settle(settled)
            reach("group-told")

    def _next_group(self) -> list[_Pending]:
        with self._wake:
            while not self._queue and not self._stopping:
                self._wake.wait()
            return [self._queue.popleft() for _ in range(min(len(self._queue), MAX_COMMIT_JOBS))]

    def _commit(self, group: list[_Pending]) -> list[_Pending]:
        """Commits the group, again without each job that raises, so that one bad job costs the others nothing.

        Jobs that would make the others wait for too long go back into the queue.

        Returns:
            Those that succeeded or raised.
        """
        raised: list[_Pending] = []
        while group:
            transaction = self._handle.begin(write=True)
            try:
                ran, bad = _run_jobs(transaction, group)
            except BaseException:
                transaction.abort()
                raise
            if bad is None:
                reach("group-finished")
                transaction.commit()
                reach("group-committed")
                _tell_committed(group[:ran])
                self._put_back(group[ran:])
                return raised + group[:ran]
            transaction.abort()
            raised.append(bad)
            group = [pending for pending in group if pending is not bad]
        return raised

    def _put_back(self, group: list[_Pending]) -> None:
        with self._wake:
            self._queue.extendleft(reversed(group))

    def _fail(self, group: list[_Pending], error: BaseException) -> None:
        """A full disk refuses this group; any other failure of a commit is final (a failed fsync can't be retried).

        LMDB calls a write that the disk cut short an input/output error. On a full disk that is harmless: such pages
        belong to no state until the meta page names them, and LMDB itself is unusable when writing that page fails.
        """
        answer: Exception
        if _is_full(error) or (_EIO in str(error) and _free_bytes(self._handle.path()) < DISK_FULL_BYTES):
            answer = OverloadedError("the disk is full: nothing was written", "STORAGE_FULL")
        else:
            answer = failure = StorageFailedError(f"the disk failed: {error}")
            with self._wake:
                self._failure = failure
                group.extend(self._queue)
                self._queue.clear()
            self._on_failure(failure)
        for pending in group:
            pending.error = pending.error or answer


class _Pending:
    """One job and the future of its caller."""

    __slots__ = ("committed", "error", "future", "job", "loop", "value")

    def __init__(self, job: Job, committed: Callable[[Any], None] | None, loop: asyncio.AbstractEventLoop) -> None:
        self.job = job
        self.committed = committed
        self.loop = loop
        self.future: asyncio.Future[Any] = loop.create_future()
        self.value: Any = None
        self.error: Exception | None = None

    def settle(self) -> None:
        if self.future.done():  # the caller was cancelled while the commit ran
            return
        if self.error is None:
            self.future.set_result(self.value)
        else:
            self.future.set_exception(self.error)


def _run_jobs(transaction: lmdb.Transaction[bytes], group: list[_Pending]) -> tuple[int, _Pending | None]:
    """Runs jobs, at least one, until a commit is due; returns how many, and the one that raised, its error noted."""
    due = monotonic() + MAX_COMMIT_DELAY_S
    for ran, pending in enumerate(group, start=1):
        try:
            pending.value = pending.job(transaction)
        except (lmdb.MapFullError, lmdb.DiskError):
            raise
        except Exception as error:  # noqa: BLE001 - the caller gets it
            pending.error = error
            return ran, pending
        if monotonic() >= due:
            return ran, None
    return len(group), None


def _tell_committed(group: list[_Pending]) -> None:
    for pending in group:
        if pending.committed:
            pending.committed(pending.value)


def _settle(group: list[_Pending]) -> None:
    """Wakes the callers: one hand-over per event loop and group, not one per job."""
    by_loop: dict[asyncio.AbstractEventLoop, list[_Pending]] = {}
    for pending in group:
        by_loop.setdefault(pending.loop, []).append(pending)
    for loop, settled in by_loop.items():
        if not loop.is_closed():
            loop.call_soon_threadsafe(_settle_all, settled)


def _settle_all(settled: list[_Pending]) -> None:
    for pending in settled:
        pending.settle()


def _free_bytes(path: str) -> int:
    disk = os.statvfs(path)
    return disk.f_bavail * disk.f_frsize


def _is_full(error: BaseException) -> bool:
    return isinstance(error, lmdb.MapFullError) or errno.ENOSPC in error.args or "No space left" in str(error)
