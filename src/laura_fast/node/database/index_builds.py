"""Indexes are built while reads and writes go on: slice by slice, each a write among the others.

From the first slice on, every write keeps the index up to date; queries use it when all documents are in. The progress
is in the catalog, so a build goes on where it was when the process comes back. A build that fails leaves nothing: the
index is dropped, and whoever asked for it learns why. The oplog has an index when it is ready (`storage.documents`).
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from laura_fast.domain.documents.indexing.definitions import ID_INDEX, conflict, parse_definition
from laura_fast.domain.documents.indexing.entries import compile_index
from laura_fast.errors import (
    AlreadyExistsError,
    FailedPreconditionError,
    InvalidArgumentError,
    LauraError,
    OverloadedError,
    UnavailableError,
)
from laura_fast.limits import indexes as limits
from laura_fast.observability import log
from laura_fast.storage.documents.catalog import IndexState

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from laura_fast.domain.documents.indexing.definitions import IndexDefinition
    from laura_fast.storage.documents.catalog import Index
    from laura_fast.storage.documents.schema import BuiltSlice
    from laura_fast.storage.documents.session import WriteSession
    from laura_fast.storage.documents.store import DocumentStore

_FIRST_DOCUMENTS: Final = 32
"""Of a build's first slice: nobody knows yet how long they take."""

_log = log.get("laura_fast.database")


class CreatedIndex(NamedTuple):
    """The answer to whoever wants an index.

    Attributes:
        name: Of the index, which is ready.
        created: False: the same index was there before, or was being built already.
        documents: Read to build it, by this process.
    """

    name: str
    created: bool
    documents: int


class IndexBuilds:
    """The builds of one node. Use it in the event loop."""

    def __init__(self, store: DocumentStore, now: Callable[[], float]) -> None:
        """Prepares.

        Args:
            store: Where the collections are.
            now: Seconds of a clock that never goes back; called on any thread.
        """
        self._store = store
        self._now = now
        self._builds: dict[int, asyncio.Task[int]] = {}
        self._turns = asyncio.Semaphore(limits.INDEX_BUILDS)

    def start(self) -> None:
        """Goes on with the builds that were under way when the process ended."""
        for collection in self._store.catalog.collections.values():
            for index in collection.indexes:
                if index.state is IndexState.BUILDING:
                    self._task(collection.namespace, index)

    async def stop(self) -> None:
        """Ends after the slices that run; the builds go on at the next start."""
        tasks = list(self._builds.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def create(self, namespace: str, definition: Mapping[str, Any]) -> CreatedIndex:
        """Creates an index, and its collection where it is absent; returns when the index is ready.

        The build goes on when the caller does not wait for it.

        Args:
            namespace: `database.collection`.
            definition: As `parse_definition` takes it.

        Raises:
            InvalidArgumentError: INVALID_INDEX, or CANNOT_INDEX: a document can't be in it.
            AlreadyExistsError: INDEX_CONFLICT, or DUPLICATE_KEY: the documents do not allow it to be unique.
            FailedPreconditionError: INDEX_DROPPED: somebody dropped it, or its collection, meanwhile.
            OverloadedError: STORAGE_FULL; LIMIT.
            UnavailableError: SHUTTING_DOWN: the build goes on at the next start.
        """
        wanted = parse_definition(definition)
        if wanted is ID_INDEX:
            return CreatedIndex(ID_INDEX.name, created=False, documents=0)
        compile_index(wanted)
        index, created = await self._store.write(partial(_begin, namespace, wanted))
        documents = 0 if index.state is IndexState.READY else await self._built(namespace, index)
        return CreatedIndex(index.name, created, documents)

    async def _built(self, namespace: str, index: Index) -> int:
        task = self._task(namespace, index)
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            if task.cancelled():
                text = f'the index "{index.name}" goes on being built when the server is up again'
                raise UnavailableError(text, "SHUTTING_DOWN", retry_after_ms=1_000) from None
            raise

    def _task(self, namespace: str, index: Index) -> asyncio.Task[int]:
        """The build of an index, which may be under way."""
        if index.id not in self._builds:
            task = self._builds[index.id] = asyncio.create_task(self._build(namespace, index))
            task.add_done_callback(partial(self._ended, namespace, index))
        return self._builds[index.id]

    def _ended(self, namespace: str, index: Index, task: asyncio.Task[int]) -> None:
        del self._builds[index.id]
        if task.cancelled():
            return
        if error := task.exception():
            _log.warning("index_build_failed", namespace=namespace, index=index.name, error=str(error))
        else:
            _log.info("index_ready", namespace=namespace, index=index.name, documents=task.result())

    async def _build(self, namespace: str, index: Index) -> int:
        async with self._turns:
            try:
                return await self._slices(namespace, index)
            except (AlreadyExistsError, InvalidArgumentError, OverloadedError) as error:
                with suppress(LauraError):  # else the next start builds it again, and drops it
                    await self._store.write(partial(_drop, namespace, index))
                text = f'the index "{index.name}" was not created: {error.message}'
                raise type(error)(text, error.reason, metadata=error.metadata) from error

    async def _slices(self, namespace: str, index: Index) -> int:
        documents, limit = 0, _FIRST_DOCUMENTS
        while True:
            built, seconds = await self._store.write(partial(self._slice, namespace, index, limit))
            documents += built.documents
            if built.ready:
                return documents
            limit = _next_limit(limit, seconds)
            await asyncio.sleep(0)  # a store in memory writes without a pause

    def _slice(self, namespace: str, index: Index, limit: int, session: WriteSession) -> tuple[BuiltSlice, float]:
        """On the writer's thread, where the time counts that other writes wait."""
        started = self._now()
        if not _is_there(session, namespace, index):
            raise FailedPreconditionError(f'the index "{index.name}" was dropped while it was built', "INDEX_DROPPED")
        built = session.build_index(namespace, index.name, limit)
        return built, self._now() - started


def _begin(namespace: str, wanted: IndexDefinition, session: WriteSession) -> tuple[Index, bool]:
    collection = session.collection(namespace)
    for other in collection.indexes if collection else ():
        if why := conflict(wanted, parse_definition(other.definition)):
            text = f'the index "{wanted.name}" of {namespace} can\'t be created: {why}'
            raise AlreadyExistsError(text, "INDEX_CONFLICT", metadata={"index": other.name})
    before = collection.index(wanted.name) if collection else None
    return session.create_index(namespace, wanted.to_document()), before is None


def _is_there(session: WriteSession, namespace: str, index: Index) -> bool:
    """Whether the collection has this index under its name, and not one that was created since."""
    collection = session.collection(namespace)
    found = collection.index(index.name) if collection else None
    return found is not None and found.id == index.id


def _drop(namespace: str, index: Index, session: WriteSession) -> None:
    if _is_there(session, namespace, index):
        session.drop_index(namespace, index.name)


def _next_limit(limit: int, seconds: float) -> int:
    """As many documents as fit in the time of a slice, as far as the last one tells; at most twice as many."""
    fitting = round(limit * limits.INDEX_BUILD_S / seconds) if seconds > 0 else limits.INDEX_BUILD_DOCUMENTS
    return max(1, min(fitting, 2 * limit, limits.INDEX_BUILD_DOCUMENTS))
