"""Which collections and indexes there are, as an immutable value that any thread may read.

The writer makes a new catalog from the old one; the store publishes it when its transaction is on disk. Every change
gives the catalog a token that was never used before, so that whoever holds a token of a state of the store knows
whether the catalog at hand is the one of that state.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from laura_fast.domain.documents import codec
from laura_fast.domain.documents.indexing.definitions import parse_definition
from laura_fast.domain.documents.indexing.entries import compile_index
from laura_fast.storage.documents.layout import LAST_ID, pack_id, unpack_number

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from laura_fast.domain.documents.codec import Document
    from laura_fast.storage.documents.layout import Tables
    from laura_fast.storage.ordered import Reader

    CompileIndex = Callable[[Mapping[str, Any]], "CompiledIndex"]


class Entries(Protocol):
    """What a document has in an index."""

    @property
    def keys(self) -> Sequence[bytes]:
        """Each key once."""

    @property
    def multikey(self) -> int:
        """Which of the index's fields were reached through an array, one bit each."""


class CompiledIndex(Protocol):
    """What the storage needs to know of an index definition."""

    @property
    def unique(self) -> bool:
        """No two documents share a key."""

    def entries(self, document: Document, /) -> Entries:
        """The keys of a document.

        Raises:
            InvalidArgumentError: The document can't be indexed.
        """


def compile_definition(definition: Mapping[str, Any]) -> CompiledIndex:
    """The index that MongoDB's rules make of a definition.

    Raises:
        InvalidArgumentError: INVALID_INDEX.
    """
    return compile_index(parse_definition(definition))


class IndexState(StrEnum):
    """Whether an index may answer queries yet."""

    BUILDING = "building"
    READY = "ready"


@dataclass(frozen=True, slots=True)
class Index:
    """One index of a collection.

    Attributes:
        id: Beginning of its keys; never used again.
        name: Unique in its collection.
        definition: The document that it was created with.
        compiled: What makes its entries.
        state: A BUILDING one is maintained but incomplete.
        since: Commit time from which on it answers reads; 0 while it is being built.
        multikey: Bits of the fields that were ever reached through an array.
        long_keys: Whether it ever had a key that was cut: entries with the same beginning are then in no order.
        progress: Record key up to which the documents from before it were indexed.
        prefix: `id` as the beginning of keys.
        fields: First parts of the paths that its entries are made of; None = any part of the document.
    """

    id: int
    name: str
    definition: Mapping[str, Any]
    compiled: CompiledIndex
    state: IndexState = IndexState.BUILDING
    since: int = 0
    multikey: int = 0
    long_keys: bool = False
    progress: bytes = b""
    prefix: bytes = field(init=False, repr=False)
    fields: frozenset[str] | None = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "prefix", pack_id(self.id))
        fields = frozenset(path.partition(".")[0] for path in self.definition["key"])
        object.__setattr__(self, "fields", None if "partialFilterExpression" in self.definition else fields)


@dataclass(frozen=True, slots=True)
class Collection:
    """One collection.

    Attributes:
        id: Beginning of its keys; never used again.
        namespace: `database.collection`.
        since: Commit time of its creation.
        indexes: In the order of their creation; the one of `_id` is the collection itself.
        long_keys: Whether a record key was ever cut: documents with the same beginning are then in no order.
        dropped: Commit time of its drop; 0 while it is there.
        drop_id: Op id of its drop; 0 = no entry of the log says it, and no rollback brings it back.
        prefix: `id` as the beginning of keys.
    """

    id: int
    namespace: str
    since: int
    indexes: tuple[Index, ...] = ()
    long_keys: bool = False
    dropped: int = 0
    drop_id: int = 0
    prefix: bytes = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "prefix", pack_id(self.id))

    def index(self, name: str) -> Index | None:
        """The index of a name."""
        return next((index for index in self.indexes if index.name == name), None)

    def with_index(self, changed: Index) -> Collection:
        """The collection with one index added or changed."""
        if self.index(changed.name) is None:
            return replace(self, indexes=(*self.indexes, changed))
        return replace(self, indexes=tuple(changed if index.id == changed.id else index for index in self.indexes))

    def without_index(self, name: str) -> Collection:
        """The collection with one index less."""
        return replace(self, indexes=tuple(index for index in self.indexes if index.name != name))


@dataclass(frozen=True, slots=True)
class Catalog:
    """All collections.

    Attributes:
        token: Belongs to this content alone.
        collections: By namespace.
        dropped: Those whose data is still there, by id. A dropped index is here, too, by its own id: as a collection
            that had no documents and existed for no time.
        last_id: The highest id ever given to a collection or an index.
    """

    token: int = 0
    collections: Mapping[str, Collection] = field(default_factory=dict)
    dropped: Mapping[int, Collection] = field(default_factory=dict)
    last_id: int = 0

    def at(self, namespace: str, time: int) -> Collection | None:
        """The collection that had this name at a commit time."""
        current = self.collections.get(namespace)
        if current is not None and current.since <= time:
            return current
        former = (gone for gone in self.dropped.values() if gone.namespace == namespace)
        return next((gone for gone in former if gone.since <= time < gone.dropped), None)


class _IndexRecord(msgspec.Struct, frozen=True, array_like=True):
    id: int
    definition: bytes
    state: IndexState
    since: int
    multikey: int
    long_keys: bool
    progress: bytes


class _CollectionRecord(msgspec.Struct, frozen=True, array_like=True):
    id: int
    namespace: str
    since: int
    indexes: tuple[_IndexRecord, ...]
    long_keys: bool
    dropped: int
    drop_id: int


_decoder = msgspec.msgpack.Decoder(_CollectionRecord)


def encode_collection(collection: Collection) -> bytes:
    """The value of a collection in the catalog's table."""
    indexes = tuple(_index_record(index) for index in collection.indexes)
    return msgspec.msgpack.encode(
        _CollectionRecord(
            collection.id,
            collection.namespace,
            collection.since,
            indexes,
            collection.long_keys,
            collection.dropped,
            collection.drop_id,
        )
    )


def collection_key(collection: Collection) -> bytes:
    """The key of a collection in the catalog's table."""
    return (b"d" if collection.dropped else b"c") + collection.prefix


def load(reader: Reader, tables: Tables, token: int, compiled: CompileIndex) -> Catalog:
    """Reads the catalog of a state of the store."""
    everything = [_collection(data, compiled) for _, data in reader.scan(tables.catalog)]
    last_id = reader.get(tables.state, LAST_ID)
    return Catalog(
        token,
        {found.namespace: found for found in everything if not found.dropped},
        {found.id: found for found in everything if found.dropped},
        unpack_number(last_id)[0] if last_id else 0,
    )


def _index_record(index: Index) -> _IndexRecord:
    definition = codec.encode(index.definition)
    return _IndexRecord(index.id, definition, index.state, index.since, index.multikey, index.long_keys, index.progress)


def _collection(data: bytes, compiled: CompileIndex) -> Collection:
    record = _decoder.decode(data)
    indexes = tuple(_index(index, compiled) for index in record.indexes)
    return Collection(
        record.id, record.namespace, record.since, indexes, record.long_keys, record.dropped, record.drop_id
    )


def _index(record: _IndexRecord, compiled: CompileIndex) -> Index:
    definition = codec.decode_stored(record.definition)
    return Index(
        record.id,
        definition["name"],
        definition,
        compiled(definition),
        record.state,
        record.since,
        record.multikey,
        record.long_keys,
        record.progress,
    )
