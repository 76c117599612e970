"""What the server answers about documents, as plain values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from laura_fast.client.documents.namespaces import Namespace
    from laura_fast.pb.laura.fast.v1 import documents_pb2


@dataclass(frozen=True, slots=True)
class Page:
    """One answer of a query.

    Attributes:
        documents: In the query's order, each as the BSON that the server sent.
        more: Whether another page follows.
        examined: Documents that the server read for it.
        milliseconds: Time that the server took.
        shards: That were asked, sorted.
    """

    documents: tuple[bytes, ...]
    more: bool
    examined: int
    milliseconds: int
    shards: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DocumentError:
    """One document that was not inserted: its position in what was given, from 0, and the server's reason."""

    index: int
    message: str


@dataclass(frozen=True, slots=True)
class InsertOutcome:
    """What became of the documents given.

    Attributes:
        inserted: How many are stored now by this call.
        ids: The `_id` of each document that was inserted, in the order given.
        errors: The others that were tried. After the first one of an ordered insert, none was tried.
    """

    inserted: int
    ids: tuple[Any, ...] = ()
    errors: tuple[DocumentError, ...] = ()


@dataclass(frozen=True, slots=True)
class UpdateOutcome:
    """`modified` counts only documents that the update made different; `upserted_id` is None where none was made."""

    matched: int
    modified: int
    upserted_id: Any = None


@dataclass(frozen=True, slots=True)
class DeleteOutcome:
    """How many documents are gone."""

    deleted: int


@dataclass(frozen=True, slots=True)
class CollectionInfo:
    """A collection, how many documents it has, and how many indexes beside the one on `_id`."""

    namespace: Namespace
    documents: int
    indexes: int


@dataclass(frozen=True, slots=True)
class IndexInfo:
    """An index.

    Attributes:
        name: Unique in its collection.
        definition: As `Catalog.create_index` takes it, complete.
        ready: False while it is being built, when queries don't use it yet.
        multikey: Some document has an array in it.
    """

    name: str
    definition: dict[str, Any]
    ready: bool
    multikey: bool


@dataclass(frozen=True, slots=True)
class IndexBuilt:
    """`created` is False where the same index was there before; `documents` were read to build it."""

    name: str
    created: bool
    documents: int


@dataclass(frozen=True, slots=True)
class Verification:
    """How far a check is, and what it found. Without `complete` it goes on, and `problems` says nothing yet."""

    complete: bool
    documents: int
    index_entries: int
    oplog_entries: int
    problems: tuple[str, ...]

    @classmethod
    def of(cls, message: documents_pb2.VerifyResponse) -> Verification:
        """The message as a value."""
        return cls(
            complete=message.complete,
            documents=message.documents_checked,
            index_entries=message.index_entries_checked,
            oplog_entries=message.oplog_entries_checked,
            problems=tuple(message.problems),
        )
