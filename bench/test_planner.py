"""What it costs to plan a query, to take a document's index entries, and to read through an index or past it.

Caveats first: plans are made for each query anew, so their cost is part of every query; statistics cost nothing here,
on the engine a count of so many entries takes about a tenth of reading as many documents. The scans read from the page
cache; a document's share of a scan through an index is what `costs` calls a fetch, and of one past it, 1.
"""

from __future__ import annotations

import asyncio
import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, cast

import pytest

from bench.micro import per_call
from bench.shapes import package, wide
from laura_fast.domain.documents.budget import Budget
from laura_fast.domain.documents.codec import decode, decode_stored, encode
from laura_fast.domain.documents.filters import compile_filter
from laura_fast.domain.documents.indexing.definitions import parse_definition
from laura_fast.domain.documents.indexing.entries import compile_index
from laura_fast.domain.documents.planning.access import AvailableIndex
from laura_fast.domain.documents.planning.costs import Query
from laura_fast.domain.documents.planning.plan import Kind
from laura_fast.domain.documents.planning.planner import NATURAL, plan
from laura_fast.node.clock import SystemClock
from laura_fast.node.database.access import Planned
from laura_fast.node.database.aggregates import Aggregates
from laura_fast.node.database.commands import AggregateCommand, QueryCommand
from laura_fast.node.database.cursors import SECRET_BYTES, Cursors
from laura_fast.node.database.queries import Queries
from laura_fast.storage.documents.store import DocumentStore
from laura_fast.storage.embedded import EmbeddedStore
from laura_fast.storage.environment import Environment

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from pathlib import Path

    from pytest_benchmark.fixture import BenchmarkFixture

    from laura_fast.node.database.commands import Page
    from laura_fast.storage.documents.catalog import CompiledIndex
    from laura_fast.storage.documents.session import WriteSession

NS: Final = "bench.documents"
PLANS: Final = 100
DOCUMENTS: Final = 10_000


class Guess:
    """Statistics that know everything at once."""

    documents = 1_000_000

    def estimate(self, index: str, start: bytes, stop: bytes, most: int) -> int:  # noqa: ARG002
        """Few."""
        return min(most, 20)


def _index(*paths: str, **options: Any) -> AvailableIndex:
    return AvailableIndex(compile_index(parse_definition({"key": dict.fromkeys(paths, 1), **options})))


INDEXES: Final = (_index("a"), _index("b"), _index("c", "d"), _index("tags"), _index("e", sparse=True))
QUERIES: Final[dict[str, tuple[Query, Kind]]] = {
    "id": (Query(compile_filter({"_id": 5}).tree), Kind.ID_LOOKUP),
    "equal": (Query(compile_filter({"a": 5}).tree, limit=1_000), Kind.INDEX_SCAN),
    "range": (Query(compile_filter({"a": {"$gt": 5, "$lt": 9}}).tree), Kind.INDEX_SCAN),
    "compound_sorted": (Query(compile_filter({"c": 5}).tree, (("d", True),), 10), Kind.INDEX_SCAN),
    "two_indexes": (Query(compile_filter({"a": 5, "b": 6}).tree), Kind.INDEX_SCAN),
    "no_index": (Query(compile_filter({"x": 5}).tree), Kind.COLLECTION_SCAN),
    "in_100": (Query(compile_filter({"a": {"$in": list(range(100))}}).tree), Kind.INDEX_SCAN),
    "or": (Query(compile_filter({"$or": [{"a": 5}, {"b": 6}]}).tree), Kind.UNION),
}


@pytest.mark.benchmark(group="planner")
@pytest.mark.parametrize("query", QUERIES)
def test_plan(benchmark: BenchmarkFixture, query: str) -> None:
    """One plan, with five indexes and the one on _id to choose from."""
    asked, kind = QUERIES[query]
    statistics = Guess()

    def plan_all() -> Kind:
        for _ in range(PLANS):
            made = plan(asked, INDEXES, statistics)
        return made.kind

    per_call(benchmark, plan_all, lambda last: last is kind, calls=PLANS)


@pytest.mark.benchmark(group="index entries")
@pytest.mark.parametrize(
    ("shape", "paths", "count"),
    [
        ("package", ("size",), 1),
        ("package", ("section", "-size"), 1),
        ("package", ("maintainer.name",), 1),
        ("package", ("tags",), 2),
        ("package", ("depends.name", "depends.version"), 4),
        ("wide", ("tags",), 500),
    ],
    ids=lambda value: "+".join(value) if isinstance(value, tuple) else str(value),
)
def test_entries(benchmark: BenchmarkFixture, shape: str, paths: tuple[str, ...], count: int) -> None:
    """The entries of one document in one index, as every write takes them."""
    key = {path.lstrip("-"): -1 if path[0] == "-" else 1 for path in paths}
    entries = compile_index(parse_definition({"key": key})).entries
    documents = [package(number) if shape == "package" else wide(number) for number in range(100)]

    def take_all() -> int:
        for document in documents:
            found = entries(document)
        return len(found.keys)

    per_call(benchmark, take_all, lambda last: last == count, calls=len(documents))


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DocumentStore]:
    """Ten thousand packages with an index on their size, on disk."""
    path: Path = tmp_path_factory.mktemp("planner")
    engine = EmbeddedStore(Environment.open(path))
    store = DocumentStore(engine, lambda each: cast("CompiledIndex", compile_index(parse_definition(each))))
    asyncio.run(store.write(_fill))
    yield store
    engine.close()


def _fill(session: WriteSession) -> None:
    for path in ("installed", "section"):
        session.create_index(NS, parse_definition({"key": {path: 1}}).to_document())
    for number in range(DOCUMENTS):
        session.insert(NS, package(number * 7_919 % DOCUMENTS))


@pytest.mark.benchmark(group="as planned")
@pytest.mark.parametrize("page", [20, 200])
def test_pages(benchmark: BenchmarkFixture, store: DocumentStore, page: int) -> None:
    """A document of ten sorted pages of a quarter of the collection: in order, or all sorted for each."""
    clock = SystemClock()
    queries = Queries(store, Cursors(b"s" * SECRET_BYTES, clock, 60_000), clock.wall_ms)
    command = QueryCommand(NS, encode({"section": "libs"}), sort=encode({"installed": -1}), batch_size=page)

    def read_pages() -> list[bytes]:
        found: list[bytes] = []
        asked = command
        for _ in range(10):
            answer = _finished(queries.page(asked, _budget()))
            found += answer.documents
            asked = replace(command, cursor_id=answer.cursor_id)
        return found

    first = DOCUMENTS - 3  # the last of section 1
    wanted = [f"package-{first - 4 * each}" for each in range(10 * page)]
    per_call(benchmark, read_pages, lambda found: [decode(each)["_id"] for each in found] == wanted, calls=len(wanted))


@pytest.mark.benchmark(group="as planned")
@pytest.mark.parametrize("share", [0.1, 0.5, 0.95])
def test_grouping(benchmark: BenchmarkFixture, store: DocumentStore, share: float) -> None:
    """A document of a grouping over a share of the collection that an index bounds."""
    wanted = int(DOCUMENTS * share)
    match = {"$match": {"installed": {"$lt": 3 * wanted}}}
    group = {"$group": {"_id": None, "all": {"$sum": 1}, "greatest": {"$max": "$size"}}}
    command = AggregateCommand(NS, (encode(match), encode(group)))
    aggregates = Aggregates(store, lambda: 0, 1 << 20)
    with asyncio.Runner() as runner:

        def count() -> int:
            [found] = runner.run(aggregates.run(command, _budget()))
            return int(decode(found)["all"])

        per_call(benchmark, count, lambda found: found == wanted, calls=wanted)
    aggregates.stop()


def _budget() -> Budget:
    return Budget(1 << 62, math.inf, 1 << 30, lambda: 0.0)


def _finished(page: Generator[None, None, Page]) -> Page:
    try:
        while True:
            next(page)
    except StopIteration as end:
        answer: Page = end.value
        return answer


@pytest.mark.benchmark(group="scans")
@pytest.mark.parametrize("way", ["installed_1", NATURAL])
@pytest.mark.parametrize("share", [0.001, 0.1, 0.5, 1.0])
def test_scan(benchmark: BenchmarkFixture, store: DocumentStore, way: str, share: float) -> None:
    """A document of the collection, where a share of them is in the range that is asked for."""
    wanted = int(DOCUMENTS * share)
    asked = compile_filter({"installed": {"$lt": 3 * wanted}})

    def read_all() -> int:
        with store.reading() as state:
            collection = state.collection(NS)
            assert collection is not None
            index = compile_index(parse_definition(collection.indexes[0].definition))
            made = plan(Query(asked.tree, hint=way), [AvailableIndex(index)], Guess())
            candidates = Planned(NS, made, way).candidates(state)
            if made.exact:
                return sum(bool(decode_stored(each.data)) for each in candidates)
            return sum(asked.matches(decode_stored(each.data)) for each in candidates)

    per_call(benchmark, read_all, lambda found: found == wanted, calls=DOCUMENTS)
