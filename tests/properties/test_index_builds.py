"""Indexes that are built and dropped among random writes are, in the end, those of the documents; queries use them."""

from __future__ import annotations

import asyncio
import math
from functools import partial
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from laura_fast.domain.documents.budget import Budget
from laura_fast.domain.documents.codec import decode, decode_stored, encode
from laura_fast.domain.documents.filters import compile_filter
from laura_fast.domain.documents.sorting import compile_sort, stable_key
from laura_fast.errors import AlreadyExistsError, FailedPreconditionError, InvalidArgumentError, UnavailableError
from laura_fast.node.database.commands import QueryCommand
from laura_fast.node.database.cursors import Cursors
from laura_fast.node.database.index_builds import IndexBuilds
from laura_fast.node.database.queries import Queries
from laura_fast.storage.documents.catalog import IndexState
from laura_fast.storage.documents.layout import record_key
from laura_fast.storage.documents.store import DocumentStore
from laura_fast.storage.memory import MemoryStore
from laura_fast.testing.clock import VirtualClock
from tests.properties.planned_queries import Maker
from tests.properties.test_query_pages import finished

if TYPE_CHECKING:
    from collections.abc import Mapping

    from laura_fast.storage.documents.session import WriteSession

NS = "shop.orders"
DOCUMENTS, STEPS, QUERIES = 60, 120, 25


class World:
    """A collection with writers, builders and droppers of indexes, who take turns as dice say."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._maker = Maker(rng)
        self._store = DocumentStore(MemoryStore())
        self._clock = VirtualClock()
        self._builds = IndexBuilds(self._store, self._slow)
        self._seconds = 0.0
        self.built = self.refused = 0

    def _slow(self) -> float:
        """Slices stay as small as they can be."""
        self._seconds += 1.0
        return self._seconds

    async def live(self) -> None:
        for identity in range(DOCUMENTS):
            await self._write(identity)
        creators = []
        for number in range(STEPS):
            if number % 20 == 0:
                creators.append(asyncio.create_task(self._create(number)))
            if number == STEPS // 2:
                await self._store.write(lambda session: session.drop_index(NS, "index20"))
                await self._restart()
            await self._write(self._rng.randrange(DOCUMENTS + 20))
            await asyncio.sleep(0)
        await asyncio.gather(*creators)
        await self._settle()

    async def _create(self, number: int) -> None:
        await self._create_index(
            self._maker.definition(number) | ({"unique": True} if self._rng.random() < 0.2 else {})
        )

    async def _create_index(self, definition: Mapping[str, Any]) -> None:
        try:
            await self._builds.create(NS, definition)
        except (AlreadyExistsError, InvalidArgumentError, FailedPreconditionError):
            self.refused += 1
        except UnavailableError:  # it goes on after the restart
            return
        else:
            self.built += 1

    async def _restart(self) -> None:
        await self._builds.stop()
        self._builds = IndexBuilds(self._store, self._slow)
        self._builds.start()

    async def _settle(self) -> None:
        """Waits for builds that went on after their creators had gone."""
        for index in self._store.catalog.collections[NS].indexes:
            if index.state is IndexState.BUILDING:
                await self._create_index(index.definition)

    async def _write(self, identity: int) -> None:
        try:
            await self._store.write(partial(self._change, identity, self._maker.document(identity)))
        except (AlreadyExistsError, InvalidArgumentError):  # no index has room for it
            return

    def _change(self, identity: int, document: dict[str, Any], session: WriteSession) -> None:
        key = record_key(identity)
        body = session.get(NS, key)
        if body is None:
            session.insert(NS, document)
        elif self._rng.random() < 0.3:
            session.remove(NS, key, decode_stored(body))
        else:
            session.replace(NS, key, decode_stored(body), document)

    async def findings(self) -> list[str]:
        """What verification finds."""
        async for report in self._store.verify():
            if report.finished:
                return list(report.findings)
        raise AssertionError

    def ask(self) -> None:
        """A query through whatever index there is, page by page, and over all documents."""
        spec, order = self._maker.query(), self._maker.sort()
        with self._store.reading() as snapshot:
            documents = [decode_stored(body) for _, body in snapshot.documents(NS)]
        expected = [each for each in documents if compile_filter(spec).matches(each)]
        try:
            expected.sort(key=stable_key(compile_sort(order)))
        except InvalidArgumentError:  # arrays side by side
            return
        found = self._pages(QueryCommand(NS, encode(spec), sort=encode(order) if order else b"", batch_size=7))
        identities = [[each["_id"] for each in each_list] for each_list in (found, expected)]
        if not order:
            identities = [sorted(each) for each in identities]
        assert identities[0] == identities[1], f"{spec} sorted by {order}"

    def _pages(self, command: QueryCommand) -> list[dict[str, Any]]:
        queries = Queries(self._store, Cursors(b"s" * 32, self._clock, 1_000), self._clock.wall_ms)
        found: list[dict[str, Any]] = []
        while True:
            page = finished(queries.page(command, Budget(10_000, math.inf, 1 << 24, self._clock.monotonic)))
            found += map(decode, page.documents)
            if not page.cursor_id:
                return found
            command = QueryCommand(NS, command.query, sort=command.sort, batch_size=7, cursor_id=page.cursor_id)


@pytest.mark.parametrize("seed", range(6))
async def test_indexes_built_among_writes_are_those_of_the_documents(seed: int) -> None:
    world = World(Random(f"builds {seed}"))  # noqa: S311 - a schedule, no secret
    await world.live()
    assert world.built + world.refused > 2
    assert await world.findings() == []
    for _ in range(QUERIES):
        world.ask()
