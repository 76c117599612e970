"""A lookup by `_id` is answered at once, and as the reader thread would answer it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import bson
import pytest
from bson.int64 import Int64
from bson.objectid import ObjectId

from laura_fast.domain.documents.budget import Budget
from laura_fast.node.database.commands import QueryCommand
from laura_fast.node.database.cursors import Cursors
from laura_fast.node.database.queries import Queries
from laura_fast.storage.documents.store import DocumentStore
from laura_fast.storage.memory import MemoryStore
from laura_fast.testing.clock import VirtualClock

if TYPE_CHECKING:
    from laura_fast.node.database.commands import Page
    from laura_fast.storage.documents.session import WriteSession

PLACE = "shop.orders"
IDENTIFIERS = [7, Int64(2**40), 1.5, "seven", b"\x07", True, ObjectId(b"seven bytes!")]


def no_index(_definition: object) -> Any:
    raise NotImplementedError


@pytest.fixture
async def queries() -> Queries:
    def fill(session: WriteSession) -> None:
        for place, identifier in enumerate(IDENTIFIERS):
            session.insert(PLACE, {"_id": identifier, "place": place})

    store = DocumentStore(MemoryStore(), no_index)
    await store.write(fill)
    clock = VirtualClock()
    return Queries(store, Cursors(b"secret" * 6, clock, 60_000), clock.wall_ms)


def on_the_thread(queries: Queries, command: QueryCommand) -> Page:
    slices = queries.page(command, Budget(1000, float("inf"), 1 << 20, lambda: 0.0))
    while True:
        try:
            next(slices)
        except StopIteration as end:
            page: Page = end.value
            return page


@pytest.mark.parametrize("identifier", [*IDENTIFIERS, 7.0, Int64(7), "absent", None])
async def test_both_ways_give_the_same_page(queries: Queries, identifier: Any) -> None:
    command = QueryCommand(PLACE, bson.encode({"_id": identifier}))
    found = queries.lookup(command)
    assert found == (on_the_thread(queries, command) if identifier is not None else None)


@pytest.mark.parametrize(
    "command",
    [
        QueryCommand(PLACE),
        QueryCommand(PLACE, bson.encode({"_id": {"$gt": 1}})),
        QueryCommand(PLACE, bson.encode({"_id": 7, "place": 0})),
        QueryCommand(PLACE, bson.encode({"place": 0})),
        QueryCommand(PLACE, bson.encode({"_id": "x" * 1000})),
        QueryCommand(PLACE, bson.encode({"_id": 7}), projection=bson.encode({"place": 1})),
        QueryCommand(PLACE, bson.encode({"_id": 7}), sort=bson.encode({"place": 1})),
        QueryCommand(PLACE, bson.encode({"_id": 7}), skip=1),
        QueryCommand(PLACE, bson.encode({"_id": 7}), limit=-1),
        QueryCommand(PLACE, bson.encode({"_id": 7}), batch_size=-1),
        QueryCommand(PLACE, bson.encode({"_id": 7}), cursor_id="c"),
    ],
)
async def test_whatever_asks_more_is_not_a_lookup(queries: Queries, command: QueryCommand) -> None:
    assert queries.lookup(command) is None


async def test_a_lookup_in_no_collection_finds_nothing(queries: Queries) -> None:
    found = queries.lookup(QueryCommand("shop.nothing", bson.encode({"_id": 7})))
    assert found is not None
    assert found.documents == []
