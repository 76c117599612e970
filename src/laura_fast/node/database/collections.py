"""Collections and their indexes: which there are, and how they come and go."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from laura_fast.domain.documents.indexing.definitions import ID_INDEX
from laura_fast.errors import InvalidArgumentError
from laura_fast.node.database.names import parts
from laura_fast.node.database.pacing import Pace
from laura_fast.storage.documents.catalog import IndexState

if TYPE_CHECKING:
    from collections.abc import Generator

    from laura_fast.domain.documents.budget import Budget
    from laura_fast.domain.documents.codec import Document
    from laura_fast.node.database.readers import Readers
    from laura_fast.storage.documents.store import DocumentStore


class CollectionStatus(NamedTuple):
    """One collection; `documents` is None where they were not counted."""

    namespace: str
    indexes: int
    documents: int | None


class IndexStatus(NamedTuple):
    """One index.

    Attributes:
        definition: The document that makes it.
        ready: Whether queries use it.
        multikey: Whether some document has an array in it.
    """

    definition: Document
    ready: bool
    multikey: bool


class Collections:
    """What there is, and its changes."""

    def __init__(self, store: DocumentStore, readers: Readers) -> None:
        self._store = store
        self._readers = readers

    async def statuses(self, database: str, budget: Budget, *, counted: bool) -> list[CollectionStatus]:
        """The collections of a database, or of all (""), sorted by namespace. Counting reads every document."""
        found = sorted(
            (place, len(collection.indexes))
            for place, collection in self._store.catalog.collections.items()
            if database in ("", parts(place)[0])
        )
        if not counted:
            return [CollectionStatus(place, indexes, None) for place, indexes in found]
        return [
            CollectionStatus(place, indexes, await self._readers.run(partial(self._count, place, budget)))
            for place, indexes in found
        ]

    def _count(self, namespace: str, budget: Budget) -> Generator[None, None, int]:
        number, pace = 0, Pace()
        with self._store.reading() as state:
            for _, data in state.documents(namespace):
                budget.examine()
                number += 1
                if pace.over(len(data)):
                    yield
        return number

    async def create(self, namespace: str) -> bool:
        """Makes an empty collection; whether it is new."""
        return await self._store.write(
            lambda session: session.collection(namespace) is None and bool(session.create_collection(namespace))
        )

    async def drop(self, namespace: str) -> bool:
        """Removes a collection with its documents and indexes; whether it was there."""
        return await self._store.write(lambda session: session.drop_collection(namespace))

    def indexes(self, namespace: str) -> list[IndexStatus]:
        """Those of a collection: the one on `_id` first, the others by name. None where there is no collection."""
        collection = self._store.catalog.collections.get(namespace)
        if collection is None:
            return []
        others = sorted(collection.indexes, key=lambda index: index.name)
        return [
            IndexStatus(ID_INDEX.to_document(), ready=True, multikey=False),
            *(
                IndexStatus(dict(index.definition), index.state is IndexState.READY, bool(index.multikey))
                for index in others
            ),
        ]

    async def drop_index(self, namespace: str, name: str) -> bool:
        """Removes an index; whether it was there.

        Raises:
            InvalidArgumentError: INVALID_INDEX. The one on `_id` can't be removed.
        """
        if name == ID_INDEX.name:
            raise InvalidArgumentError(
                f'the index "{name}" can\'t be dropped: it is the collection itself', "INVALID_INDEX"
            )
        return await self._store.write(lambda session: session.drop_index(namespace, name))
