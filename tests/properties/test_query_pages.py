"""Pages of a query through any indexes are what the documents, filtered, sorted and cut in memory, give."""

from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING, Any, TypeVar

from hypothesis import given, settings
from hypothesis import strategies as st

from laura_fast.domain.documents.budget import Budget
from laura_fast.domain.documents.codec import decode, encode
from laura_fast.domain.documents.filters import compile_filter
from laura_fast.domain.documents.indexing.definitions import parse_definition
from laura_fast.domain.documents.indexing.entries import compile_index
from laura_fast.domain.documents.sorting import compile_sort
from laura_fast.node.database.commands import QueryCommand
from laura_fast.node.database.cursors import Cursors
from laura_fast.node.database.queries import Queries
from laura_fast.storage.documents.layout import record_key
from laura_fast.storage.documents.store import DocumentStore
from laura_fast.storage.memory import MemoryStore
from laura_fast.testing.clock import VirtualClock

if TYPE_CHECKING:
    from collections.abc import Generator

    from laura_fast.storage.documents.session import WriteSession

Value = TypeVar("Value")
PLACE = "shop.orders"

SCALARS = st.sampled_from([0, 1, 1, 2, 2.0, "a", None, True])
"""Few, so that documents tie and arrays have what is asked for more than once."""

LONG = st.sampled_from(["x" * 400, "x" * 400 + "y", "x" * 401])
ARRAYS = st.lists(SCALARS, max_size=3)
INNER = st.fixed_dictionaries({"c": SCALARS})
FIELDS = ("a", "b", "b.c")
DOCUMENTS = st.lists(
    st.fixed_dictionaries(
        {"a": st.one_of(SCALARS, ARRAYS, LONG)}, optional={"b": st.one_of(SCALARS, INNER, st.lists(INNER, max_size=2))}
    ),
    min_size=8,
    max_size=20,
)
CONDITIONS = st.one_of(
    SCALARS,
    st.builds(
        lambda operator, value: {operator: value}, st.sampled_from(["$gt", "$gte", "$lt", "$lte", "$ne"]), SCALARS
    ),
    st.builds(lambda values: {"$in": values}, st.lists(SCALARS, min_size=1, max_size=3)),
    st.sampled_from([{"$gte": 0}, {"$gte": 1}, {"$lte": 2}]),
    st.builds(lambda there: {"$exists": there}, st.booleans()),
)
FLAT = st.one_of(
    st.builds(lambda condition: {"a": condition}, CONDITIONS),
    st.dictionaries(st.sampled_from((*FIELDS, "_id")), CONDITIONS, max_size=2),
)
QUERIES = st.one_of(FLAT, st.builds(lambda branches: {"$or": branches}, st.lists(FLAT, min_size=1, max_size=3)))
ORDER = st.sampled_from([1, -1])
SORTS = st.one_of(
    st.sampled_from([{}, {"a": 1}, {"a": -1}]),
    st.dictionaries(st.sampled_from((*FIELDS, "_id")), ORDER, max_size=2),
)
INDEXES = st.lists(
    st.dictionaries(st.sampled_from(FIELDS), ORDER, min_size=1, max_size=2), min_size=1, max_size=2, unique_by=str
)


class Database:
    """Documents in memory, with indexes, and queries over them."""

    def __init__(self, documents: list[dict[str, Any]], indexes: list[dict[str, int]]) -> None:
        self.documents = [{"_id": number, **document} for number, document in enumerate(documents)]
        self.clock = VirtualClock()
        self.store = DocumentStore(MemoryStore(), lambda definition: compile_index(parse_definition(definition)))
        self.queries = Queries(self.store, Cursors(b"s" * 32, self.clock, 1_000), self.clock.wall_ms)
        asyncio.run(self.store.write(lambda session: self._fill(session, indexes)))

    def _fill(self, session: WriteSession, indexes: list[dict[str, int]]) -> None:
        session.create_collection(PLACE)
        for key in indexes:
            session.create_index(PLACE, parse_definition({"key": key}).to_document())
        kept = []
        for document in self.documents:
            try:
                session.insert(PLACE, document)
            except Exception:  # noqa: BLE001, S112 - two arrays side by side in one index
                continue
            kept.append(document)
        self.documents = kept

    def pages(self, command: QueryCommand) -> list[dict[str, Any]]:
        """All pages, one behind the other."""
        found: list[dict[str, Any]] = []
        while len(found) <= 2 * len(self.documents):
            page = finished(self.queries.page(command, Budget(10_000, math.inf, 1 << 20, self.clock.monotonic)))
            found += map(decode, page.documents)
            if not page.cursor_id:
                return found
            assert page.documents
            command = QueryCommand(
                command.namespace,
                command.query,
                sort=command.sort,
                limit=command.limit,
                skip=command.skip,
                batch_size=command.batch_size,
                cursor_id=page.cursor_id,
            )
        raise AssertionError("the pages don't end")

    def expected(self, query: dict[str, Any], sort: dict[str, int], skip: int, limit: int) -> list[dict[str, Any]]:
        """The same without pages and indexes."""
        found = [document for document in self.documents if compile_filter(query).matches(document)]
        key = compile_sort(sort).key
        found.sort(key=lambda document: (key(document), record_key(document["_id"])))
        return found[skip : skip + limit if limit else None]


def finished(slices: Generator[None, None, Value]) -> Value:
    """The value of a read, run to its end."""
    try:
        while True:
            next(slices)
    except StopIteration as end:
        value: Value = end.value
        return value


@given(DOCUMENTS, INDEXES, QUERIES, SORTS, st.integers(0, 3), st.integers(0, 6), st.integers(1, 5))
@settings(deadline=None)
def test_pages_through_indexes_are_those_without(  # noqa: PLR0917 - what a query has
    documents: list[dict[str, Any]],
    indexes: list[dict[str, int]],
    query: dict[str, Any],
    sort: dict[str, int],
    skip: int,
    limit: int,
    batch: int,
) -> None:
    database = Database(documents, indexes)
    try:
        expected = database.expected(query, sort, skip, limit)
    except Exception:  # noqa: BLE001 - a sort over two arrays side by side
        return
    command = QueryCommand(
        PLACE, encode(query), sort=encode(sort) if sort else b"", limit=limit, skip=skip, batch_size=batch
    )
    found = database.pages(command)
    if sort:
        assert found == expected
    else:  # any order, but the same from page to page: no document twice, none left out
        everything = database.expected(query, sort, 0, 0)
        assert len(found) == len(expected)
        assert len({document["_id"] for document in found}) == len(found)
        assert all(document in everything for document in found)
