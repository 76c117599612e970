"""What a filter offers beside matching."""

from __future__ import annotations

from typing import Any

import pytest
from bson.regex import Regex

from laura_fast.domain.documents.filters import compile_filter
from laura_fast.domain.documents.filters.tree import And, Compare, Exists, Not, Operator, Or
from laura_fast.errors import InvalidArgumentError


def test_trees() -> None:
    assert compile_filter({}).tree == And(())
    assert compile_filter({"a": 1}).tree == Compare("a", Operator.EQ, 1)
    assert compile_filter({"a": {"$gt": 1, "$lt": 5}}).tree == And(
        (Compare("a", Operator.GT, 1), Compare("a", Operator.LT, 5))
    )
    assert compile_filter({"a": {"$ne": 1}}).tree == Not(Compare("a", Operator.EQ, 1))
    assert compile_filter({"$nor": [{"a": {"$exists": True}}]}).tree == Not(Or((Exists("a", wanted=True),)))


@pytest.mark.parametrize(
    ("query", "equalities"),
    [
        ({}, {}),
        ({"a": 1, "b.c": {"$eq": None}}, {"a": 1, "b.c": None}),
        ({"a": {"x": 1}}, {"a": {"x": 1}}),
        ({"$and": [{"a": 1}, {"$and": [{"b": 2}]}]}, {"a": 1, "b": 2}),
        ({"$or": [{"a": 1}]}, {"a": 1}),
        ({"a": {"$all": [1]}}, {"a": 1}),
        ({"a": {"$eq": 1, "$gt": 0}}, {"a": 1}),
        ({"ab": 1, "a": 2}, {"ab": 1, "a": 2}),
        ({"$or": [{"a": 1}, {"b": 1}]}, {}),
        ({"a": {"$in": [1]}}, {"a": 1}),
        ({"a": {"$in": [1, 2]}, "b": {"$gt": 1}, "c": Regex("x"), "d": {"$ne": 1}, "$nor": [{"e": 1}]}, {}),
        ({"a": {"$elemMatch": {"b": 1}}}, {}),
    ],
)
def test_equalities(query: dict[str, Any], equalities: dict[str, Any]) -> None:
    assert compile_filter(query).equalities() == equalities


@pytest.mark.parametrize(
    "query", [{"a": 1, "$and": [{"a": 1}]}, {"a": {"b": 1}, "a.b": 1}, {"a.b": 1, "a": 1}, {"a": {"$all": [1, 2]}}]
)
def test_equalities_that_collide(query: dict[str, Any]) -> None:
    with pytest.raises(InvalidArgumentError, match="can't be inferred for the upsert"):
        compile_filter(query).equalities()
