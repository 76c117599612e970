"""Pipelines over decoded documents: what one document that goes in costs, whatever comes out.

Decoding, which comes before, is measured beside them.
"""

from __future__ import annotations

import math
from random import Random
from typing import TYPE_CHECKING, Any, Final

import bson
import pytest

from bench.micro import per_call
from bench.shapes import package
from laura_fast.domain.documents.budget import Budget
from laura_fast.domain.documents.codec import decode_stored
from laura_fast.domain.documents.pipeline import Context, compile_pipeline

if TYPE_CHECKING:
    from pytest_benchmark.fixture import BenchmarkFixture

NUMBER: Final = 10_000
GIB: Final = 1024**3
PIPELINES: Final[dict[str, list[dict[str, Any]]]] = {
    "group": [{"$group": {"_id": "$section", "sum": {"$sum": "$size"}, "average": {"$avg": "$installed"}}}],
    "group_count": [{"$group": {"_id": "$section", "number": {"$sum": 1}}}],
    "group_by_two": [
        {"$group": {"_id": {"section": "$section", "version": "$maintainer.name"}, "most": {"$max": "$size"}}}
    ],
    "group_of_many": [{"$group": {"_id": "$_id", "sum": {"$sum": "$size"}}}],
    "unwind_group": [{"$unwind": "$depends"}, {"$group": {"_id": "$depends.name", "number": {"$sum": 1}}}],
    "top": [{"$sort": {"size": -1}}, {"$limit": 10}],
    "sort": [{"$sort": {"section": 1, "size": -1}}],
    "project": [{"$project": {"section": 1, "total": {"$add": ["$size", "$installed"]}}}],
    "match": [{"$match": {"section": "net", "size": {"$gt": 1_000_000}}}],
    "set": [{"$set": {"large": {"$gte": ["$size", 5_000_000]}, "maintainer.known": True}}],
    "count": [{"$count": "number"}],
}
RESULTS: Final = {
    "group": 4,
    "group_count": 4,
    "group_by_two": 4,
    "group_of_many": NUMBER,
    "unwind_group": 4,
    "top": 10,
    "sort": NUMBER,
    "project": NUMBER,
    "match": 2_255,
    "set": NUMBER,
    "count": 1,
}


def context() -> Context:
    """A context that stops nothing."""
    return Context(Budget(10**9, math.inf, GIB, lambda: 0.0), Random(1), lambda _: ())


@pytest.mark.benchmark(group="pipeline")
@pytest.mark.parametrize("name", PIPELINES)
def test_pipeline(benchmark: BenchmarkFixture, name: str) -> None:
    """A document's way through a pipeline."""
    number = NUMBER if benchmark.enabled else 100
    documents = [package(place) for place in range(number)]
    pipeline = compile_pipeline(PIPELINES[name])

    def work() -> int:
        return sum(1 for _ in pipeline.run(documents, context()))

    per_call(benchmark, work, lambda results: number < NUMBER or results == RESULTS[name], calls=number)


@pytest.mark.benchmark(group="pipeline")
def test_decoding(benchmark: BenchmarkFixture) -> None:
    """What comes before a document's way through a pipeline."""
    encoded = [bson.encode(package(place)) for place in range(NUMBER if benchmark.enabled else 100)]

    def work() -> int:
        return sum(1 for _ in map(decode_stored, encoded))

    per_call(benchmark, work, lambda results: results == len(encoded), calls=len(encoded))
