"""The document store alone, without network or query language: what a durable write costs, and a read.

Rows of inserts are per document, made and encoded by the caller. `commits_per_s` and `documents_per_commit` say how
many writers shared a sync; LMDB syncs the data and then its meta page for each.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest
from bson import ObjectId

from bench.micro import per_call
from laura_fast.domain.documents import codec
from laura_fast.storage.documents.layout import record_key
from laura_fast.storage.documents.store import DocumentStore
from laura_fast.storage.embedded import EmbeddedStore
from laura_fast.storage.environment import Environment
from laura_fast.storage.memory import MemoryStore

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytest_benchmark.fixture import BenchmarkFixture

    from bench.harness import Measure
    from laura_fast.storage.documents.session import WriteSession

NS = "bench.documents"
INDEX = {"key": {"number": 1}, "name": "number_1"}
CALLS = 10_000


def document(number: int) -> dict[str, Any]:
    """A document of about 200 bytes."""
    return {
        "_id": ObjectId(),
        "number": number * 7_919 % 1_000_003,
        "name": f"name {number}",
        "tags": ["storage", "bench"],
        "place": {"street": "a street of some length", "city": "somewhere", "x": number * 0.25, "y": -1.5},
    }


class Bed:
    """A store with one index, and the environment that counts its commits."""

    def __init__(self, path: Path) -> None:
        self.environment = Environment.open(path)
        self.store = DocumentStore(EmbeddedStore(self.environment))
        self.written = 0

    async def begin(self) -> None:
        await self.store.write(lambda session: session.create_index(NS, INDEX))

    async def insert(self, count: int) -> int:
        """Inserts in one job; the documents come encoded, as from the wire."""
        first, self.written = self.written, self.written + count
        documents = [document(number) for number in range(first, first + count)]
        encoded = [codec.encode(one) for one in documents]

        def job(session: WriteSession) -> int:
            for one, body in zip(documents, encoded, strict=True):
                session.insert(NS, one, body)
            return count

        return await self.store.write(job)


@pytest.fixture
def bed(tmp_path: Path) -> Iterator[Bed]:
    """An empty store on disk."""
    bed = Bed(tmp_path)
    yield bed
    bed.store.close()


@pytest.mark.benchmark(group="storage: insert")
@pytest.mark.grid("group", default=(1, 100, 1_000), full=(1, 10, 100, 1_000))
@pytest.mark.grid("concurrency", default=(1, 64), full=(1, 16, 64, 256))
def test_insert(measure: Measure, bed: Bed, group: int, concurrency: int) -> None:
    """Documents in jobs of `group`, with as many callers at once as `concurrency`."""
    measure.run(bed.begin())
    commits, started = bed.environment.commits(), time.perf_counter()
    calls = max(concurrency, 2_000 // group // 10)
    measure(lambda _: bed.insert(group), lambda count: count == group, calls=calls, concurrency=concurrency)
    seconds, commits = time.perf_counter() - started, bed.environment.commits() - commits
    assert bed.store.head.op_id == bed.written + 2
    if measure.benchmark.stats:
        data = measure.benchmark.stats.stats.data
        data[:] = [job_seconds / group for job_seconds in data]
        measure.benchmark.extra_info |= {
            "commits_per_s": round(commits / seconds, 1),
            "documents_per_commit": round(bed.written / commits, 1),
        }


@pytest.mark.benchmark(group="storage: read")
@pytest.mark.grid("documents", default=(1_000, 20_000), full=(1_000, 10_000, 100_000, 1_000_000))
@pytest.mark.parametrize("what", ["get", "open and get", "scan", "scan the past", "scan an index"])
def test_read(benchmark: BenchmarkFixture, measure: Measure, bed: Bed, documents: int, what: str) -> None:
    """One document of a collection; `the past` has ten changes of a tenth of it to look through."""
    measure.run(_fill(bed, documents))
    past = bed.store.head.time
    measure.run(_change(bed, documents // 10))
    with bed.store.reading() as snapshot:
        keys = [key for key, _ in snapshot.documents(NS)][: min(CALLS, documents)]

    def get() -> int:
        with bed.store.reading() as snapshot:
            return sum(snapshot.get(NS, key) is not None for key in keys)

    def open_and_get() -> int:
        found = 0
        for key in keys:
            with bed.store.reading() as snapshot:
                found += snapshot.get(NS, key) is not None
        return found

    def scan(at: int | None = None) -> int:
        with bed.store.reading(at) as snapshot:
            return sum(1 for _ in snapshot.documents(NS))

    def entries() -> int:
        with bed.store.reading() as snapshot:
            return sum(1 for _ in snapshot.entries(NS, "number_1"))

    work = {
        "get": get,
        "open and get": open_and_get,
        "scan": scan,
        "scan the past": lambda: scan(past),
        "scan an index": entries,
    }[what]
    expected = len(keys) if "get" in what else documents
    per_call(benchmark, work, lambda answer: answer == expected, calls=expected)


async def _fill(bed: Bed, documents: int) -> None:
    await bed.begin()
    for _ in range(0, documents, 1_000):
        await bed.insert(1_000)


async def _change(bed: Bed, count: int) -> None:
    with bed.store.reading() as snapshot:
        chosen = [codec.decode_stored(body) for _, (_, body) in zip(range(count), snapshot.documents(NS), strict=False)]

    def job(session: WriteSession) -> None:
        for before in chosen:
            session.replace(NS, record_key(before["_id"]), before, {**before, "name": "new"}, {"$set": {"name": "new"}})

    await bed.store.write(job)


@pytest.mark.benchmark(group="storage: cost of a job")
@pytest.mark.parametrize("what", ["insert", "replace", "replace an indexed field", "remove"])
def test_change(benchmark: BenchmarkFixture, measure: Measure, what: str) -> None:
    """One of a thousand changes in one job over the engine in memory: the interpreter's part, without a disk."""
    store = DocumentStore(MemoryStore())
    count = 1_000 if benchmark.enabled else 10
    documents = [document(number) for number in range(count)]
    field = "name" if what == "replace" else "number"

    def insert(session: WriteSession) -> int:
        for one in documents:
            session.insert(NS, one)
        return count

    def replace(session: WriteSession) -> int:
        for one in documents:
            session.replace(NS, record_key(one["_id"]), one, {**one, field: 0}, {"$set": {field: 0}})
        return count

    def remove(session: WriteSession) -> int:
        for one in documents:
            session.remove(NS, record_key(one["_id"]), one)
        return count

    def begin() -> None:
        nonlocal store
        store = DocumentStore(MemoryStore())
        measure.run(store.write(lambda session: session.create_index(NS, INDEX)))
        if what != "insert":
            measure.run(store.write(insert))

    begin()
    job = {"insert": insert, "remove": remove}.get(what, replace)
    per_call(benchmark, lambda: measure.run(store.write(job)), lambda answer: answer == count, calls=count, begin=begin)
