"""What one job does to the documents: every change with its oplog entry, old image and index entries at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from laura_fast.domain.documents import codec
from laura_fast.errors import InvalidArgumentError, NotFoundError
from laura_fast.storage.documents import applying, copying, indexing, rollback, schema
from laura_fast.storage.documents.layout import OWN, RECORD_KEY_CUT, folded, record_key
from laura_fast.storage.documents.oplog import Operation, payload
from laura_fast.storage.documents.sealing import body_of, seal
from laura_fast.storage.documents.snapshot import Snapshot

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from laura_fast.domain.documents.codec import Document
    from laura_fast.storage.documents.catalog import Collection, CompileIndex, Index
    from laura_fast.storage.documents.changes import Changes
    from laura_fast.storage.documents.copying import Piece
    from laura_fast.storage.documents.oplog import OplogEntry
    from laura_fast.storage.documents.quota import Quota
    from laura_fast.storage.documents.schema import BuiltSlice


class WriteSession(Snapshot):
    """Reads and changes the newest state. Valid within its job, on the thread that runs it.

    A method that raises has changed nothing, so a job may catch the error and go on. When the job itself raises,
    nothing of it remains. Record keys are those of `layout.record_key`. While a scan of this session runs, change
    nothing in its collection.
    """

    def __init__(self, changes: Changes, compile_index: CompileIndex, quota: Quota) -> None:
        super().__init__(changes.tables, changes.catalog, changes.time, changes.writer)
        self.changes = changes
        self._compile_index = compile_index
        self._quota = quota

    def collection(self, namespace: str) -> Collection | None:
        return self.changes.catalog.collections.get(namespace)

    def insert(self, namespace: str, document: Document, encoded: bytes | None = None) -> bytes:
        """Adds a document, creating its collection when absent.

        Args:
            namespace: `database.collection`.
            document: With its `_id`.
            encoded: Its BSON, where the caller has it.

        Returns:
            Its record key.

        Raises:
            AlreadyExistsError: DUPLICATE_KEY: the `_id` or a key of a unique index is taken; it names both.
            InvalidArgumentError: The document can't be stored or indexed.
            OverloadedError: STORAGE_FULL: the quota or the disk is. LIMIT: there are too many collections.
        """
        changes = self.changes
        body = encoded or codec.encode(document)
        key = record_key(document["_id"])
        self._quota.take(changes.writer, len(body))
        collection = changes.catalog.collections.get(namespace) or schema.create_collection(changes, namespace)
        entries, learnt = indexing.new_entry_keys(changes, collection, key, document)
        time = changes.tick()
        if not changes.writer.insert(changes.tables.records, collection.prefix + key, seal(time, body)):
            raise self._taken(collection, key, document["_id"])
        indexing.learn(changes, collection, learnt, key)
        indexing.add_entries(changes, entries, key)
        changes.log(Operation.INSERT, namespace, time, document=body)
        return key

    def replace(
        self,
        namespace: str,
        key: bytes,
        before: Document,
        after: Document,
        delta: Mapping[str, Any] | None = None,
        *,
        encoded: bytes | None = None,
    ) -> None:
        """Gives a document another content.

        Args:
            namespace: Its collection.
            key: Its record key.
            before: What this session reads there now, decoded.
            after: The new content, with the same `_id`.
            delta: How to log it, `{"$set": …, "$unset": …}`; None logs the whole of `after`.
            encoded: BSON of `after`, where the caller has it.

        Raises:
            NotFoundError: There is no such document.
            AlreadyExistsError: DUPLICATE_KEY: a key of a unique index is taken.
            InvalidArgumentError: The document can't be stored or indexed.
            OverloadedError: STORAGE_FULL.
        """
        changes = self.changes
        collection, image = self._existing(namespace, key)
        body = encoded or codec.encode(after)
        self._quota.take(changes.writer, len(body))
        indexes = indexing.touched(collection, delta)
        removed, added, learnt = self._difference(collection, indexes, key, before, after)
        query = payload({"_id": after["_id"]})
        update = body if delta is None else payload(delta)
        time = changes.tick()
        indexing.learn(changes, collection, learnt, key)
        changes.writer.put(changes.tables.records, collection.prefix + key, seal(time, body))
        indexing.remove_entries(changes, removed)
        indexing.add_entries(changes, added, key)
        changes.end(time, collection.prefix + key, image, removed)
        changes.log(Operation.UPDATE, namespace, time, query=query, update=update)

    def remove(self, namespace: str, key: bytes, before: Document) -> None:
        """Removes a document. Works at the quota, too.

        Args:
            namespace: Its collection.
            key: Its record key.
            before: What this session reads there now, decoded.

        Raises:
            NotFoundError: There is no such document.
        """
        changes = self.changes
        collection, image = self._existing(namespace, key)
        removed = indexing.entry_keys(collection.indexes, key, before)
        query = payload({"_id": before["_id"]})
        time = changes.tick()
        changes.writer.delete(changes.tables.records, collection.prefix + key)
        indexing.remove_entries(changes, removed)
        changes.end(time, collection.prefix + key, image, removed)
        changes.log(Operation.DELETE, namespace, time, query=query)

    def create_collection(self, namespace: str) -> Collection:
        """The collection, created when absent.

        Raises:
            InvalidArgumentError: Not a namespace.
            OverloadedError: LIMIT: there are too many.
        """
        return self.collection(namespace) or schema.create_collection(self.changes, namespace)

    def drop_collection(self, namespace: str) -> bool:
        """Removes a collection with its indexes; tells whether it was there. Its data goes in slices, later."""
        return schema.drop_collection(self.changes, namespace)

    def create_index(self, namespace: str, definition: Mapping[str, Any]) -> Index:
        """Begins an index: READY on an empty collection, otherwise BUILDING until `build_index` has seen all documents.

        Args:
            namespace: Its collection, created when absent.
            definition: `{"key": …, "name": …}` and options, complete.

        Returns:
            The index; an equal one that exists already is returned as it is.

        Raises:
            AlreadyExistsError: INDEX_CONFLICT: another index has the name or, with other options, the key.
            OverloadedError: LIMIT: there are too many.
        """
        collection = self.create_collection(namespace)
        return schema.create_index(self.changes, collection, definition, self._compile_index(definition))

    def build_index(self, namespace: str, name: str, limit: int) -> BuiltSlice:
        """Indexes up to `limit` documents more; tells how many, and whether the index is READY now.

        Raises:
            NotFoundError: There is no such index.
            AlreadyExistsError: DUPLICATE_KEY: two documents share a key of a unique index. Drop the index then.
            InvalidArgumentError: A document can't be indexed. Drop the index then.
        """
        return schema.build_index(self, namespace, name, limit)

    def prepare_index(self, namespace: str, definition: Document, limit: int) -> bool:
        """Builds up to `limit` documents more of an index whose entry of the log is about to be taken.

        Nobody asks whether keys are unique: who logged it had. It answers nothing before its entry is taken.

        Returns:
            Whether all documents are in.
        """
        return schema.prepare_index(self.changes, namespace, definition, self._compile_index, limit)

    def drop_index(self, namespace: str, name: str) -> bool:
        """Removes an index, whatever its state; tells whether it was there. Its entries go in slices, later."""
        return schema.drop_index(self.changes, namespace, name)

    def log_noop(self) -> None:
        """Appends an entry that changes nothing: the first of a new primary, or a sign of life."""
        self.changes.log(Operation.NOOP, "", self.changes.tick())

    def append(self, entry: OplogEntry) -> bool:
        """Appends and applies an entry of the primary; tells whether it was new.

        Raises:
            AlreadyExistsError: CONFLICT: there is another entry with its op id.
            OutOfRangeError: GAP: entries before it are missing.
            FailedPreconditionError: OPLOG_TRUNCATED: so old that it can't be compared. DIVERGED: it changes a document
                that is not there, or its term or time is below those before it.
        """
        return applying.append(self.changes, self._compile_index, entry)

    def replay(self, entries: Iterable[OplogEntry]) -> None:
        """Applies entries to a state that may have some of them, or all, already: the end of a copy from elsewhere.

        Whatever suffix of a log is replayed, and however often, the documents and indexes become those at its end. The
        past before it can't be read any more. Entries behind the newest are appended to the log.

        Raises:
            OutOfRangeError: GAP: there are entries missing between two of them.
        """
        applying.replay(self.changes, self._compile_index, entries)

    def begin_copy(self, entry: OplogEntry | None) -> None:
        """Removes everything but what `set_state` keeps, to make place for a copy of another node's documents.

        Until the copy is complete and what the log says behind its beginning is replayed, this is no state at all.

        Args:
            entry: The last one of the other's log when its first portion was read; None = there was none.
        """
        copying.begin(self.changes, entry)

    def take_copied(self, pieces: Sequence[Piece]) -> None:
        """Adds a part of a copy. One that came before changes nothing."""
        copying.take(self.changes, self._compile_index, pieces)

    def roll_back(self, op_id: int, limit: int) -> list[OplogEntry]:
        """Undoes up to `limit` of the newest entries above an op id; returns them, the newest first.

        The ledger then says what it said before them.

        Raises:
            FailedPreconditionError: ROLLBACK_IMPOSSIBLE: the log or an old image is no longer kept.
        """
        return rollback.roll_back(self.changes, self._compile_index, op_id, limit)

    def ledger_get(self, key: bytes) -> bytes | None:
        """The outcome that was put for a request within the last half hour."""
        changes = self.changes
        return changes.outcomes.get(key) or changes.ledger.get(changes.writer, key)

    def ledger_put(self, key: bytes, outcome: bytes) -> None:
        """Remembers the outcome of a request, here and wherever this job's entries are taken.

        Raises:
            OverloadedError: LEDGER_FULL: as many requests as can be remembered came within half an hour.
        """
        self.changes.ledger.check_room(self.changes.writer)
        self.changes.outcomes[key] = outcome

    def set_state(self, name: bytes, value: bytes) -> None:
        """Sets a small durable value; `Snapshot.state` reads it."""
        self.changes.writer.put(self.changes.tables.state, OWN + name, value)

    def _existing(self, namespace: str, key: bytes) -> tuple[Collection, bytes]:
        collection = self.collection(namespace)
        if collection is not None:
            image = self.changes.writer.get(self.changes.tables.records, collection.prefix + key)
            if image is not None:
                return collection, image
        raise NotFoundError(f"{namespace} has no such document", "NO_DOCUMENT")

    def _difference(
        self,
        collection: Collection,
        indexes: Sequence[Index],
        key: bytes,
        before: Document,
        after: Document,
    ) -> tuple[list[bytes], list[bytes], Collection]:
        if not indexes:
            return [], [], collection
        old = dict.fromkeys(indexing.entry_keys(indexes, key, before))
        new, learnt = indexing.new_entry_keys(self.changes, collection, key, after, indexes=indexes)
        kept = set(new)
        return [entry for entry in old if entry not in kept], [entry for entry in new if entry not in old], learnt

    def _taken(self, collection: Collection, key: bytes, identifier: Any) -> Exception:
        record = self.changes.writer.get(self.changes.tables.records, collection.prefix + key) or b""
        if folded(key, RECORD_KEY_CUT) and codec.decode_stored(body_of(record))["_id"] != identifier:
            return InvalidArgumentError("the _id has the same hash as another long _id", "KEY_COLLISION")
        return indexing.duplicate_key(collection.namespace, "_id_", {"_id": identifier})
