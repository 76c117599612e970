"""Documents and index entries as they were at a commit time.

An image of a record is valid from its commit time to its end: the end of the record itself is open, that of an old
image is in its key. At most one image of a record is valid at any time, and none where the document was not there.
"""

from __future__ import annotations

from heapq import merge
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING

from laura_fast.domain.documents import codec
from laura_fast.storage.documents.layout import (
    ID_BYTES,
    INDEX_KEY_CUT,
    TIME_BYTES,
    after,
    fold,
    pack_number,
    unpack_number,
)
from laura_fast.storage.documents.sealing import body_of, time_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from laura_fast.storage.documents.catalog import Collection, Index
    from laura_fast.storage.documents.layout import Tables
    from laura_fast.storage.ordered import Reader

_OPEN = 1 << 64
_key = itemgetter(0)


class Images:
    """The documents and entries of one collection at one time, in one state of the store that is not older."""

    __slots__ = ("_at", "_collection", "_reader", "_tables")

    def __init__(self, reader: Reader, tables: Tables, collection: Collection, at: int) -> None:
        self._reader = reader
        self._tables = tables
        self._collection = collection
        self._at = at

    def get(self, key: bytes) -> bytes | None:
        """The image of a record; None where there was no document."""
        place = self._collection.prefix + key
        record = self._reader.get(self._tables.records, place)
        return record if record is not None and self._is_valid(record) else self._former(place)

    def _former(self, place: bytes) -> bytes | None:
        """The image that a record had before its own; only the first one that ended later may be valid."""
        for found, image in self._reader.scan(self._tables.versions, place + pack_number(self._at + 1), after(place)):
            return image if len(found) == len(place) + TIME_BYTES and self._is_valid(image) else None
        return None

    def documents(self, start: bytes, stop: bytes | None, *, reverse: bool) -> Iterator[tuple[bytes, bytes]]:
        """Keys (with the collection's id) and images of a range, in order."""
        images = merge(
            self._current(start, stop, reverse), self._ended(start, stop, reverse), key=_key, reverse=reverse
        )
        for key, candidates in groupby(images, _key):
            for _, end, image in candidates:
                if end > self._at and self._is_valid(image):
                    yield key, image

    def entries(
        self, index: Index, start: bytes, stop: bytes | None, *, reverse: bool
    ) -> Iterator[tuple[bytes, bytes]]:
        """Index entries (with the index's id) of a range, in order, and the length of their record keys in a byte."""
        places = merge(self._live(start, stop, reverse), self._removed(start, stop, reverse), key=_key, reverse=reverse)
        for entry, candidates in groupby(places, _key):
            _, length, is_live = next(candidates)  # a live one comes before removed ones with its key
            if self._has_entry(index, entry, length[0], is_live=is_live):
                yield entry, length

    def _is_valid(self, image: bytes) -> bool:
        return time_of(image) <= self._at

    def _current(self, start: bytes, stop: bytes | None, reverse: bool) -> Iterator[tuple[bytes, int, bytes]]:
        for key, record in self._reader.scan(self._tables.records, start, stop, reverse=reverse):
            yield key, _OPEN, record

    def _ended(self, start: bytes, stop: bytes | None, reverse: bool) -> Iterator[tuple[bytes, int, bytes]]:
        for key, image in self._reader.scan(self._tables.versions, start, stop, reverse=reverse):
            yield key[:-TIME_BYTES], unpack_number(key, len(key) - TIME_BYTES)[0], image

    def _live(self, start: bytes, stop: bytes | None, reverse: bool) -> Iterator[tuple[bytes, bytes, bool]]:
        for key, length in self._reader.scan(self._tables.entries, start, stop, reverse=reverse):
            yield key, length, True

    def _removed(self, start: bytes, stop: bytes | None, reverse: bool) -> Iterator[tuple[bytes, bytes, bool]]:
        for key, length in self._reader.scan(self._tables.removed, start, stop, reverse=reverse):
            if unpack_number(key, len(key) - TIME_BYTES)[0] > self._at:
                yield key[:-TIME_BYTES], length, False

    def _has_entry(self, index: Index, entry: bytes, length: int, *, is_live: bool) -> bool:
        """Entries don't know when they came. Those of an unchanged document are there; else its image tells."""
        place = self._collection.prefix + entry[-length:]
        record = self._reader.get(self._tables.records, place)
        if record is not None and self._is_valid(record):
            return is_live
        image = self._former(place)
        if image is None:
            return False
        wanted = entry[ID_BYTES:-length]
        found = index.compiled.entries(codec.decode_stored(body_of(image))).keys
        return any(fold(key, INDEX_KEY_CUT) == wanted for key in found)
