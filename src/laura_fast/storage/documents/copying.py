"""A copy of all documents for another node, read in pieces while writes go on, and taken there piece by piece.

The pieces are of different moments. What the log says from the first piece on, replayed over all of them, makes them
one state: an entry says what became of a document, not how (`WriteSession.replay`). Documents go collection by
collection in the order of their keys, then the outcomes of requests; a `Place` says how far a copy has come, whoever
goes on with it. Indexes come with their collection and are filled as its documents arrive.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import msgspec

from laura_fast.domain.documents import codec
from laura_fast.errors import InvalidArgumentError, NotFoundError
from laura_fast.storage.documents import schema
from laura_fast.storage.documents.applying import build_at_once, put_image
from laura_fast.storage.documents.catalog import IndexState
from laura_fast.storage.documents.layout import HORIZON, ID_BYTES, TIME_BYTES, after, pack_number, unpack_number
from laura_fast.storage.documents.layout import record_key as key_of
from laura_fast.storage.documents.oplog import entry_at
from laura_fast.storage.documents.sealing import body_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from laura_fast.storage.documents.catalog import Catalog, Collection, CompileIndex
    from laura_fast.storage.documents.changes import Changes
    from laura_fast.storage.documents.layout import Head, Tables
    from laura_fast.storage.documents.oplog import OplogEntry
    from laura_fast.storage.ordered import Reader

_FRAME_BYTES = 16
"""Counted for each thing beside its own bytes, so that many small ones make a piece, too."""


class Place(msgspec.Struct, frozen=True, array_like=True):
    """How far a copy has come.

    Attributes:
        done: Collections up to this id are copied.
        current: Id of the one that is being copied; 0 = none.
        key: Its last record key.
        request: In the end: the last outcome that was copied; None = documents are not all copied yet.
    """

    done: int = 0
    current: int = 0
    key: bytes = b""
    request: bytes | None = None


class Piece(msgspec.Struct, frozen=True, omit_defaults=True):
    """Some documents of one collection, or some outcomes.

    Attributes:
        namespace: Of the collection; empty with outcomes.
        since: Commit time of its creation, in its first piece.
        indexes: BSON of their definitions, in its first piece.
        images: Commit time, check and BSON of each document.
        outcomes: Hash of a request; time, op id and outcome.
    """

    namespace: str = ""
    since: int = 0
    indexes: tuple[bytes, ...] = ()
    images: tuple[bytes, ...] = ()
    outcomes: tuple[tuple[bytes, bytes], ...] = ()


class Portion(NamedTuple):
    """What one read transaction gave.

    Attributes:
        head: Of its state.
        last: The last entry of its log; None = there is none.
        pieces: In order.
        place: Where to go on; None = everything is copied.
        documents: How many there are in the pieces.
    """

    head: Head
    last: OplogEntry | None
    pieces: list[Piece]
    place: Place | None
    documents: int


def encode_pieces(pieces: Sequence[Piece]) -> bytes:
    """Pieces for the wire: MessagePack, an array of maps by the names of the fields."""
    return msgspec.msgpack.encode(pieces)


_decode = msgspec.msgpack.Decoder(list[Piece]).decode


def decode_pieces(data: bytes) -> list[Piece]:
    """What `encode_pieces` made.

    Raises:
        InvalidArgumentError: MALFORMED: it is something else.
    """
    try:
        return _decode(data)
    except msgspec.MsgspecError as error:
        raise InvalidArgumentError(f"this is no part of a copy: {error}", "MALFORMED") from None


def check_collections(catalog: Catalog, names: Sequence[str]) -> None:
    """Raises NotFoundError (NO_COLLECTION) for a collection that isn't there."""
    for name in names:
        if name not in catalog.collections:
            raise NotFoundError(f"there is no collection {name!r:.300}", "NO_COLLECTION")


class Copier:
    """Reads one portion from one state."""

    def __init__(self, reader: Reader, tables: Tables, catalog: Catalog, max_bytes: int) -> None:
        self._reader = reader
        self._tables = tables
        self._collections = sorted(catalog.collections.values(), key=lambda collection: collection.id)
        self._left = max_bytes
        self._pieces: list[Piece] = []
        self._documents = 0

    def read(self, head: Head, place: Place, names: Sequence[str] = ()) -> Portion:
        """What follows a place, up to the bytes; of some collections only, then without outcomes, or of all."""
        last = entry_at(self._reader, self._tables, head.op_id)
        stopped = self._walk(place, names)
        return Portion(head, last, self._pieces, stopped, self._documents)

    def _walk(self, place: Place, names: Sequence[str]) -> Place | None:
        if place.request is None:
            for collection in self._collections:
                if collection.id <= place.done or (names and collection.namespace not in names):
                    continue
                key = self._copy(collection, place.key if collection.id == place.current else None)
                if key is not None:
                    return Place(collection.id - 1, collection.id, key)
            place = Place(request=b"")
        return None if names else self._copy_outcomes(place.request or b"")

    def _copy(self, collection: Collection, key: bytes | None) -> bytes | None:
        """Copies what follows a key, None = from the beginning; returns where it had to stop, None = nowhere."""
        images: list[bytes] = []
        stopped = None
        for place, image in self._records(collection, key):
            images.append(image)
            self._left -= len(image) + _FRAME_BYTES
            if self._left <= 0:
                stopped = place[ID_BYTES:]
                break
        if images or key is None:
            self._pieces.append(_piece(collection, images, first=key is None))
            self._left -= _FRAME_BYTES
        self._documents += len(images)
        return stopped

    def _records(self, collection: Collection, key: bytes | None) -> Iterator[tuple[bytes, bytes]]:
        start = collection.prefix + key + b"\0" if key else collection.prefix
        return self._reader.scan(self._tables.records, start, after(collection.prefix))

    def _copy_outcomes(self, request: bytes) -> Place | None:
        outcomes: list[tuple[bytes, bytes]] = []
        stopped = None
        for key, value in self._reader.scan(self._tables.ledger, request + b"\0" if request else b""):
            outcomes.append((key, value))
            self._left -= len(key) + len(value) + _FRAME_BYTES
            if self._left <= 0:
                stopped = Place(request=key)
                break
        if outcomes:
            self._pieces.append(Piece(outcomes=tuple(outcomes)))
        return stopped


def _piece(collection: Collection, images: list[bytes], *, first: bool) -> Piece:
    if not first:
        return Piece(collection.namespace, images=tuple(images))
    ready = (index for index in collection.indexes if index.state is IndexState.READY)
    indexes = tuple(codec.encode(index.definition) for index in ready)
    return Piece(collection.namespace, collection.since, indexes, tuple(images))


def begin(changes: Changes, entry: OplogEntry | None) -> None:
    """See `WriteSession.begin_copy`."""
    for table in changes.tables:
        if table != changes.tables.state:
            changes.writer.clear(table)
    changes.forget_everything()
    changes.rewind(0, 0, 0)
    if entry:
        changes.log_given(entry)
    changes.writer.put(changes.tables.state, HORIZON, pack_number(changes.time))


def take(changes: Changes, compile_index: CompileIndex, pieces: Sequence[Piece]) -> None:
    """See `WriteSession.take_copied`."""
    for piece in pieces:
        if piece.since and piece.namespace not in changes.catalog.collections:
            _create(changes, compile_index, piece)
        _put(changes, piece)


def _create(changes: Changes, compile_index: CompileIndex, piece: Piece) -> None:
    """A later collection of the name of an earlier one needs no indexes from here: they come with the log."""
    schema.add_collection(changes, piece.namespace, piece.since)
    for definition in piece.indexes:
        collection = changes.catalog.collections[piece.namespace]
        build_at_once(changes, compile_index, collection, codec.decode_stored(definition), piece.since)


def _put(changes: Changes, piece: Piece) -> None:
    for image in piece.images:
        collection = changes.catalog.collections[piece.namespace]
        put_image(changes, collection, key_of(codec.decode_stored(body_of(image))["_id"]), image)
    for key, value in piece.outcomes:
        time, op_id = unpack_number(value)[0], unpack_number(value, TIME_BYTES)[0]
        changes.ledger.put(changes.writer, key, value[2 * TIME_BYTES :], time, op_id)
