"""`$$NOW` is one time for a whole command, through all pages of a query."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from bson.datetime_ms import DatetimeMS

from laura_fast.domain.documents.codec import decode, encode
from laura_fast.node.database.commands import QueryCommand
from laura_fast.node.database.cursors import Cursors
from laura_fast.node.database.queries import Queries
from laura_fast.testing.clock import VirtualClock
from tests.unit.node.database.kit import PLACE, MortalStore, budget, finished

if TYPE_CHECKING:
    from laura_fast.node.database.commands import Page

DUE = {"$expr": {"$lte": ["$due", "$$NOW"]}}


@pytest.mark.parametrize("sort", [{}, {"due": -1}])
async def test_what_becomes_due_between_two_pages_is_on_none(sort: dict[str, Any]) -> None:
    clock, store = VirtualClock(), MortalStore()
    queries = Queries(store, Cursors(b"secret" * 6, clock, 60_000), clock.wall_ms)

    def page(asked: QueryCommand) -> Page:
        return finished(queries.page(asked, budget()))

    begin = clock.wall_ms()
    for second in range(6):
        due = {"_id": second, "due": DatetimeMS(begin + 1_000 * (second - 3))}
        await store.write(lambda session, due=due: session.insert(PLACE, due))
    first = page(QueryCommand(PLACE, encode(DUE), sort=encode(sort) if sort else b"", batch_size=3))
    clock.advance(10)
    rest = page(
        replace(QueryCommand(PLACE, encode(DUE), sort=encode(sort) if sort else b""), cursor_id=first.cursor_id)
    )
    assert sorted(decode(each)["_id"] for each in [*first.documents, *rest.documents]) == [0, 1, 2, 3]
    assert len(page(QueryCommand(PLACE, encode(DUE))).documents) == 6
