"""What a caller asks of the database and what became of it: plain values, whatever the wire looks like."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


@dataclass(frozen=True, slots=True)
class QueryCommand:
    """One page of a query.

    Attributes:
        namespace: `database.collection`, valid.
        query: BSON of the filter; empty matches everything.
        projection: BSON; empty gives whole documents.
        sort: BSON, its fields in order; empty means any order, which stays the same from page to page.
        limit: Documents over all pages; 0 = all.
        skip: Documents left out before the first.
        cursor_id: Where the page before ended; empty for the first.
        batch_size: Documents of this page; 0 = as many as a page may have.
        max_examined: Documents the whole page may look at; 0 = the server's own bound.
        seconds: What is left of the caller's time; None = no end.
        at: Commit time to read at; None = the newest.
    """

    namespace: str
    query: bytes = b""
    projection: bytes = b""
    sort: bytes = b""
    limit: int = 0
    skip: int = 0
    cursor_id: str = ""
    batch_size: int = 0
    max_examined: int = 0
    seconds: float | None = None
    at: int | None = None

    @property
    def asks_more(self) -> bool:
        """Whether it is about more than the filter and a limit."""
        other = self.projection or self.sort or self.cursor_id or self.skip
        return bool(other) or self.limit < 0 or self.batch_size < 0


class Page(NamedTuple):
    """An answer to a `QueryCommand`.

    Attributes:
        documents: BSON.
        cursor_id: Continues the query; empty when this was all.
        examined: Documents and index entries looked at.
    """

    documents: list[bytes]
    cursor_id: str
    examined: int


@dataclass(frozen=True, slots=True)
class AggregateCommand:
    """A pipeline over one collection; fields as in `QueryCommand`."""

    namespace: str
    pipeline: tuple[bytes, ...]
    max_examined: int = 0
    seconds: float | None = None
    at: int | None = None


class Origin(NamedTuple):
    """Who wrote, and which of its requests: what makes a repeated request the same one.

    Attributes:
        client: The client's id, or the name in its certificate.
        request_id: Its own number for the request; empty: every request is a new one.
    """

    client: str
    request_id: str


@dataclass(frozen=True, slots=True)
class InsertCommand:
    """Documents (BSON) for one collection; `ordered` stops at the first that is refused."""

    namespace: str
    documents: tuple[bytes, ...]
    ordered: bool = False


class InsertOutcome(NamedTuple):
    """What an insert did.

    Attributes:
        inserted_ids: BSON `{"_id": …}` of each document that is there now, in input order.
        errors: Place in the input and reason of each that is not.
    """

    inserted_ids: list[bytes]
    errors: list[tuple[int, str]]


@dataclass(frozen=True, slots=True)
class UpdateCommand:
    """Changes what `query` matches: one document or all (`multi`); with `upsert`, makes one where none matches."""

    namespace: str
    query: bytes
    update: bytes
    multi: bool = False
    upsert: bool = False


class UpdateOutcome(NamedTuple):
    """What an update did; `upserted_id` is BSON `{"_id": …}` of the document that it made, or empty."""

    matched: int
    modified: int
    upserted_id: bytes = b""


@dataclass(frozen=True, slots=True)
class DeleteCommand:
    """Removes what `query` matches: one document or all (`multi`)."""

    namespace: str
    query: bytes
    multi: bool = False
