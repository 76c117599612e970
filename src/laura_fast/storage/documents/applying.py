"""Entries of the oplog become documents, on a replica or on a copy that is being completed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import bson

from laura_fast.domain.documents import codec
from laura_fast.domain.documents.updates import apply_delta
from laura_fast.errors import AlreadyExistsError, FailedPreconditionError, OutOfRangeError
from laura_fast.storage.documents import indexing, oplog, schema
from laura_fast.storage.documents.catalog import IndexState
from laura_fast.storage.documents.layout import HORIZON, pack_number, record_key
from laura_fast.storage.documents.oplog import Operation
from laura_fast.storage.documents.sealing import body_of, seal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from laura_fast.domain.documents.codec import Document
    from laura_fast.storage.documents.catalog import Collection, CompileIndex, Index
    from laura_fast.storage.documents.changes import Changes
    from laura_fast.storage.documents.oplog import OplogEntry


def append(changes: Changes, compile_index: CompileIndex, entry: OplogEntry) -> bool:
    """See `WriteSession.append`."""
    if entry.op_id <= changes.op_id:
        _check_same(changes, entry)
        return False
    if entry.op_id > changes.op_id + 1:
        raise OutOfRangeError(f"gap: expected {changes.op_id + 1}", "GAP")
    if entry.term < changes.term or entry.time <= changes.time:
        raise FailedPreconditionError(f"entry {entry.op_id} is older than the one before it", "DIVERGED")
    _Applying(changes, compile_index, exact=True).apply(entry)
    changes.log_given(entry)
    return True


def replay(changes: Changes, compile_index: CompileIndex, entries: Iterable[OplogEntry]) -> None:
    """See `WriteSession.replay`."""
    applying, last = _Applying(changes, compile_index, exact=False), 0
    for entry in entries:
        if last and entry.op_id != last + 1:
            raise OutOfRangeError(f"gap: expected {last + 1}", "GAP")
        last = entry.op_id
        if changes.op_id and last > changes.op_id + 1:
            raise OutOfRangeError(f"gap: expected {changes.op_id + 1}", "GAP")
        applying.apply(entry)
        if last > changes.op_id:
            changes.log_given(entry)
        else:
            changes.learn(entry)
    changes.writer.put(changes.tables.state, HORIZON, pack_number(changes.time))


def _check_same(changes: Changes, entry: OplogEntry) -> None:
    known = oplog.entry_at(changes.writer, changes.tables, entry.op_id)
    if known is None:
        raise FailedPreconditionError(f"entry {entry.op_id} is no longer kept", "OPLOG_TRUNCATED")
    if known != entry:
        raise AlreadyExistsError(f"conflict at op {entry.op_id}", "CONFLICT")


class _Applying:
    """Applies entries.

    With `exact`, the state is the one just before the entry: what must be there is there, and old images are kept.
    Without, the state may already hold the entry and later ones: nothing is expected and no past is kept.
    """

    def __init__(self, changes: Changes, compile_index: CompileIndex, *, exact: bool) -> None:
        self._changes = changes
        self._compile_index = compile_index
        self._exact = exact
        self._actions: dict[int, Callable[[OplogEntry], object]] = {
            Operation.INSERT: self._insert,
            Operation.UPDATE: self._update,
            Operation.DELETE: self._delete,
            Operation.CREATE_COLLECTION: self._create_collection,
            Operation.DROP_COLLECTION: self._drop_collection,
            Operation.CREATE_INDEX: self._create_index,
            Operation.DROP_INDEX: self._drop_index,
        }

    def apply(self, entry: OplogEntry) -> None:
        """Unknown operations and NOOP change nothing."""
        action = self._actions.get(entry.operation)
        if action:
            action(entry)

    def _insert(self, entry: OplogEntry) -> None:
        collection = self._create_collection(entry)
        key = record_key(codec.decode_stored(entry.document)["_id"])
        self._put(collection, key, entry, entry.document)

    def _update(self, entry: OplogEntry) -> None:
        collection, key = self._place(entry)
        if collection is None:
            return
        update = codec.decode_stored(entry.update)
        if "_id" in update:
            self._put(collection, key, entry, entry.update)
            return
        image = self._changes.writer.get(self._changes.tables.records, collection.prefix + key)
        if image is not None:
            after = apply_delta(codec.decode_stored(body_of(image)), update)
            self._put(collection, key, entry, codec.encode(after) if self._exact else _encode_transient(after))
        elif self._exact:
            raise _diverged(entry)

    def _delete(self, entry: OplogEntry) -> None:
        collection, key = self._place(entry)
        if collection is not None:
            self._put(collection, key, entry, None)

    def _put(self, collection: Collection, key: bytes, entry: OplogEntry, body: bytes | None) -> None:
        image = None if body is None else seal(entry.time, body)
        put_image(self._changes, collection, key, image, ended=entry.time if self._exact else 0)

    def _place(self, entry: OplogEntry) -> tuple[Collection | None, bytes]:
        collection = self._collection(entry)
        if collection is None and self._exact:
            raise _diverged(entry)
        return collection, record_key(codec.decode_stored(entry.query)["_id"])

    def _collection(self, entry: OplogEntry) -> Collection | None:
        return self._changes.catalog.collections.get(entry.namespace)

    def _create_collection(self, entry: OplogEntry) -> Collection:
        return self._collection(entry) or schema.add_collection(self._changes, entry.namespace, entry.time)

    def _drop_collection(self, entry: OplogEntry) -> None:
        collection = self._collection(entry)
        if collection:
            schema.take_collection(self._changes, collection, entry.time, entry.op_id)

    def _create_index(self, entry: OplogEntry) -> None:
        definition = codec.decode_stored(entry.document)
        collection = self._create_collection(entry)
        existing = collection.index(definition["name"])
        same = existing is not None and existing.definition == definition
        if existing is not None and same and existing.state is IndexState.BUILDING:
            schema.ready_index(
                self._changes, collection, schema.index_documents(self._changes, collection, existing), entry.time
            )
            return
        if same and not self._exact:
            return
        if existing is not None:
            schema.take_index(self._changes, collection, existing, entry.time, 0)
            collection = collection.without_index(existing.name)
        build_at_once(self._changes, self._compile_index, collection, definition, entry.time)

    def _drop_index(self, entry: OplogEntry) -> None:
        collection = self._collection(entry)
        index = collection.index(codec.decode_stored(entry.document)["name"]) if collection else None
        if collection and index:
            schema.take_index(self._changes, collection, index, entry.time, entry.op_id)


def build_at_once(
    changes: Changes, compile_index: CompileIndex, collection: Collection, definition: Document, time: int
) -> None:
    """Adds an index with all of its entries. Nobody asks whether keys are unique: who logged it had."""
    collection, index = schema.add_index(changes, collection, definition, compile_index(definition))
    schema.ready_index(changes, collection, schema.index_documents(changes, collection, index), time)


def put_image(changes: Changes, collection: Collection, key: bytes, image: bytes | None, *, ended: int = 0) -> None:
    """Sets or removes a record with its index entries.

    Args:
        changes: Of the job.
        collection: Of the record.
        key: Its record key.
        image: Commit time and BSON; None = no document.
        ended: Commit time of the change, when what was there is to be kept; 0 = it is not.
    """
    place, writer, tables = collection.prefix + key, changes.writer, changes.tables
    before = writer.get(tables.records, place)
    old, new, learnt = list[bytes](), list[bytes](), collection
    if before:
        document = _document(before)
        old = indexing.entry_keys(_holding(collection, document), key, document)
    if image:
        document = _document(image)
        indexes = _holding(collection, document)
        new, learnt = indexing.new_entry_keys(changes, collection, key, document, indexes=indexes, unique=False)
    kept = set(new)
    removed = [entry for entry in dict.fromkeys(old) if entry not in kept]
    indexing.remove_entries(changes, removed)
    indexing.add_entries(changes, new, key)
    indexing.learn(changes, collection, learnt, key)
    if image:
        writer.put(tables.records, place, image)
    elif before:
        writer.delete(tables.records, place)
    if ended and before:
        changes.end(ended, place, before, removed)


def _holding(collection: Collection, document: Document) -> list[Index]:
    """The indexes that can hold a document."""
    return [index for index in collection.indexes if indexing.holds(index, document)]


def _encode_transient(document: Document) -> bytes:
    """BSON, fields in their order, without limits: replayed over a later state, a document may exceed all of them."""
    return bson.encode({"": document}, codec_options=codec.OPTIONS)[6:-1]


def _document(image: bytes) -> dict[str, Any]:
    return codec.decode_stored(body_of(image))


def _diverged(entry: OplogEntry) -> FailedPreconditionError:
    return FailedPreconditionError(
        f"entry {entry.op_id} changes something in {entry.namespace} that is not there", "DIVERGED"
    )
