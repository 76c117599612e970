"""Index entries of documents: which there are, whether they may be there, and their keys."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from laura_fast.domain.documents import codec
from laura_fast.errors import AlreadyExistsError, InvalidArgumentError
from laura_fast.storage.documents.layout import INDEX_KEY_CUT, RECORD_KEY_CUT, after, fold, folded
from laura_fast.storage.documents.sealing import body_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from laura_fast.domain.documents.codec import Document
    from laura_fast.storage.documents.catalog import Collection, Index
    from laura_fast.storage.documents.changes import Changes


def touched(collection: Collection, delta: Mapping[str, Any] | None) -> Sequence[Index]:
    """The indexes in which an update may change entries: those with a field of which it sets or unsets a part."""
    if delta is None or not collection.indexes:
        return collection.indexes
    changed = {path.partition(".")[0] for change in delta.values() for path in change}
    return [index for index in collection.indexes if index.fields is None or not changed.isdisjoint(index.fields)]


def entry_keys(indexes: Sequence[Index], key: bytes, document: Document) -> list[bytes]:
    """The keys of a document's entries in several indexes."""
    return [entry for index in indexes for entry in keys_in(index, key, document)]


def keys_in(index: Index, key: bytes, document: Document) -> list[bytes]:
    """The keys of a document's entries in one index."""
    prefix = index.prefix
    return [prefix + fold(entry, INDEX_KEY_CUT) + key for entry in index.compiled.entries(document).keys]


def new_entry_keys(
    changes: Changes,
    collection: Collection,
    key: bytes,
    document: Document,
    *,
    indexes: Sequence[Index] | None = None,
    unique: bool = True,
) -> tuple[list[bytes], Collection]:
    """The keys of a document to be written, and the collection with what its indexes learnt from it.

    Args:
        changes: Of the job.
        collection: Of the document.
        key: Its record key.
        document: As it will be.
        indexes: Those to look at; None = all.
        unique: Whether other documents with the same keys are looked for.

    Raises:
        AlreadyExistsError: DUPLICATE_KEY, where `unique` is asked for: another document has a key of it in an index
            that allows each only once.
        InvalidArgumentError: The document can't be indexed.
    """
    found: list[bytes] = []
    for index in collection.indexes if indexes is None else indexes:
        entries = index.compiled.entries(document)
        prefix = index.prefix
        long_keys = False
        for entry in entries.keys:
            cut = fold(entry, INDEX_KEY_CUT)
            long_keys = long_keys or cut is not entry
            if unique and index.compiled.unique and _is_taken(changes, collection, index, entry, key):
                raise duplicate_key(collection.namespace, index.name, _values(index.definition["key"], document))
            found.append(prefix + cut + key)
        if entries.multikey & ~index.multikey or (long_keys and not index.long_keys):
            learnt = replace(index, multikey=index.multikey | entries.multikey, long_keys=index.long_keys or long_keys)
            collection = collection.with_index(learnt)
    return found, collection


def holds(index: Index, document: Document) -> bool:
    """Whether an index can hold a document: not all can, in the middle of a replay; a later entry mends that."""
    try:
        index.compiled.entries(document)
    except InvalidArgumentError:
        return False
    return True


def learn(changes: Changes, collection: Collection, learnt: Collection, key: bytes) -> None:
    """Keeps what a document with this record key taught its collection."""
    if not collection.long_keys and folded(key, RECORD_KEY_CUT):
        learnt = replace(learnt, long_keys=True)
    if learnt is not collection:
        changes.set_collection(learnt)


def add_entries(changes: Changes, entries: list[bytes], key: bytes) -> None:
    """Writes the entries of a document with this record key."""
    length = bytes((len(key),))
    for entry in entries:
        changes.writer.put(changes.tables.entries, entry, length)


def remove_entries(changes: Changes, entries: list[bytes]) -> None:
    """Removes entries of a document."""
    for entry in entries:
        changes.writer.delete(changes.tables.entries, entry)


def _is_taken(changes: Changes, collection: Collection, index: Index, entry: bytes, key: bytes) -> bool:
    """Whether another document has this key. Long keys may share their cut form only by its hash: documents tell."""
    start = index.prefix + fold(entry, INDEX_KEY_CUT)
    for other, _ in changes.writer.scan(changes.tables.entries, start, after(start)):
        holder = other[len(start) :]
        if holder != key and (len(entry) < INDEX_KEY_CUT or entry in _keys_of(changes, collection, index, holder)):
            return True
    return False


def _keys_of(changes: Changes, collection: Collection, index: Index, key: bytes) -> Sequence[bytes]:
    record = changes.writer.get(changes.tables.records, collection.prefix + key)
    return index.compiled.entries(codec.decode_stored(body_of(record))).keys if record else ()


def duplicate_key(namespace: str, index: str, values: Mapping[str, Any]) -> AlreadyExistsError:
    """The refusal of a second document with the same key."""
    shown = ", ".join(f"{path}: {value!r:.200}" for path, value in values.items())
    return AlreadyExistsError(
        f'duplicate key in {namespace}, index "{index}": {{{shown}}}',
        "DUPLICATE_KEY",
        metadata={"namespace": namespace, "index": index},
    )


def _values(pattern: Mapping[str, Any], document: Document) -> dict[str, Any]:
    return {path: _value(document, path) for path in pattern}


def _value(document: Any, path: str) -> Any:
    for part in path.split("."):
        if not isinstance(document, dict):
            break
        document = document.get(part)
    return document


def is_cut(entry_key: bytes) -> bool:
    """Whether an index key ends in a hash, so that its order and content must be read off the document."""
    return folded(entry_key, INDEX_KEY_CUT)
