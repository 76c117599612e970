"""Index builds: complete under writes, refused with nothing left behind, and gone on with after the process ended."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from laura_fast.domain.documents import codec
from laura_fast.domain.documents.indexing.definitions import parse_definition
from laura_fast.domain.documents.indexing.entries import compile_index
from laura_fast.errors import (
    AlreadyExistsError,
    FailedPreconditionError,
    InvalidArgumentError,
    NotFoundError,
    RpcError,
    UnavailableError,
)
from laura_fast.limits import indexes as limits
from laura_fast.node.database.index_builds import CreatedIndex, IndexBuilds
from laura_fast.storage.documents.catalog import IndexState
from laura_fast.storage.documents.layout import record_key
from laura_fast.storage.documents.store import DocumentStore
from tests.contract.stores import ENGINES, open_store

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from pathlib import Path

    from laura_fast.storage.documents.session import WriteSession

NS = "shop.orders"
A = {"key": {"a": 1}}


class Node:
    """A store with its builds, which can end as if killed."""

    def __init__(self, engine: str, path: Path) -> None:
        self._path, self._name = path, engine
        self._engine = open_store(engine, path)
        self.step_s = limits.INDEX_BUILD_S
        self.looks = 0
        self._begin()

    def _begin(self) -> None:
        self.store = DocumentStore(self._engine, lambda definition: compile_index(parse_definition(definition)))
        self.builds = IndexBuilds(self.store, self._clock)

    def _clock(self) -> float:
        """From one look at it to the next, the time that a slice takes."""
        self.looks += 1
        return self.looks * self.step_s

    async def restart(self) -> None:
        """The builds end without another write; what is on disk stays."""
        await self.builds.stop()
        if self._name == "embedded":
            self._engine.close()
            self._engine = open_store(self._name, self._path)
        self._begin()

    def close(self) -> None:
        self._engine.close()

    async def insert(self, *documents: dict[str, Any]) -> None:
        """One write; other tasks have a turn before it, whatever the engine."""
        await asyncio.sleep(0)
        await self.store.write(lambda session: [session.insert(NS, document) for document in documents] and None)

    async def begin(self, definition: Mapping[str, Any]) -> asyncio.Task[CreatedIndex]:
        """Whoever creates an index, once its build is under way: a write of ours came behind the first of theirs."""
        build = asyncio.create_task(self.builds.create(NS, definition))
        await asyncio.sleep(0)
        await self.insert({"_id": "begun"})
        assert self.state(parse_definition(definition).name) is IndexState.BUILDING
        return build

    def state(self, name: str) -> IndexState | None:
        collection = self.store.catalog.collections.get(NS)
        index = collection.index(name) if collection else None
        return index.state if index else None

    def progress(self, name: str) -> bytes:
        """How far a build has come."""
        index = self.store.catalog.collections[NS].index(name)
        assert index is not None
        assert index.state is IndexState.BUILDING
        return index.progress

    def ids(self, name: str) -> list[Any]:
        with self.store.reading() as snapshot:
            bodies = [snapshot.get(NS, key) for _, key in list(snapshot.entries(NS, name))]
        return [codec.decode_stored(body)["_id"] for body in bodies if body]

    async def problems(self) -> list[str]:
        """What `verify` finds."""
        async for report in self.store.verify():
            if report.finished:
                return list(report.findings)
        raise AssertionError


@pytest.fixture(params=ENGINES)
async def node(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Node]:
    node = Node(request.param, tmp_path)
    yield node
    await node.builds.stop()
    node.close()


async def test_an_index_on_nothing_is_ready_at_once(node: Node) -> None:
    assert await node.builds.create(NS, A) == ("a_1", True, 0)
    assert node.state("a_1") is IndexState.READY


async def test_an_index_has_all_documents(node: Node) -> None:
    await node.insert(*({"_id": number, "a": -number} for number in range(500)))
    assert await node.builds.create(NS, A) == ("a_1", True, 500)
    assert node.ids("a_1") == list(reversed(range(500)))
    assert await node.problems() == []


async def test_the_same_index_again_is_no_other(node: Node) -> None:
    await node.insert({"_id": 1})
    await node.builds.create(NS, A)
    assert await node.builds.create(NS, {"key": {"a": 1}, "name": "a_1"}) == ("a_1", False, 0)
    assert await node.builds.create(NS, {"key": {"_id": 1}}) == ("_id_", False, 0)


async def test_two_who_ask_wait_for_one_build(node: Node) -> None:
    await node.insert(*({"_id": number} for number in range(200)))
    first, second = await asyncio.gather(node.builds.create(NS, A), node.builds.create(NS, A))
    assert sorted((first.created, second.created)) == [False, True]
    assert first.documents == second.documents == 200


@pytest.mark.parametrize(
    ("definition", "said"),
    [
        ({"key": {"a": 1}, "unique": True}, 'another index with the name "a_1"'),
        ({"key": {"a": 1}, "name": "b"}, 'the index "a_1" is the same'),
        ({"key": {"b": 1}, "name": "a_1"}, 'another index with the name "a_1"'),
    ],
)
async def test_an_index_that_conflicts_is_refused(node: Node, definition: Mapping[str, Any], said: str) -> None:
    await node.builds.create(NS, A)
    with pytest.raises(AlreadyExistsError, match=said) as refused:
        await node.builds.create(NS, definition)
    assert refused.value.reason == "INDEX_CONFLICT"


async def test_a_definition_that_is_wrong_changes_nothing(node: Node) -> None:
    for definition in ({"key": {"a": "text"}}, {"key": {"a": 1}, "partialFilterExpression": {"b": {"$no": 1}}}):
        with pytest.raises(InvalidArgumentError):
            await node.builds.create(NS, definition)
    assert NS not in node.store.catalog.collections


@pytest.mark.parametrize(
    ("definition", "documents", "reason", "said"),
    [
        ({"key": {"a": 1}, "unique": True}, [{"a": 7}, {"a": 8}, {"a": [6, 7.0]}], "DUPLICATE_KEY", "a: "),
        ({"key": {"a": 1, "b": 1}, "name": "a_1"}, [{}, {"a": [1], "b": [2]}], "CANNOT_INDEX", "parallel arrays"),
    ],
)
async def test_documents_that_do_not_fit_end_the_build_and_leave_nothing(
    node: Node, definition: Mapping[str, Any], documents: list[dict[str, Any]], reason: str, said: str
) -> None:
    await node.insert(*({"_id": at, **each} for at, each in enumerate(documents)))
    with pytest.raises(RpcError, match=said) as refused:
        await node.builds.create(NS, definition)
    assert refused.value.reason == reason
    assert 'index "a_1" was not created' in refused.value.message
    assert node.state("a_1") is None
    await node.insert({"_id": 99, "a": 7})
    assert await node.problems() == []


async def test_writes_go_on_and_their_entries_are_there(node: Node) -> None:
    """A document before the build's progress, one behind it, and both changed and removed while it runs."""
    await node.insert(*({"_id": number, "a": number} for number in range(0, 1_000, 2)))
    build = asyncio.create_task(node.builds.create(NS, A))
    for number in range(0, 1_000, 100):
        await node.store.write(partial(_disturb, number))
    await build
    assert await node.problems() == []
    with node.store.reading() as snapshot:
        stored = [codec.decode_stored(body) for _, body in snapshot.documents(NS)]
    assert node.ids("a_1") == [each["_id"] for each in sorted(stored, key=lambda each: (each["a"], each["_id"]))]


def _disturb(number: int, session: WriteSession) -> None:
    session.insert(NS, {"_id": number + 1, "a": -number})
    changed, removed = record_key(number), record_key(number + 2)
    session.replace(NS, changed, {"_id": number, "a": number}, {"_id": number, "a": number + 0.5})
    session.remove(NS, removed, {"_id": number + 2, "a": number + 2})


async def test_no_query_sees_an_index_before_it_is_ready(node: Node) -> None:
    await node.insert(*({"_id": number} for number in range(300)))
    build = await node.begin(A)
    with node.store.reading() as snapshot, pytest.raises(NotFoundError):
        list(snapshot.entries(NS, "a_1"))
    before = node.store.head.time
    await build
    assert len(node.ids("a_1")) == 301
    with node.store.reading(before) as snapshot, pytest.raises(NotFoundError):
        list(snapshot.entries(NS, "a_1"))


@pytest.mark.parametrize(
    ("share", "sizes"),
    [(1, [32, 32, 32, 32, 32]), (0.5, [32, 64, 64]), (0.1, [32, 64, 64]), (4, [32, 8, 2] + [1] * 118)],
)
async def test_slices_take_the_time_they_are_given(node: Node, share: float, sizes: list[int]) -> None:
    """A slice that took so many times what it may is followed by one that is so much smaller, or twice as large."""
    node.step_s = limits.INDEX_BUILD_S * share
    await node.insert(*({"_id": number} for number in range(160)))
    before = node.looks
    await node.builds.create(NS, A)
    assert (node.looks - before) // 2 == len(sizes)


async def test_a_build_goes_on_after_the_process_ended(node: Node) -> None:
    await node.insert(*({"_id": number, "a": -number} for number in range(400)))
    build = await node.begin(A)
    while not node.progress("a_1"):
        await node.insert({"_id": f"waiting {node.store.head.op_id}"})
    await node.restart()
    with pytest.raises(UnavailableError, match="goes on") as ended:
        await build
    assert ended.value.reason == "SHUTTING_DOWN"
    assert node.state("a_1") is IndexState.BUILDING
    node.builds.start()
    again = await node.builds.create(NS, A)
    assert not again.created
    assert 0 < again.documents < 400, "the first slice was not read again"
    assert [each for each in node.ids("a_1") if isinstance(each, int)] == list(reversed(range(400)))
    assert await node.problems() == []


async def test_a_build_goes_on_when_its_caller_goes_away(node: Node) -> None:
    await node.insert(*({"_id": number} for number in range(200)))
    build = await node.begin(A)
    build.cancel()
    with pytest.raises(asyncio.CancelledError):
        await build
    await node.builds.create(NS, A)
    assert node.state("a_1") is IndexState.READY


@pytest.mark.parametrize("what", ["index", "collection"])
async def test_what_is_dropped_meanwhile_is_not_built(node: Node, what: str) -> None:
    await node.insert(*({"_id": number} for number in range(300)))
    build = await node.begin(A)
    if what == "index":
        await node.store.write(lambda session: session.drop_index(NS, "a_1"))
    else:
        await node.store.write(lambda session: session.drop_collection(NS))
    with pytest.raises(FailedPreconditionError, match="dropped while it was built"):
        await build
    assert node.state("a_1") is None
    assert await node.problems() == []
