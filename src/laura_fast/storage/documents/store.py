"""The documents of one node over an ordered store."""

from __future__ import annotations

import asyncio
import time
from itertools import count, islice
from typing import TYPE_CHECKING, TypeVar

from laura_fast.limits.storage import COLLECT_SLICE
from laura_fast.storage.crash_points import reach
from laura_fast.storage.documents import oplog
from laura_fast.storage.documents.catalog import Catalog, compile_definition, load
from laura_fast.storage.documents.changes import Changes
from laura_fast.storage.documents.copying import Copier, Place, check_collections
from laura_fast.storage.documents.layout import HEAD, Head, Tables, unpack_head
from laura_fast.storage.documents.ledger import Ledger
from laura_fast.storage.documents.quota import Quota
from laura_fast.storage.documents.reading import LastingSnapshot
from laura_fast.storage.documents.retention import Bounds, Retention, collect_slice
from laura_fast.storage.documents.session import WriteSession
from laura_fast.storage.documents.verification import verify
from laura_fast.storage.documents.verification.slices import Source

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from laura_fast.storage.documents.catalog import CompileIndex
    from laura_fast.storage.documents.copying import Portion
    from laura_fast.storage.documents.oplog import OplogEntry
    from laura_fast.storage.documents.verification.report import Report
    from laura_fast.storage.ordered import Reader, Store, Writer

Value = TypeVar("Value")


def wall_clock_ms() -> int:
    """Milliseconds since 1970."""
    return time.time_ns() // 1_000_000


class DocumentStore:
    """Collections with their indexes, old versions, oplog and ledger. Reads are cheap and may run on the event loop.

    Attributes:
        head: The newest commit.
        catalog: Of that commit.
        term: Of the entries to come; raise it before the first entry of a new primary.
        max_bytes: The quota; 0 = what the disk has.
        retention: How much of the past is kept.
        commit_point: Op id up to which nothing will be rolled back; None = everything is committed, as on one node.
        pins: Op ids that must stay in the oplog, by who needs them.
        guard: Called before each write of this node, on the writer's thread; raises where it may not write now.
        on_commit: Called with each new head, on the writer's thread. It must not raise.
    """

    def __init__(
        self,
        store: Store,
        compile_index: CompileIndex = compile_definition,
        *,
        now_ms: Callable[[], int] = wall_clock_ms,
        max_bytes: int = 0,
    ) -> None:
        """Opens what the store holds; it may wait for the disk."""
        self._store = store
        self._tables = Tables.of(store)
        self._compile_index = compile_index
        self._now_ms = now_ms
        self._ledger = Ledger(self._tables)
        self._quota = Quota()
        self.max_bytes = max_bytes
        self.retention = Retention()
        self.commit_point: int | None = None
        self.pins: dict[str, int] = {}
        self.guard: Callable[[], None] = lambda: None
        self.on_commit: Callable[[Head], None] = lambda _head: None
        with store.read() as reader:
            self.head = unpack_head(reader.get(self._tables.state, HEAD))
            self.catalog = load(reader, self._tables, self.head.catalog, compile_index)
        self._writers_catalog = self.catalog
        self._waiting = 0
        self._moved_at = 0.0
        self._tokens = count(self.head.catalog + 1)
        self.term = max(1, self.head.term)

    def reading(self, at: int | None = None) -> LastingSnapshot:
        """A snapshot, to be closed.

        Args:
            at: Commit time to read at; None = the newest.

        Raises:
            OutOfRangeError: SNAPSHOT_TOO_OLD or TIME_AHEAD.
        """
        return LastingSnapshot(self._store, self._tables, self._catalog_of, at)

    def read_oplog(self, start: int, max_entries: int, max_bytes: int) -> list[OplogEntry]:
        """Entries from an op id (inclusive) on: at most `max_entries`, and no more once they have `max_bytes`.

        Raises:
            OutOfRangeError: DIVERGED: `start` is beyond the entry after the newest.
            FailedPreconditionError: OPLOG_TRUNCATED: `start` is no longer kept.
            DataLossError: DAMAGED: the disk changed an entry.
        """
        found: list[OplogEntry] = []
        with self._store.read() as reader:
            head = unpack_head(reader.get(self._tables.state, HEAD))
            for entry in islice(oplog.read_from(reader, self._tables, head, start), max_entries):
                found.append(entry)
                max_bytes -= entry.size
                if max_bytes <= 0:
                    break
        return found

    def copy(self, place: Place, max_bytes: int, names: Sequence[str] = ()) -> Portion:
        """The next portion of a copy of the newest state.

        Args:
            place: Where the portion before ended.
            max_bytes: It ends when it has so many, with the document that reaches them.
            names: Namespaces; none = everything, with the outcomes of requests.

        Raises:
            NotFoundError: NO_COLLECTION: at the beginning, one of them is not there.
        """
        with self._store.read() as reader:
            head = unpack_head(reader.get(self._tables.state, HEAD))
            catalog = self._catalog_of(reader, head.catalog)
            if place == Place():
                check_collections(catalog, names)
            return Copier(reader, self._tables, catalog, max_bytes).read(head, place, names)

    def first_id(self) -> int:
        """Op id of the oldest entry that is kept; the id after the newest when none is."""
        with self._store.read() as reader:
            return oplog.first_id(reader, self._tables, unpack_head(reader.get(self._tables.state, HEAD)))

    def job_end(self, op_id: int) -> int:
        """Op id of the newest entry up to this one with which a job ended; see `oplog.job_end`."""
        with self._store.read() as reader:
            return oplog.job_end(reader, self._tables, op_id)

    async def write(self, job: Callable[[WriteSession], Value], *, request_id: str = "", guarded: bool = True) -> Value:
        """Runs a job; all of its changes are durable when this returns, or none happened when it raises.

        Args:
            job: May run more than once, on the writer's thread: it derives everything from its session and arguments.
            request_id: For the oplog entries.
            guarded: False for what comes with the log of another node, which no guard may refuse.

        Raises:
            OverloadedError: STORAGE_FULL; reads go on.
            StorageFailedError: The disk failed: this node must stop.
            Exception: Whatever the job raised.
        """

        def run(changes: Changes) -> Value:
            if guarded:
                self.guard()
            self._quota.begin(changes.writer, self.max_bytes)
            return job(WriteSession(changes, self._compile_index, self._quota))

        return await self._change(run, request_id)

    async def collect(self) -> bool:
        """Lets go of a slice of what is no longer needed; tells whether to call again at once.

        Raises:
            OverloadedError: STORAGE_FULL: the disk is so full that not even this works.
            StorageFailedError: The disk failed.
        """

        def run(changes: Changes) -> bool:
            now = self._now_ms()
            pin = min(self.pins.values(), default=None)
            reach("collecting")
            bounds = Bounds.of(changes, self.retention, now, commit_point=self.commit_point, pin=pin)
            return collect_slice(changes, self.retention, bounds, COLLECT_SLICE)

        return await self._change(run)

    async def verify(self, replica: Store | None = None) -> AsyncIterator[Report]:
        """Checks everything against everything, in slices, while reads and writes go on.

        Args:
            replica: An empty store on which to replay the oplog, where it reaches back to its beginning; None = don't.

        Yields:
            The same report after every slice; the last time it is `finished`.
        """
        other = DocumentStore(replica, self._compile_index) if replica else None
        async for report in verify(Source(self._store, self._tables, self._catalog_of), self, other):
            yield report

    def close(self) -> None:
        """Finishes the queued writes and lets the engine go. Idempotent."""
        self._store.close()

    async def _change(self, job: Callable[[Changes], Value], request_id: str = "") -> Value:
        def run(writer: Writer) -> tuple[Value, Head, Catalog]:
            reach("job-begun")
            changes = self._changes(writer, request_id)
            value = job(changes)
            head = changes.finish()
            self._writers_catalog = changes.catalog
            reach("job-finished")
            return value, head, changes.catalog

        time = asyncio.get_running_loop().time
        self._moved_at = self._moved_at if self._waiting else time()
        self._waiting += 1
        try:
            value, _, _ = await self._store.write(run, committed=self._publish)
        finally:
            self._waiting -= 1
            self._moved_at = time()
        return value

    def waits_s(self, now: float) -> float:
        """Seconds, by the event loop's time, since jobs wait and none of them ends; 0.0 when none waits."""
        return now - self._moved_at if self._waiting else 0.0

    def _changes(self, writer: Writer, request_id: str) -> Changes:
        head = unpack_head(writer.get(self._tables.state, HEAD))
        catalog = self._catalog_of(writer, head.catalog)
        return Changes(
            writer,
            self._tables,
            self._ledger,
            head,
            catalog,
            term=self.term,
            now=self._now_ms(),
            token=lambda: next(self._tokens),
            request_id=request_id,
        )

    def _catalog_of(self, reader: Reader, token: int) -> Catalog:
        """The catalog of a state: nearly always one of the two at hand."""
        for catalog in (self.catalog, self._writers_catalog):
            if catalog.token == token:
                return catalog
        return load(reader, self._tables, token, self._compile_index)

    def _publish(self, outcome: tuple[object, Head, Catalog]) -> None:
        _, self.head, self.catalog = outcome
        reach("job-published")
        self.on_commit(self.head)
