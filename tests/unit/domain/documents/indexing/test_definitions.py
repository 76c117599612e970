"""Index definitions: what is read, what is refused by name, and that writing and reading agree."""

from __future__ import annotations

from typing import Any

import pytest

from laura_fast.domain.documents.indexing.definitions import (
    ID_INDEX,
    IndexDefinition,
    IndexField,
    conflict,
    parse_definition,
)
from laura_fast.errors import InvalidArgumentError
from laura_fast.limits import indexes as limits


def test_only_the_key_is_needed() -> None:
    definition = parse_definition({"key": {"a": 1, "b.c": -1}})
    assert definition == IndexDefinition("a_1_b.c_-1", (IndexField("a", False), IndexField("b.c", True)))


@pytest.mark.parametrize(
    "document",
    [
        {"key": {"a": 1}, "name": "by a"},
        {"key": {"a": -1, "b": 1}, "name": "x", "unique": True, "sparse": True},
        {"key": {"a": 1}, "name": "x", "partialFilterExpression": {"b": {"$gt": 5}}},
    ],
)
def test_what_is_written_is_what_was_read(document: dict[str, Any]) -> None:
    assert parse_definition(document).to_document() == document


def test_a_listing_of_mongodb_is_read_as_it_is() -> None:
    assert parse_definition({"v": 2, "key": {"a": 1.0}, "name": "a_1", "background": True}).name == "a_1"


@pytest.mark.parametrize("document", [{"key": {"_id": 1}}, {"key": {"_id": 1}, "name": "_id_", "unique": True}])
def test_the_index_on_id_is_there_already(document: dict[str, Any]) -> None:
    assert parse_definition(document) is ID_INDEX


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({}, '"key"'),
        ({"key": {}}, '"key"'),
        ({"key": 5}, '"key"'),
        ({"key": {"a": "text"}}, 'kind "text"'),
        ({"key": {"a": "2dsphere"}}, 'kind "2dsphere"'),
        ({"key": {"a": "hashed"}}, 'kind "hashed"'),
        ({"key": {"$**": 1}}, "wildcard"),
        ({"key": {"a.$**": 1}}, "wildcard"),
        ({"key": {"a": 0}}, '"a" must be 1 or -1'),
        ({"key": {"a": True}}, '"a" must be 1 or -1'),
        ({"key": {"a": float("nan")}}, '"a" must be 1 or -1'),
        ({"key": {"a": None}}, '"a" must be 1 or -1'),
        ({"key": {"": 1}}, "empty part"),
        ({"key": {"a..b": 1}}, "empty part"),
        ({"key": {"a.": 1}}, "empty part"),
        ({"key": {"a.$b": 1}}, 'begins with "$"'),
        ({"key": {f"f{n}": 1 for n in range(limits.MAX_INDEX_FIELDS + 1)}}, "33 fields"),
        ({"key": {"a": 1}, "expireAfterSeconds": 5}, '"expireAfterSeconds" is not supported'),
        ({"key": {"a": 1}, "uniqeu": True}, '"uniqeu" is unknown'),
        ({"key": {"a": 1}, "unique": "yes"}, '"unique" must be true or false'),
        ({"key": {"a": 1}, "sparse": None}, '"sparse" must be true or false'),
        ({"key": {"a": 1}, "partialFilterExpression": 5}, '"partialFilterExpression" must be a document'),
        ({"key": {"a": 1}, "sparse": True, "partialFilterExpression": {}}, "both"),
        ({"key": {"a": 1}, "name": ""}, '"name"'),
        ({"key": {"a": 1}, "name": "*"}, '"name"'),
        ({"key": {"a": 1}, "name": 5}, '"name"'),
        ({"key": {"a": 1}, "name": "a\0"}, '"name"'),
        ({"key": {"a": 1}, "name": "x" * 256}, "longer than 255"),
        ({"key": {"a": 1}, "name": "_id_"}, 'belongs to the index on "_id"'),
        ({"key": {"_id": 1}, "name": "mine"}, '"_id_"'),
        ({"key": {"_id": 1}, "sparse": True}, '"sparse"'),
    ],
)
def test_what_is_refused_is_named(document: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidArgumentError, match=r".*") as refused:
        parse_definition(document)
    assert said in refused.value.message
    assert refused.value.reason == "INVALID_INDEX"


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({"key": {"a": 1}}, ""),
        ({"key": {"b": 1}}, ""),
        ({"key": {"a": -1}}, ""),
        ({"key": {"a": 1}, "name": "b"}, 'the index "a_1" is the same but for its name'),
        ({"key": {"b": 1}, "name": "a_1"}, 'another index with the name "a_1"'),
        ({"key": {"a": 1}, "unique": True}, 'another index with the name "a_1"'),
        ({"key": {"a": 1}, "unique": True, "name": "b"}, ""),
        ({"key": {"a": 1}, "partialFilterExpression": {"b": 1}, "name": "b"}, ""),
    ],
)
def test_two_indexes_of_a_collection_differ_in_name_and_in_what_they_are(document: dict[str, Any], said: str) -> None:
    assert said in conflict(parse_definition(document), parse_definition({"key": {"a": 1}}))
    assert bool(conflict(parse_definition(document), parse_definition({"key": {"a": 1}}))) is bool(said)


def test_filters_differ_as_values_do() -> None:
    one, other = (
        parse_definition({"key": {"a": 1}, "name": name, "partialFilterExpression": {"b": value}})
        for name, value in (("x", True), ("y", 1))
    )
    assert not conflict(one, other)
