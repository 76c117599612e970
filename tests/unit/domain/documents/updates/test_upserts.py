"""The document that an upsert inserts."""

from __future__ import annotations

from typing import Any

import pytest
from bson.regex import Regex

from laura_fast.domain.documents.filters import compile_filter
from laura_fast.domain.documents.updates import compile_update, upsert_document
from laura_fast.errors import InvalidArgumentError
from tests.unit.domain.documents.updates.applying import NOW, NOW_MS


def inserted(query: dict[str, Any], update: dict[str, Any]) -> list[tuple[str, Any]]:
    """The fields in their order; an id that was generated is "new"."""
    return list(upsert_document(compile_filter(query), compile_update(update), "new", NOW_MS, NOW).items())


@pytest.mark.parametrize(
    ("query", "fields"),
    [
        ({}, [("_id", "new")]),
        ({"b": 1, "a": {"$eq": 2}}, [("_id", "new"), ("a", 2), ("b", 1)]),
        ({"_id": 5, "A": 1}, [("_id", 5), ("A", 1)]),
        ({"$and": [{"a": 1}, {"$and": [{"b": {"c": 2}}]}]}, [("_id", "new"), ("a", 1), ("b", {"c": 2})]),
        ({"a": {"$in": [1]}, "b": {"$in": [1, 2]}}, [("_id", "new"), ("a", 1)]),
        ({"$or": [{"a": 1}]}, [("_id", "new"), ("a", 1)]),
        ({"$or": [{"a": 1}, {"b": 1}]}, [("_id", "new")]),
        ({"a": {"$all": [1]}}, [("_id", "new"), ("a", 1)]),
        ({"a": {"$gt": 1}, "b": {"$ne": 1}, "c": {"$exists": True}, "d": Regex("x")}, [("_id", "new")]),
        ({"a": None}, [("_id", "new"), ("a", None)]),
        ({"a.c": 1, "a.b": 2, "d.0": 3}, [("_id", "new"), ("a", {"b": 2, "c": 1}), ("d", {"0": 3})]),
    ],
)
def test_the_filters_equalities_become_fields(query: dict[str, Any], fields: list[Any]) -> None:
    assert inserted(query, {"$set": {}}) == fields


def test_operators_are_applied_to_them() -> None:
    query = {"a": 1, "b.c": 1, "e": 5}
    update = {"$inc": {"a": 1}, "$set": {"b.d": 2}, "$setOnInsert": {"c": 3}, "$unset": {"e": ""}, "$push": {"f": 1}}
    assert inserted(query, update) == [("_id", "new"), ("a", 2), ("b", {"c": 1, "d": 2}), ("c", 3), ("f", [1])]


def test_the_id_may_come_from_the_update() -> None:
    assert inserted({"a": 1}, {"$set": {"_id": 7}}) == [("_id", 7), ("a", 1)]
    assert inserted({"a": 1}, {"$setOnInsert": {"_id": 7}}) == [("_id", 7), ("a", 1)]
    assert inserted({"_id": 7}, {"$setOnInsert": {"_id": 7.0}}) == [("_id", 7)]


def test_a_replacement_takes_the_id_alone_from_the_filter() -> None:
    assert inserted({"a": 1, "_id": 5}, {"b": 2}) == [("_id", 5), ("b", 2)]
    assert inserted({"a": 1}, {"b": 2}) == [("_id", "new"), ("b", 2)]
    assert inserted({"a": 1}, {"b": 2, "_id": 6}) == [("_id", 6), ("b", 2)]
    assert inserted({"_id": 5}, {"_id": 5}) == [("_id", 5)]


@pytest.mark.parametrize(
    ("query", "update", "words"),
    [
        ({"a": 1, "$and": [{"a": 1}]}, {"$set": {}}, ("the filter also has a value for a",)),
        ({"a": {"$all": [1, 2]}}, {"$set": {}}, ("the filter also has a value for a",)),
        ({"a": {"b": 1}, "a.b": 1}, {"$set": {}}, ("a.b", "the filter also has a value for a")),
        ({"_id.x": 1}, {"$set": {}}, ("'_id.x'",)),
        ({"_id": 5}, {"$set": {"_id": 6}}, ("_id",)),
        ({"_id": 5}, {"_id": 6, "a": 1}, ("_id",)),
        ({"a": 1}, {"$set": {"_id": [1]}}, ("_id", "array")),
        ({"a": 1}, {"$set": {"_id": Regex("x")}}, ("_id", "regex")),
        ({"a": 1}, {"$set": {"a.b": 1}}, ("'a.b'", "'a'")),
        ({"a..b": 1}, {"$set": {}}, ("'a..b'",)),
    ],
)
def test_what_can_not_be_inserted(query: dict[str, Any], update: dict[str, Any], words: tuple[str, ...]) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        inserted(query, update)
    assert [word for word in words if word not in caught.value.message] == []
