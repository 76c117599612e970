"""Collections and indexes come and go, each with its oplog entry."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from laura_fast.domain.documents import codec
from laura_fast.errors import AlreadyExistsError, InvalidArgumentError, NotFoundError, OverloadedError
from laura_fast.limits.indexes import INDEX_BUILD_BYTES, INDEX_BUILD_DOCUMENTS, MAX_INDEXES
from laura_fast.limits.storage import MAX_COLLECTIONS, MAX_NAMESPACE_BYTES
from laura_fast.storage.documents import indexing
from laura_fast.storage.documents.catalog import Collection, Index, IndexState
from laura_fast.storage.documents.layout import ID_BYTES, after
from laura_fast.storage.documents.oplog import Operation
from laura_fast.storage.documents.sealing import body_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from laura_fast.domain.documents.codec import Document
    from laura_fast.storage.documents.catalog import CompiledIndex, CompileIndex
    from laura_fast.storage.documents.changes import Changes
    from laura_fast.storage.documents.session import WriteSession


def create_collection(changes: Changes, namespace: str) -> Collection:
    """Adds a collection that is not there.

    Raises:
        InvalidArgumentError: Not `database.collection`.
        OverloadedError: LIMIT: there are too many.
    """
    check_namespace(namespace)
    if len(changes.catalog.collections) >= MAX_COLLECTIONS:
        raise OverloadedError(f"there are {MAX_COLLECTIONS} collections: {namespace} can't be created", "LIMIT")
    collection = add_collection(changes, namespace, changes.tick())
    changes.log(Operation.CREATE_COLLECTION, namespace, collection.since)
    return collection


def add_collection(changes: Changes, namespace: str, time: int) -> Collection:
    """Puts an empty collection into the catalog."""
    collection = Collection(changes.new_id(), namespace, time)
    changes.set_collection(collection)
    return collection


def check_namespace(namespace: str) -> None:
    """The collection's part may contain dots, the database's may not.

    Raises:
        InvalidArgumentError: INVALID_NAMESPACE.
    """
    database, dot, name = namespace.partition(".")
    if not (database and dot and name) or "\0" in namespace or len(namespace.encode()) > MAX_NAMESPACE_BYTES:
        raise InvalidArgumentError(f"not a namespace, database.collection: {namespace!r:.300}", "INVALID_NAMESPACE")


def drop_collection(changes: Changes, namespace: str) -> bool:
    """Takes a collection out of the catalog; tells whether it was there."""
    collection = changes.catalog.collections.get(namespace)
    if collection is None:
        return False
    time = changes.tick()
    changes.log(Operation.DROP_COLLECTION, namespace, time)
    take_collection(changes, collection, time, changes.op_id)
    return True


def take_collection(changes: Changes, collection: Collection, time: int, op_id: int) -> None:
    """Moves a collection to the dropped ones."""
    changes.forget_collection(collection)
    changes.set_collection(replace(collection, dropped=time, drop_id=op_id))


def revived(gone: Collection) -> Collection:
    """A dropped collection as it was before."""
    return replace(gone, dropped=0, drop_id=0)


def create_index(
    changes: Changes, collection: Collection, definition: Mapping[str, Any], compiled: CompiledIndex
) -> Index:
    """Adds an index unless an equal one is there.

    Raises:
        AlreadyExistsError: INDEX_CONFLICT.
        OverloadedError: LIMIT.
    """
    same = _same(collection, definition)
    if same is not None:
        return same
    if len(collection.indexes) >= MAX_INDEXES:
        raise OverloadedError(f"{collection.namespace} has {MAX_INDEXES} indexes: no more can be created", "LIMIT")
    collection, index = add_index(changes, collection, definition, compiled)
    empty = next(_records(changes, collection, b""), None) is None
    return _finish_index(changes, collection, index) if empty else index


def add_index(
    changes: Changes, collection: Collection, definition: Mapping[str, Any], compiled: CompiledIndex
) -> tuple[Collection, Index]:
    """Puts an index that is not built into the catalog."""
    index = Index(changes.new_id(), definition["name"], dict(definition), compiled)
    collection = collection.with_index(index)
    changes.set_collection(collection)
    return collection, index


def _same(collection: Collection, definition: Mapping[str, Any]) -> Index | None:
    for index in collection.indexes:
        if index.definition == definition and list(index.definition["key"]) == list(definition["key"]):
            return index
        if index.name == definition["name"]:
            raise AlreadyExistsError(
                f'{collection.namespace} has another index "{index.name}"',
                "INDEX_CONFLICT",
                metadata={"index": index.name},
            )
    return None


def _finish_index(changes: Changes, collection: Collection, index: Index) -> Index:
    time = changes.tick()
    changes.log(Operation.CREATE_INDEX, collection.namespace, time, document=codec.encode(index.definition))
    return ready_index(changes, collection, index, time)


def ready_index(changes: Changes, collection: Collection, index: Index, time: int) -> Index:
    """Lets an index that has all entries answer reads from a commit time on."""
    ready = replace(index, state=IndexState.READY, since=time, progress=b"")
    changes.set_collection(collection.with_index(ready))
    return ready


class BuiltSlice(NamedTuple):
    """What a slice of a build has done.

    Attributes:
        documents: So many more are in the index.
        ready: All are.
    """

    documents: int
    ready: bool


def build_index(session: WriteSession, namespace: str, name: str, limit: int) -> BuiltSlice:
    """Adds the entries of the next documents in key order; the last slice makes the index READY.

    Raises:
        NotFoundError: There is no such index.
        AlreadyExistsError: DUPLICATE_KEY.
    """
    changes = session.changes
    collection = session.collection(namespace)
    index = collection.index(name) if collection else None
    if collection is None or index is None:
        raise NotFoundError(f'{namespace} has no index "{name}"', "NO_INDEX")
    if index.state is IndexState.READY:
        return BuiltSlice(0, ready=True)
    learnt, built = _index_slice(changes, collection, index, limit, unique=True)
    if built.ready:
        _finish_index(changes, collection, learnt)
    else:
        changes.set_collection(collection.with_index(learnt))
    return built


def prepare_index(
    changes: Changes, namespace: str, definition: Document, compile_index: CompileIndex, limit: int
) -> bool:
    """See `WriteSession.prepare_index`."""
    collection = changes.catalog.collections.get(namespace)
    index = collection.index(definition["name"]) if collection else None
    if collection is None or (index and index.state is IndexState.READY):
        return True  # its entry creates the one, and knows what to do about the other
    if index and index.definition != definition:
        take_index(changes, collection, index, changes.time, 0)
        collection, index = collection.without_index(index.name), None
    if index is None:
        collection, index = add_index(changes, collection, definition, compile_index(definition))
    learnt, built = _index_slice(changes, collection, index, limit, unique=False)
    changes.set_collection(collection.with_index(learnt))
    return built.ready


def index_documents(changes: Changes, collection: Collection, index: Index) -> Index:
    """Adds the entries of all documents, unique or not; returns the index with what it learnt.

    Raises:
        InvalidArgumentError: A document can't be indexed.
    """
    ready = False
    while not ready:
        index, (_, ready) = _index_slice(changes, collection, index, INDEX_BUILD_DOCUMENTS, unique=False)
    return index


def _index_slice(
    changes: Changes, collection: Collection, index: Index, limit: int, *, unique: bool
) -> tuple[Index, BuiltSlice]:
    """Adds the entries of the documents behind the index's progress; returns the index with it."""
    alone = replace(collection, indexes=(index,))
    documents, more = _next_documents(changes, collection, index.progress, limit)
    for key, body in documents:
        document = codec.decode_stored(body)
        if not unique and not indexing.holds(index, document):
            continue
        entries, alone = indexing.new_entry_keys(changes, alone, key, document, unique=unique)
        indexing.add_entries(changes, entries, key)
        alone = alone.with_index(replace(alone.indexes[0], progress=key))
    return alone.indexes[0], BuiltSlice(len(documents), ready=not more)


def _next_documents(
    changes: Changes, collection: Collection, progress: bytes, limit: int
) -> tuple[list[tuple[bytes, bytes]], bool]:
    """Documents behind a key, read before anything is written, and whether more follow; few where they are large."""
    found: list[tuple[bytes, bytes]] = []
    size = 0
    for key, body in _records(changes, collection, progress):
        if len(found) == limit or size >= INDEX_BUILD_BYTES:
            return found, True
        found.append((key, body))
        size += len(body)
    return found, False


def drop_index(changes: Changes, namespace: str, name: str) -> bool:
    """Takes an index out of its collection; only a READY one was ever logged, and only its drop takes time."""
    collection = changes.catalog.collections.get(namespace)
    index = collection.index(name) if collection else None
    if collection is None or index is None:
        return False
    if index.state is IndexState.BUILDING:
        take_index(changes, collection, index, changes.time, 0)
        return True
    time = changes.tick()
    changes.log(Operation.DROP_INDEX, namespace, time, document=codec.encode({"name": name}))
    take_index(changes, collection, index, time, changes.op_id)
    return True


def take_index(changes: Changes, collection: Collection, index: Index, time: int, op_id: int) -> None:
    """Moves an index to what is dropped, by an entry of the log or, with 0, by none."""
    changes.set_collection(collection.without_index(index.name))
    changes.set_collection(Collection(index.id, collection.namespace, time, (index,), dropped=time, drop_id=op_id))


def _records(changes: Changes, collection: Collection, progress: bytes) -> Iterator[tuple[bytes, bytes]]:
    start = collection.prefix + progress + b"\0" if progress else collection.prefix
    for key, record in changes.writer.scan(changes.tables.records, start, after(collection.prefix)):
        yield key[ID_BYTES:], body_of(record)
