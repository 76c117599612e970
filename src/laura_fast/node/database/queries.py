"""One page of a query: filter, sort, skip, limit, projection, in that order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from bson.int64 import Int64
from bson.objectid import ObjectId

from laura_fast.domain.documents.codec import decode
from laura_fast.domain.documents.filters import compile_filter
from laura_fast.domain.documents.planning.ordering import Order
from laura_fast.domain.documents.projections import compile_projection
from laura_fast.domain.documents.sorting import compile_sort
from laura_fast.errors import InvalidArgumentError
from laura_fast.limits import database as limits
from laura_fast.node.database.access import START, ById, Place
from laura_fast.node.database.choosing import Asked, choose, index_gone
from laura_fast.node.database.commands import Page
from laura_fast.node.database.cursors import Position
from laura_fast.node.database.searching import Filling, Mode, Search, TiesPlace, page_documents
from laura_fast.node.database.variables import variables
from laura_fast.storage.documents.layout import record_key

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from laura_fast.domain.documents.budget import Budget
    from laura_fast.domain.documents.codec import Document
    from laura_fast.domain.documents.filters import Filter
    from laura_fast.domain.documents.sorting import Sort
    from laura_fast.node.database.access import Access
    from laura_fast.node.database.commands import QueryCommand
    from laura_fast.node.database.cursors import Cursors
    from laura_fast.storage.documents.snapshot import Snapshot
    from laura_fast.storage.documents.store import DocumentStore


_PLAIN_IDS: Final = frozenset({int, Int64, float, str, bytes, bool, ObjectId})
"""Types of an `_id` that a query can only be equal to."""


class Query(NamedTuple):
    """A checked query: what to keep, in which order, and what of it to answer."""

    filter: Filter | None
    """None: the document whose `_id` is `id_value`, and no other condition."""

    id_value: Any
    sort: Sort | None
    project: Callable[[Document], Document] | None


def compile_query(command: QueryCommand, now_ms: int) -> Query:
    """Checks everything that can be wrong with the request alone.

    Args:
        command: The request.
        now_ms: When its first page was asked for, in milliseconds since 1970: `$$NOW` of all its pages.

    Raises:
        InvalidArgumentError: It names the operator, field or number that is wrong.
    """
    for name, number in (("limit", command.limit), ("skip", command.skip), ("batch_size", command.batch_size)):
        if number < 0:
            raise InvalidArgumentError(f"{name} is negative: {number}", "NEGATIVE_NUMBER")
    sort, projection = decode_optional(command.sort), decode_optional(command.projection)
    query = decode_optional(command.query)
    return Query(
        None if _is_lookup(query) else compile_filter(query, variables(now_ms)),
        query.get("_id"),
        compile_sort(sort) if sort else None,
        compile_projection(projection).apply if projection else None,
    )


def _is_lookup(query: Document) -> bool:
    return len(query) == 1 and type(query.get("_id")) in _PLAIN_IDS


def decode_optional(data: bytes) -> Document:
    """A client's document; no bytes are an empty one."""
    return decode(data) if data else {}


class Queries:
    """Answers queries: pages on the reader thread, lookups at once."""

    def __init__(self, store: DocumentStore, cursors: Cursors, now_ms: Callable[[], int]) -> None:
        """Prepares.

        Args:
            store: Has the documents.
            cursors: Makes tokens of places.
            now_ms: Milliseconds since 1970, for `$$NOW`.
        """
        self._store = store
        self._cursors = cursors
        self._now_ms = now_ms

    def lookup(self, command: QueryCommand) -> Page | None:
        """The answer to a query for a whole document by its `_id` and nothing else; None where more is asked.

        It takes less than waking a thread would, so it may run on the event loop (`bench.documents`, "find by _id").

        Raises:
            InvalidArgumentError: The query is malformed.
        """
        if len(command.query) > limits.LOOKUP_BYTES or command.asks_more:
            return None
        query = decode_optional(command.query)
        if not _is_lookup(query):
            return None
        with self._store.reading(command.at) as state:
            data = state.get(command.namespace, record_key(query["_id"]))
        return Page([], "", 0) if data is None else Page([data], "", 1)

    def page(self, command: QueryCommand, budget: Budget) -> Generator[None, None, Page]:
        """The documents behind the command's cursor, or the first ones; yields after each slice of work.

        Raises:
            InvalidArgumentError: The query is malformed, or its cursor not one of it.
            NotFoundError: CURSOR_EXPIRED.
            FailedPreconditionError: CURSOR_INDEX_GONE.
            OverloadedError, DeadlineError: The budget is used up.
        """
        start = self._cursors.position(command) if command.cursor_id else None
        now_ms = start.now_ms if start else self._now_ms()
        query = compile_query(command, now_ms)
        filling = Filling(command.batch_size, start.left if start else command.limit, query.project)
        with self._store.reading(command.at) as state:
            access = self._access(state, command, query, start)
            mode = Mode(start.mode) if start else mode_of(access)
            if start and mode is not Mode.RANK and mode is not mode_of(access):
                raise index_gone(access.name)
            find = None if access.exact or query.filter is None else query.filter.find
            search = Search(find, budget, filling, 0 if start else command.skip)
            after = start.place if start else START
            sort_key = query.sort.key if query.sort else _any_order
            if mode is Mode.STREAM:
                yield from search.stream(access.candidates(state, after))
            elif mode is Mode.TIES:
                begin = Place(TiesPlace.unpacked(after.key).key, after.id_key)
                yield from search.ties(access.candidates(state, begin, whole_key=True), sort_key, after)
            else:
                yield from search.rank(access.candidates(state), sort_key, after, several=access.several)
        if not filling.more:
            return Page(filling.documents, "", budget.examined)
        left = start.left if start else command.limit
        left = left - len(filling.documents) if left else 0
        name = "" if mode is Mode.RANK else access.name
        token = self._cursors.token(command, Position(mode, name, filling.place, left, now_ms))
        return Page(filling.documents, token, budget.examined)

    @staticmethod
    def _access(state: Snapshot, command: QueryCommand, query: Query, start: Position | None) -> Access:
        """A lookup by `_id` alone needs neither a plan nor a filter: half of what it would cost."""
        if query.filter is None:
            return ById(command.namespace, record_key(query.id_value), exact=True)
        return choose(state, asked_of(command, query, query.filter, start))


def asked_of(command: QueryCommand, query: Query, filter_: Filter, start: Position | None = None) -> Asked:
    """What the planner is asked for a page: the first one, or the one behind `start`."""
    decoding = query.project is not None
    if start and start.mode == Mode.RANK:
        return Asked(command.namespace, filter_, decoding=True)
    page = page_documents(command.batch_size)
    wanted = command.skip + (min(command.limit, page) if command.limit else page)
    return Asked(command.namespace, filter_, query.sort, wanted, start.access if start else "", decoding=decoding)


def mode_of(access: Access) -> Mode:
    """How the first page of a query is made."""
    if access.several or access.order is Order.NONE:
        return Mode.RANK
    return Mode.STREAM if access.order is Order.FULL else Mode.TIES


def _any_order(document: Document) -> bytes:
    """Then that of `_id`."""
    del document
    return b""
