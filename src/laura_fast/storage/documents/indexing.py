"""Index entries of documents: which there are, whether they may be there, and their keys."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from laura_fast.domain.documents import codec
from laura_fast.errors import AlreadyExistsError
from laura_fast.storage.documents.layout import INDEX_KEY_CUT, TIME_BYTES, after, fold, folded, pack_id

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from laura_fast.storage.documents.catalog import Collection, Index
    from laura_fast.storage.documents.changes import Changes


def entry_keys(collection: Collection, key: bytes, document: Mapping[str, Any]) -> list[bytes]:
    """The keys of a document's entries in all indexes of its collection."""
    return [
        pack_id(index.id) + fold(entry, INDEX_KEY_CUT) + key
        for index in collection.indexes
        for entry in index.compiled.entries(document).keys
    ]


def new_entry_keys(
    changes: Changes, collection: Collection, key: bytes, document: Mapping[str, Any]
) -> tuple[list[bytes], Collection]:
    """The keys of a document to be written, and the collection with what its indexes learnt from it.

    Raises:
        AlreadyExistsError: DUPLICATE_KEY: another document has a key of it in a unique index.
        InvalidArgumentError: The document can't be indexed.
    """
    found: list[bytes] = []
    for index in collection.indexes:
        entries = index.compiled.entries(document)
        prefix = pack_id(index.id)
        long_keys = False
        for entry in entries.keys:
            cut = fold(entry, INDEX_KEY_CUT)
            long_keys = long_keys or cut is not entry
            if index.compiled.unique and _is_taken(changes, collection, index, entry, key):
                raise duplicate_key(collection.namespace, index.name, _values(index.definition["key"], document))
            found.append(prefix + cut + key)
        if entries.multikey & ~index.multikey or (long_keys and not index.long_keys):
            learnt = replace(index, multikey=index.multikey | entries.multikey, long_keys=index.long_keys or long_keys)
            collection = collection.with_index(learnt)
    return found, collection


def _is_taken(changes: Changes, collection: Collection, index: Index, entry: bytes, key: bytes) -> bool:
    """Whether another document has this key. Long keys may share their cut form only by its hash: documents tell."""
    start = pack_id(index.id) + fold(entry, INDEX_KEY_CUT)
    for other, _ in changes.writer.scan(changes.tables.entries, start, after(start)):
        holder = other[len(start) :]
        if holder != key and (len(entry) < INDEX_KEY_CUT or entry in _keys_of(changes, collection, index, holder)):
            return True
    return False


def _keys_of(changes: Changes, collection: Collection, index: Index, key: bytes) -> Sequence[bytes]:
    record = changes.writer.get(changes.tables.records, collection.prefix + key)
    return index.compiled.entries(codec.decode_stored(record[TIME_BYTES:])).keys if record else ()


def duplicate_key(namespace: str, index: str, values: Mapping[str, Any]) -> AlreadyExistsError:
    """The refusal of a second document with the same key."""
    shown = ", ".join(f"{path}: {value!r:.200}" for path, value in values.items())
    return AlreadyExistsError(
        f'duplicate key in {namespace}, index "{index}": {{{shown}}}',
        "DUPLICATE_KEY",
        metadata={"namespace": namespace, "index": index},
    )


def _values(pattern: Mapping[str, Any], document: Mapping[str, Any]) -> dict[str, Any]:
    return {path: _value(document, path) for path in pattern}


def _value(document: Any, path: str) -> Any:
    for part in path.split("."):
        if not isinstance(document, dict):
            break
        document = document.get(part)
    return document


def split_entry(entry: bytes, record_key_length: int) -> tuple[bytes, bytes]:
    """Index key and record key of an entry, without the index id."""
    return entry[4:-record_key_length], entry[-record_key_length:]


def is_cut(entry_key: bytes) -> bool:
    """Whether an index key ends in a hash, so that its order and content must be read off the document."""
    return folded(entry_key, INDEX_KEY_CUT)
