"""The database of one node: what its services ask."""

from __future__ import annotations

import asyncio
import math
from functools import partial
from typing import TYPE_CHECKING, Final

from bson.int64 import Int64
from bson.timestamp import Timestamp

from laura_fast.domain.documents.budget import Budget
from laura_fast.domain.documents.filters import compile_filter
from laura_fast.domain.documents.updates import compile_update
from laura_fast.errors import DeadlineError, InvalidArgumentError, StorageFailedError, UnavailableError
from laura_fast.limits import database as limits
from laura_fast.node.database.aggregates import Aggregates
from laura_fast.node.database.apart import apart
from laura_fast.node.database.changes import Changes, Job
from laura_fast.node.database.choosing import Asked, choose
from laura_fast.node.database.collections import Collections
from laura_fast.node.database.commands import DeleteCommand, UpdateCommand, UpdateOutcome
from laura_fast.node.database.explaining import explain_aggregate, explain_query
from laura_fast.node.database.identifiers import generated_id
from laura_fast.node.database.index_builds import IndexBuilds
from laura_fast.node.database.inserts import Insert
from laura_fast.node.database.modifying import Deleting, Updating
from laura_fast.node.database.names import parts
from laura_fast.node.database.once import Writes, ticket
from laura_fast.node.database.queries import Queries, decode_optional
from laura_fast.node.database.readers import Readers
from laura_fast.node.database.replication import Alone
from laura_fast.node.database.upkeep import Upkeep
from laura_fast.node.database.variables import variables
from laura_fast.node.database.verifying import Verifications

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from laura_fast.domain.documents.codec import Document
    from laura_fast.domain.documents.filters import Filter
    from laura_fast.node.database.access import Access
    from laura_fast.node.database.changes import Counts
    from laura_fast.node.database.commands import (
        AggregateCommand,
        InsertCommand,
        InsertOutcome,
        Origin,
        Page,
        QueryCommand,
    )
    from laura_fast.node.database.concerns import ReadConcern
    from laura_fast.node.database.cursors import Cursors
    from laura_fast.node.database.once import Ticket
    from laura_fast.node.database.replication import Replication
    from laura_fast.node.database.settings import DatabaseSettings
    from laura_fast.node.ports import Clock
    from laura_fast.storage.documents.snapshot import Snapshot
    from laura_fast.storage.documents.store import DocumentStore

_NO_BOUND: Final = (1 << 63) - 1


class Database:
    """Queries and writes. Writes answer bytes, as the answer of a repeated request must be the same one.

    Attributes:
        store: The documents.
        collections: Which there are, and their indexes.
        index_builds: How indexes come into being.
        verifications: Checks of everything stored.
        replication: Says when writes are taken and safe; a node without others until it is replaced.
    """

    def __init__(self, store: DocumentStore, cursors: Cursors, clock: Clock, settings: DatabaseSettings) -> None:
        """Starts its threads, its upkeep and unfinished index builds, in the event loop; call `close` in the end."""
        self.store = store
        self._clock = clock
        self._settings = settings
        self._readers = Readers()
        self._upkeep = Upkeep(store)
        self._upkeep.start()
        self.collections = Collections(store, self._readers)
        self.index_builds = IndexBuilds(store, clock.monotonic)
        self.index_builds.start()
        self.verifications = Verifications(store)
        self.replication: Replication = Alone(store, clock)
        self._writes = Writes()
        self._queries = Queries(store, cursors, clock.wall_ms)
        self._aggregates = Aggregates(store, clock.wall_ms, settings.max_answer_bytes)
        self._changes = Changes(store, self._readers)

    async def close(self) -> None:
        """Finishes the writes that run, ends the reads."""
        await self._upkeep.stop()
        await self.index_builds.stop()
        await self._writes.drain()
        await asyncio.to_thread(self._stop_threads)

    def _stop_threads(self) -> None:
        self.verifications.stop()
        self._readers.stop()
        self._aggregates.stop()

    async def query(self, command: QueryCommand) -> Page:
        """One page; raises what `Queries.page` raises."""
        if (found := self._queries.lookup(command)) is not None:
            return found
        budget = self.budget(command.seconds, command.max_examined)
        return await self._readers.run(lambda: self._queries.page(command, budget))

    async def aggregate(self, command: AggregateCommand) -> list[bytes]:
        """A pipeline's results; raises what `Aggregates.run` raises."""
        return await self._aggregates.run(command, self.budget(command.seconds, command.max_examined))

    async def explain_query(self, command: QueryCommand, *, execute: bool) -> Document:
        """The plan of a query; with `execute`, also what its first page took."""
        told = await self._readers.run(lambda: explain_query(self.store, command, self._clock.wall_ms()))
        if not execute:
            return told
        started = self._clock.monotonic()
        page = await self.query(command)
        return told | {
            "executed": self._took(started, page.examined, len(page.documents)) | {"more": bool(page.cursor_id)}
        }

    async def explain_aggregate(self, command: AggregateCommand, *, execute: bool) -> Document:
        """The plan of what a pipeline begins with; with `execute`, also what all of it took."""
        told = await self._readers.run(lambda: explain_aggregate(self.store, command, self._clock.wall_ms()))
        if not execute:
            return told
        started, budget = self._clock.monotonic(), self.budget(command.seconds, command.max_examined)
        results = await self._aggregates.run(command, budget)
        return told | {"executed": self._took(started, budget.examined, len(results))}

    def _took(self, started: float, examined: int, returned: int) -> Document:
        milliseconds = (self._clock.monotonic() - started) * 1000
        return {"examined": Int64(examined), "returned": returned, "milliseconds": milliseconds}

    async def moment(self, concern: ReadConcern, after: int, seconds: float) -> int | None:
        """The commit time to read at, None = the newest, once this node can tell; raises as `Replication.moment`.

        Raises:
            DeadlineError: READ_CONCERN_TIMEOUT.
        """
        try:
            async with asyncio.timeout(seconds):
                return await self.replication.moment(concern, after)
        except TimeoutError:
            text = f"what read_concern {concern.value} and after_time ask for was not known here in time"
            raise DeadlineError(text, "READ_CONCERN_TIMEOUT") from None

    def has_database(self, database: str) -> bool:
        """Whether some collection is in it."""
        return any(parts(place)[0] == database for place in self.store.catalog.collections)

    async def insert(self, command: InsertCommand, origin: Origin, respond: Callable[[InsertOutcome], bytes]) -> bytes:
        """Adds documents, each by itself; what `respond` makes of the outcome.

        Raises:
            InvalidArgumentError: TOO_MANY_DOCUMENTS. What is wrong with one document is in the outcome instead.
            AlreadyExistsError: REQUEST_ID_REUSED.
            OverloadedError: The disk is full, or too many writes run.
        """
        if len(command.documents) > limits.MAX_INSERT_DOCUMENTS:
            text = f"{len(command.documents)} documents in one request; allowed: {limits.MAX_INSERT_DOCUMENTS}"
            raise InvalidArgumentError(text, "TOO_MANY_DOCUMENTS")
        size = sum(map(len, command.documents))
        request = await apart(size, partial(ticket, origin, command.namespace, "Insert", command))
        return await self._run(request, size, lambda: Insert(command, origin, request, respond).run(self.store))

    async def update(
        self, command: UpdateCommand, origin: Origin, seconds: float | None, respond: Callable[[UpdateOutcome], bytes]
    ) -> bytes:
        """Changes what matches; what `respond` makes of the outcome. Raises what `Changes.run` raises."""
        size = len(command.query) + len(command.update)
        change = await apart(size, partial(self._updating, command, origin))
        request = await apart(size, partial(ticket, origin, command.namespace, "Update", command))

        def answer(counts: Counts) -> bytes:
            return respond(UpdateOutcome(counts.matched, counts.modified, counts.upserted_id))

        return await self._run(request, size, self._work(command, change, request, seconds, answer))

    def _updating(self, command: UpdateCommand, origin: Origin) -> Updating:
        return Updating(
            command.namespace,
            self._filter(command.query),
            compile_update(decode_optional(command.update)),
            command.upsert,
            lambda: generated_id(origin.client, origin.request_id, 0),
            self._times,
        )

    def _filter(self, query: bytes) -> Filter:
        return compile_filter(decode_optional(query), variables(self._clock.wall_ms()))

    async def delete(
        self, command: DeleteCommand, origin: Origin, seconds: float | None, respond: Callable[[int], bytes]
    ) -> bytes:
        """Removes what matches; what `respond` makes of their number. Raises what `Changes.run` raises."""
        size = len(command.query)
        filter_ = await apart(size, lambda: self._filter(command.query))
        request = await apart(size, partial(ticket, origin, command.namespace, "Delete", command))
        change = Deleting(command.namespace, filter_)
        work = self._work(command, change, request, seconds, lambda counts: respond(counts.matched))
        return await self._run(request, size, work)

    def _work(
        self,
        command: UpdateCommand | DeleteCommand,
        change: Updating | Deleting,
        request: Ticket | None,
        seconds: float | None,
        respond: Callable[[Counts], bytes],
    ) -> Callable[[], Coroutine[None, None, bytes]]:
        def access(state: Snapshot) -> Access:
            return choose(state, Asked(command.namespace, change.filter, limit=0 if command.multi else 1))

        budget = partial(self.budget, seconds)
        job = Job(command.namespace, access, change, command.multi, request, respond, budget)
        return partial(self._changes.run, job)

    async def _run(self, request: Ticket | None, size: int, work: Callable[[], Coroutine[None, None, bytes]]) -> bytes:
        try:
            return await self._writes.run(request, size, work)
        except StorageFailedError as error:
            text = (
                "the disk failed while the write was under way; repeat it with the same request_id to learn its outcome"
            )
            raise UnavailableError(text, "OUTCOME_UNKNOWN", retry_after_ms=1_000) from error

    def budget(self, seconds: float | None, max_examined: int = 0) -> Budget:
        """What one request may use: the server's bounds, or its own where those are less."""
        now = self._clock.monotonic
        deadline = math.inf if seconds is None else now() + seconds
        examined = min(max_examined or _NO_BOUND, self._settings.max_examined or _NO_BOUND)
        return Budget(examined, deadline, self._settings.query_memory_bytes, now)

    def _times(self) -> tuple[int, Timestamp]:
        now_ms = self._clock.wall_ms()
        return now_ms, Timestamp(now_ms // 1000, 1)
