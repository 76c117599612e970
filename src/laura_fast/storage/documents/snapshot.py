"""Reads of one moment: documents, index entries, small states."""

from __future__ import annotations

from functools import partial
from itertools import repeat
from typing import TYPE_CHECKING

from laura_fast.errors import NotFoundError
from laura_fast.storage.documents.catalog import IndexState
from laura_fast.storage.documents.images import Images
from laura_fast.storage.documents.layout import ID_BYTES, INDEX_KEY_CUT, OWN, RECORD_KEY_CUT, key_range, resumed
from laura_fast.storage.documents.sealing import body_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from laura_fast.storage.documents.catalog import Catalog, Collection, Index
    from laura_fast.storage.documents.layout import Tables
    from laura_fast.storage.ordered import Reader

    _Range = tuple[bytes, bytes | None]
    _Scan = Callable[[Reader, _Range, bool], Iterator[tuple[bytes, bytes]]]


class Snapshot:
    """The documents as they are at one commit time.

    Bounds of ranges are codes of `domain.documents.keys`, the first inclusive, the second exclusive: an inclusive one
    is made exclusive by `keys.successor`, never by appending a byte.

    Attributes:
        tables: Of the store.
        catalog: Of this state; a collection of an earlier time is found by `collection`.
        at: The commit time.
    """

    def __init__(self, tables: Tables, catalog: Catalog, at: int, reader: Reader) -> None:
        self.tables = tables
        self.catalog = catalog
        self.at = at
        self._reader = reader
        self._newest = True

    def collection(self, namespace: str) -> Collection | None:
        """The collection of that name at that time."""
        return self.catalog.at(namespace, self.at)

    def index(self, namespace: str, name: str) -> tuple[Collection, Index]:
        """A collection and an index of it that can answer at that time.

        Raises:
            NotFoundError: There is none.
        """
        collection = self.collection(namespace)
        index = collection.index(name) if collection else None
        if collection and index and index.state is IndexState.READY and index.since <= self.at:
            return collection, index
        raise NotFoundError(f'{namespace} has no index "{name}"', "NO_INDEX")

    def get(self, namespace: str, key: bytes) -> bytes | None:
        """BSON of the document with this record key."""
        collection = self.collection(namespace)
        if collection is None:
            return None
        reader = self._open()
        if self._newest:
            image = reader.get(self.tables.records, collection.prefix + key)
        else:
            image = Images(reader, self.tables, collection, self.at).get(key)
        if image is None:
            return None
        self._read(len(image))
        return body_of(image)

    def documents(
        self,
        namespace: str,
        after: bytes = b"",
        *,
        start: bytes = b"",
        stop: bytes | None = None,
        reverse: bool = False,
    ) -> Iterator[tuple[bytes, bytes]]:
        """Record keys and BSON of a collection in the order of `_id`.

        Args:
            namespace: An absent one has no documents.
            after: Record key of the last document that was seen; empty = from the beginning.
            start: Lower bound of the code of `_id`.
            stop: Upper bound; None = none.
            reverse: From the last to the first.
        """
        collection = self.collection(namespace)
        if collection is None:
            return
        place = _range(collection.prefix, RECORD_KEY_CUT, start, stop, after=after, reverse=reverse)
        for key, image in self._walk(partial(self._images, collection), place, reverse=reverse):
            yield key[ID_BYTES:], body_of(image)

    def keys(
        self,
        namespace: str,
        after: bytes = b"",
        *,
        start: bytes = b"",
        stop: bytes | None = None,
        reverse: bool = False,
    ) -> Iterator[bytes]:
        """Record keys alone, with the arguments of `documents`: to count, several times as fast."""
        collection = self.collection(namespace)
        if collection is None:
            return
        place = _range(collection.prefix, RECORD_KEY_CUT, start, stop, after=after, reverse=reverse)
        for key, _ in self._walk(partial(self._record_keys, collection), place, reverse=reverse):
            yield key[ID_BYTES:]

    def entries(
        self,
        namespace: str,
        index: str,
        start: bytes = b"",
        stop: bytes | None = None,
        *,
        after: tuple[bytes, bytes] | None = None,
        reverse: bool = False,
    ) -> Iterator[tuple[bytes, bytes]]:
        """Index keys and record keys of a range of an index, in its order.

        A key for which `indexing.is_cut` holds is no code: it, and the order of those with the same beginning, must be
        read off the document, and it may lie outside the range.

        Args:
            namespace: The collection.
            index: Name of one that is READY.
            start: Lower bound.
            stop: Upper bound; None = none.
            after: The last entry that was seen.
            reverse: From the last to the first.

        Raises:
            NotFoundError: There is no such index.
        """
        collection, found = self.index(namespace, index)
        seen = after[0] + after[1] if after else b""
        place = _range(found.prefix, INDEX_KEY_CUT, start, stop, after=seen, reverse=reverse)
        for key, length in self._walk(partial(self._entries, collection, found), place, reverse=reverse):
            yield key[ID_BYTES : -length[0]], key[-length[0] :]

    def size(self) -> int:
        """How many documents all collections have together; takes no time."""
        return self._open().entries(self.tables.records)

    def state(self, name: bytes) -> bytes | None:
        """A small durable value, as `WriteSession.set_state` set it; the newest one, whatever the time."""
        return self._open().get(self.tables.state, OWN + name)

    def _walk(self, scan: _Scan, place: _Range, *, reverse: bool) -> Iterator[tuple[bytes, bytes]]:
        """Scans a range, in a new state behind the last key whenever the old one was let go."""
        while True:
            last = b""
            reader = self._open()
            for last, value in scan(reader, place, reverse):
                yield last, value
                if self._read(len(last) + len(value)) or self._reader is not reader:
                    break
            else:
                return
            place = resumed(place, last, reverse=reverse)

    def _images(
        self, collection: Collection, reader: Reader, place: _Range, reverse: bool
    ) -> Iterator[tuple[bytes, bytes]]:
        if self._newest:
            return reader.scan(self.tables.records, *place, reverse=reverse)
        return Images(reader, self.tables, collection, self.at).documents(*place, reverse=reverse)

    def _record_keys(
        self, collection: Collection, reader: Reader, place: _Range, reverse: bool
    ) -> Iterator[tuple[bytes, bytes]]:
        if self._newest:
            return zip(reader.keys(self.tables.records, *place, reverse=reverse), repeat(b""))
        return self._images(collection, reader, place, reverse)

    def _entries(
        self, collection: Collection, index: Index, reader: Reader, place: _Range, reverse: bool
    ) -> Iterator[tuple[bytes, bytes]]:
        if self._newest:
            return reader.scan(self.tables.entries, *place, reverse=reverse)
        return Images(reader, self.tables, collection, self.at).entries(index, *place, reverse=reverse)

    def _open(self) -> Reader:
        """The state to read from."""
        return self._reader

    def _read(self, count: int) -> bool:  # noqa: ARG002 - for those that let their state go
        """Notes bytes that were read; tells whether a scan must begin anew behind its last key."""
        return False


def _range(prefix: bytes, cut: int, start: bytes, stop: bytes | None, *, after: bytes, reverse: bool) -> _Range:
    """Where folded keys between two codes lie behind a prefix, or what is left of that behind a key."""
    place = key_range(prefix, start, stop, cut)
    return resumed(place, prefix + after, reverse=reverse) if after else place
