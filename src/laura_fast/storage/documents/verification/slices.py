"""Walks a table in short read transactions."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from laura_fast.limits.storage import VERIFY_SLICE
from laura_fast.storage.documents.layout import HEAD, Head, Tables, unpack_head

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from laura_fast.storage.documents.catalog import Catalog, Collection, Index
    from laura_fast.storage.ordered import Reader, Store, Table


@dataclass(frozen=True, slots=True)
class View:
    """One state of the store, with its catalog by id."""

    reader: Reader
    tables: Tables
    head: Head
    collections: dict[bytes, Collection]
    dropped: frozenset[bytes]
    indexes: dict[bytes, tuple[Collection, Index]]

    @classmethod
    def of(cls, reader: Reader, tables: Tables, catalog_of: Callable[[Reader, int], Catalog]) -> View:
        """The view of a reader's state."""
        head = unpack_head(reader.get(tables.state, HEAD))
        catalog = catalog_of(reader, head.catalog)
        collections = {collection.prefix: collection for collection in catalog.collections.values()}
        gone = catalog.dropped.values()
        return cls(
            reader,
            tables,
            head,
            collections,
            frozenset({item.prefix for item in gone} | {index.prefix for item in gone for index in item.indexes}),
            {index.prefix: (found, index) for found in collections.values() for index in found.indexes},
        )


@dataclass(frozen=True, slots=True)
class Source:
    """Where views come from."""

    store: Store
    tables: Tables
    catalog_of: Callable[[Reader, int], Catalog]

    def walk(self, table: Table, check: Callable[[View, bytes, bytes], None]) -> Iterator[Head]:
        """Checks everything in a table, a slice per state, and gives that state's head when it was let go."""
        place: bytes | None = b""
        while place is not None:
            with self.store.read() as reader:
                view = View.of(reader, self.tables, self.catalog_of)
                items = list(islice(reader.scan(table, place), VERIFY_SLICE))
                for key, value in items:
                    check(view, key, value)
            place = items[-1][0] + b"\0" if len(items) == VERIFY_SLICE else None
            yield view.head
