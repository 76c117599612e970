"""Decoding, keys and filters, per document or value; the filters beside those of mongomock-ng and montydb.

Each row of `filters` is one document tested, already decoded, as the others' filters take it; about one in four of the
documents matches. `scans` begin with BSON: that is what a collection without an index costs, storage left out. The
others check less and refuse less, and montydb's filter is compiled once, as ours is; mongomock-ng has no such step.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest
from bson.decimal128 import Decimal128
from bson.int64 import Int64
from bson.objectid import ObjectId
from mongomock_ng.filtering import filter_applies
from montydb.engine.queries import QueryFilter
from montydb.types import bson as monty_bson

from bench.micro import per_call
from bench.shapes import package
from laura_fast.domain.documents import codec, keys
from laura_fast.domain.documents.filters import compile_filter

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_benchmark.fixture import BenchmarkFixture

monty_bson.init(use_bson=True)

NUMBER: Final = 1_000
QUERIES: Final[dict[str, dict[str, Any]]] = {
    "equal_string": {"section": "libs"},
    "equal_number": {"installed": 30},
    "range": {"installed": {"$gte": 300, "$lt": 1_050}},
    "in_array": {"tags": "role::program", "section": "net"},
    "dotted": {"maintainer.name": "Somebody of Debian", "section": "net"},
    "through_array": {"depends.name": "lib3", "section": "net"},
    "in": {"section": {"$in": ["libs", "games", "x11"]}},
    "or": {"$or": [{"section": "libs"}, {"installed": {"$lt": 3}}]},
    "prefix": {"_id": {"$regex": "^package-1"}},
    "regex": {"_id": {"$regex": "package-[0-9]*7$"}},
    "elem_match": {"depends": {"$elemMatch": {"name": "lib2", "version": "2.31"}}, "section": "net"},
}
VALUES: Final[dict[str, Any]] = {
    "int": 42,
    "int64": Int64(2**40),
    "double": 1.5,
    "decimal": Decimal128("0.1"),
    "string": "package-17",
    "object_id": ObjectId("507f1f77bcf86cd799439011"),
    "document": {"name": "lib3", "version": "2.31"},
}


def _documents(benchmark: BenchmarkFixture) -> list[dict[str, Any]]:
    return [package(number) for number in range(NUMBER if benchmark.enabled else 40)]


def _ours(query: dict[str, Any]) -> Callable[[dict[str, Any]], bool]:
    return compile_filter(query).matches


def _mongomock(query: dict[str, Any]) -> Callable[[dict[str, Any]], bool]:
    return lambda document: bool(filter_applies(query, document))  # type: ignore[no-untyped-call]  # it has no types


def _montydb(query: dict[str, Any]) -> Callable[[dict[str, Any]], bool]:
    compiled: Callable[[dict[str, Any]], bool] = QueryFilter(query)
    return compiled


@pytest.mark.benchmark(group="documents")
@pytest.mark.parametrize("strict", [True, False], ids=["strict", "stored"])
def test_decode(benchmark: BenchmarkFixture, strict: bool) -> None:
    """From BSON of 600 bytes: as a client sent it, and as this server stored it."""
    document = package(1)
    decode = codec.decode if strict else codec.decode_stored
    assert benchmark(decode, codec.encode(document)) == document


@pytest.mark.benchmark(group="documents")
def test_encode(benchmark: BenchmarkFixture) -> None:
    """To BSON of 600 bytes, size and depth checked."""
    document = package(1)
    assert codec.decode(benchmark(codec.encode, document)) == document


@pytest.mark.benchmark(group="keys")
@pytest.mark.parametrize("name", VALUES)
def test_key(benchmark: BenchmarkFixture, name: str) -> None:
    """The key of a value."""
    value = VALUES[name]
    assert benchmark(keys.encode_value, value) > keys.encode_value(None)


@pytest.mark.benchmark(group="filters")
@pytest.mark.parametrize("name", QUERIES)
@pytest.mark.parametrize("make", [_ours, _mongomock, _montydb], ids=["laura-fast", "mongomock-ng", "montydb"])
def test_filter(
    benchmark: BenchmarkFixture, make: Callable[[dict[str, Any]], Callable[[dict[str, Any]], bool]], name: str
) -> None:
    """One document tested."""
    documents = _documents(benchmark)
    matches, expected = make(QUERIES[name]), sum(map(_ours(QUERIES[name]), documents))
    per_call(benchmark, lambda: sum(1 for each in documents if matches(each)), expected.__eq__, calls=len(documents))


@pytest.mark.benchmark(group="scans")
@pytest.mark.parametrize("name", QUERIES)
def test_scan(benchmark: BenchmarkFixture, name: str) -> None:
    """One document, from BSON to the answer whether it matches."""
    documents = _documents(benchmark)
    stored = [codec.encode(document) for document in documents]
    chosen = compile_filter(QUERIES[name])
    expected = sum(map(chosen.matches, documents))
    per_call(benchmark, lambda: sum(1 for each in stored if chosen.find(each)), expected.__eq__, calls=len(stored))


@pytest.mark.benchmark(group="filters")
@pytest.mark.parametrize("name", QUERIES)
def test_compile(benchmark: BenchmarkFixture, name: str) -> None:
    """A query checked and compiled: once per request."""
    assert benchmark(compile_filter, QUERIES[name]).matches
