"""Updates, projections and sort keys, per document, beside what encoding that document costs anyway.

An applied update includes the encoded post-image and its delta for the oplog. `package` is a record of Debian's package
index in size and shape; `wide` has a hundred fields and an array of five hundred.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest
from bson.timestamp import Timestamp

from bench.micro import per_call
from bench.shapes import package, wide
from laura_fast.domain.documents.codec import encode
from laura_fast.domain.documents.projections import compile_projection
from laura_fast.domain.documents.sorting import compile_sort
from laura_fast.domain.documents.updates import compile_update

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_benchmark.fixture import BenchmarkFixture

NOW: Final = Timestamp(1_700_000_000, 1)
NUMBER: Final = 1_000


SHAPES: Final[dict[str, Callable[[int], dict[str, Any]]]] = {"package": package, "wide": wide}
SHAPE = pytest.mark.parametrize("shape", SHAPES)
UPDATES: Final[dict[str, dict[str, Any]]] = {
    "set": {"$set": {"size": "none"}},
    "set_inner": {"$set": {"maintainer.name": "nobody"}},
    "set_new": {"$set": {"extra": True}},
    "inc": {"$inc": {"size": 1}},
    "push": {"$push": {"tags": "new"}},
    "add_to_set": {"$addToSet": {"tags": "new"}},
    "unset": {"$unset": {"tags": ""}},
    "three": {"$set": {"section": "x"}, "$inc": {"size": 1}, "$push": {"tags": "new"}},
    "replace": {"a": 1, "b": "two", "c": [3]},
}


def per_document(
    benchmark: BenchmarkFixture, shape: str, work: Callable[[dict[str, Any]], Any], check: Callable[[Any], bool]
) -> None:
    """Measures `work` on documents of a shape."""
    documents = [SHAPES[shape](number) for number in range(NUMBER if benchmark.enabled else 10)]

    def work_all() -> Any:
        for document in documents:
            last = work(document)
        return last

    per_call(benchmark, work_all, check, calls=len(documents))


@pytest.mark.benchmark(group="updates")
@SHAPE
def test_encode(benchmark: BenchmarkFixture, shape: str) -> None:
    """What every changed document costs beside its update."""
    per_document(benchmark, shape, encode, bool)


@pytest.mark.benchmark(group="updates")
@SHAPE
@pytest.mark.parametrize("update", UPDATES)
def test_apply(benchmark: BenchmarkFixture, shape: str, update: str) -> None:
    """One application, as a write does it."""
    compiled = compile_update(UPDATES[update])
    per_document(benchmark, shape, lambda document: compiled.apply(document, 0, NOW), lambda last: bool(last.changed))


@pytest.mark.benchmark(group="updates")
@SHAPE
def test_apply_without_effect(benchmark: BenchmarkFixture, shape: str) -> None:
    """An update that finds what it would set."""
    compiled = compile_update({"$unset": {"nothing": ""}, "$max": {"size": -1}})
    per_document(benchmark, shape, lambda document: compiled.apply(document, 0, NOW), lambda last: not last.changed)


@pytest.mark.benchmark(group="updates")
@pytest.mark.parametrize("update", ["set", "three"])
def test_compile(benchmark: BenchmarkFixture, update: str) -> None:
    """Once per request."""
    assert not benchmark(compile_update, UPDATES[update]).replacement


PROJECTIONS: Final[dict[str, dict[str, Any]]] = {
    "include_two": {"size": 1, "section": 1},
    "include_inner": {"maintainer.name": 1},
    "exclude_one": {"description": 0},
    "slice": {"tags": {"$slice": 1}},
}


@pytest.mark.benchmark(group="projections")
@SHAPE
@pytest.mark.parametrize("projection", PROJECTIONS)
def test_project(benchmark: BenchmarkFixture, shape: str, projection: str) -> None:
    """One document as it is returned."""
    per_document(benchmark, shape, compile_projection(PROJECTIONS[projection]).apply, bool)


SORTS: Final[dict[str, dict[str, int]]] = {
    "one": {"size": -1},
    "two": {"section": 1, "size": -1},
    "inner": {"maintainer.name": 1},
    "array": {"tags": 1},
}


@pytest.mark.benchmark(group="sorts")
@SHAPE
@pytest.mark.parametrize("sort", SORTS)
def test_sort_key(benchmark: BenchmarkFixture, shape: str, sort: str) -> None:
    """The key of one document."""
    per_document(benchmark, shape, compile_sort(SORTS[sort]).key, bool)
