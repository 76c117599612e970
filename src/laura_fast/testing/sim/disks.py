"""A disk that takes its time, may stall or fail, and on which a crash finds only what was synced.

Jobs are done as `storage.environment` does them: those that wait are run together as one group, then the group is
synced, and only then is anybody told. Between the run and the end of the sync time passes, in which everything else
goes on. The named points of `storage.crash_points` are passed where the environment passes them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from laura_fast.errors import StorageFailedError
from laura_fast.storage.crash_points import reach
from laura_fast.storage.memory import MemoryWriter
from laura_fast.testing.sim.loop import NOWHERE

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from laura_fast.storage.memory import MemoryReader, MemoryStore
    from laura_fast.storage.ordered import Table, Value
    from laura_fast.testing.sim.loop import Process, VirtualLoop

GROUP: int = 8
"""Jobs that share a sync at most."""
Change = TypeVar("Change")


class Files(Protocol[Change]):
    """What outlives a process."""

    def begin(self) -> Change:
        """Changes that nobody sees yet."""

    def commit(self, writer: Change) -> None:
        """Makes them durable."""


class DiedError(BaseException):
    """The process reached the point at which it was to die."""


class _Job:
    """One job and the future of its caller."""

    __slots__ = ("committed", "error", "future", "run", "value")

    def __init__(
        self, run: Callable[[Any], Any], committed: Callable[[Any], None] | None, future: asyncio.Future[Any]
    ) -> None:
        self.run = run
        self.committed = committed
        self.future = future
        self.value: Any = None
        self.error: Exception | None = None


class SimulatedDisk(Generic[Change]):
    """The disk of one life of a member, over files that outlive it.

    Attributes:
        failing: The next sync fails, and the disk with it.
    """

    def __init__(
        self,
        files: Files[Change],
        loop: VirtualLoop,
        process: Process,
        *,
        sync_s: Callable[[], float],
        changed: Callable[[], None],
        died: Callable[[], None],
    ) -> None:
        """Prepares.

        Args:
            files: What is on it.
            loop: Gives the time.
            process: Whose disk it is.
            sync_s: What the next sync takes.
            changed: Called when the files have changed.
            died: Called when the process reached the point at which it dies, or its disk failed.
        """
        self.failing = False
        self._files = files
        self._loop = loop
        self._process = process
        self._sync_s = sync_s
        self._changed = changed
        self._died = died
        self._queue: list[_Job] = []
        self._group: list[_Job] = []
        self._writer: Change | None = None
        self._failed = False

    async def write(self, job: Callable[[Change], Value], *, committed: Callable[[Value], None] | None = None) -> Value:
        """Runs a job; its changes are on disk when this returns."""
        self._check()
        future = self._loop.create_future()
        self._queue.append(_Job(job, committed, future))
        if not self._group:
            self._begin()
        value: Value = await future
        return value

    def lose_power(self, *, synced: bool) -> None:
        """The process is dead.

        Args:
            synced: Whether a sync that was on its way had come to its end, unheard.
        """
        if self._writer is not None and synced:
            self._files.commit(self._writer)
            self._changed()
        self._writer = None

    def _check(self) -> None:
        if self._failed:
            raise StorageFailedError("the disk failed")

    def _begin(self) -> None:
        group, self._queue = self._queue[:GROUP], self._queue[GROUP:]
        self._group = group
        try:
            self._writer = self._run_jobs(group)
        except DiedError:
            self._died()
            return
        self._loop.call_later(self._sync_s(), self._end, context=self._process.context)

    def _run_jobs(self, group: list[_Job]) -> Change:
        """Runs them, again from the beginning without each that raises."""
        while True:
            writer = self._files.begin()
            for job in group:
                if job.error is None:
                    try:
                        job.value = job.run(writer)
                    except Exception as error:  # noqa: BLE001 - the caller gets it
                        job.error = error
                        break
            else:
                return writer

    def _end(self) -> None:
        if self.failing:
            self._fail()
            return
        group, writer, self._writer = self._group, self._writer, None
        try:
            reach("group-finished")
            self._commit(writer)
            reach("group-committed")
            for job in group:
                if job.committed and job.error is None:
                    job.committed(job.value)
            self._settle(group)
            reach("group-told")
        except DiedError:
            self._died()
            return
        self._group = []
        if self._queue:
            self._begin()

    def _commit(self, writer: Any) -> None:
        self._files.commit(writer)
        self._loop.call_soon(self._changed, context=NOWHERE)

    def _settle(self, group: list[_Job]) -> None:
        for job in group:
            if not job.future.done():
                if job.error:
                    job.future.set_exception(job.error)
                else:
                    job.future.set_result(job.value)

    def _fail(self) -> None:
        """Nobody knows what a failed sync has left; a server that is told ends itself."""
        self._failed = True
        for job in [*self._group, *self._queue]:
            job.error = StorageFailedError("the disk failed")
        self._settle([*self._group, *self._queue])
        self._loop.call_later(self._sync_s(), self._died, context=NOWHERE)


class StoreDisk(SimulatedDisk[MemoryWriter]):
    """`Store` of the storage engine on such a disk."""

    def __init__(self, files: MemoryStore, *given: Any, **named: Any) -> None:
        super().__init__(files, *given, **named)
        self._tables = files

    def table(self, name: bytes) -> Table:
        return self._tables.table(name)

    def read(self) -> MemoryReader:
        return self._tables.read()

    def close(self) -> None:
        """The files stay."""
