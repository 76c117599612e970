"""Operators of arrays and of documents, and those that bind variables."""

from __future__ import annotations

from typing import Any

import pytest
from bson import Int64

from laura_fast.domain.documents.expressions import MISSING
from laura_fast.errors import InvalidArgumentError
from laura_fast.limits import queries as limits
from tests.unit.domain.documents.expressions.evaluating import evaluate, same

DOCUMENT = {
    "list": [3, 1, 2],
    "empty": [],
    "null": None,
    "text": "x",
    "documents": [{"n": 1, "m": [1, 2]}, {"n": 2, "m": [3]}, {"m": []}],
    "inner": {"a": 1, "b": 2},
}

LONG = {"long": "x" * 2**20}


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"$size": "$list"}, 3),
        ({"$size": [[1, 2]]}, 2),
        ({"$isArray": "$list"}, True),
        ({"$isArray": ["$text"]}, False),
        ({"$arrayElemAt": ["$list", 0]}, 3),
        ({"$arrayElemAt": ["$list", -1.0]}, 2),
        ({"$arrayElemAt": ["$list", 3]}, MISSING),
        ({"$arrayElemAt": ["$null", 3]}, None),
        ({"$first": "$list"}, 3),
        ({"$last": "$list"}, 2),
        ({"$first": "$empty"}, MISSING),
        ({"$last": "$null"}, None),
        ({"$in": [Int64(2), "$list"]}, True),
        ({"$in": ["$gone", "$list"]}, False),
        ({"$in": [[1], [[1.0]]]}, True),
        ({"$concatArrays": ["$list", [4], "$empty"]}, [3, 1, 2, 4]),
        ({"$concatArrays": ["$list", "$null"]}, None),
        ({"$slice": ["$list", 2]}, [3, 1]),
        ({"$slice": ["$list", -2]}, [1, 2]),
        ({"$slice": ["$list", 1, 5]}, [1, 2]),
        ({"$slice": ["$list", -9, 1]}, [3]),
        ({"$slice": ["$null", 1]}, None),
        ({"$reverseArray": "$list"}, [2, 1, 3]),
        ({"$range": [0, 5, 2]}, [0, 2, 4]),
        ({"$range": [3, 0, -1]}, [3, 2, 1]),
        ({"$indexOfArray": ["$list", 2.0]}, 2),
        ({"$indexOfArray": ["$list", 3, 1]}, -1),
        ({"$setUnion": [[1, 2, 1.0], [3, 2]]}, [1, 2, 3]),
        ({"$setIntersection": [[1, 2, 3], [3, 1.0]]}, [1, 3]),
        ({"$setDifference": [[1, 2, 2, 3], [3]]}, [1, 2]),
        ({"$setEquals": [[1, 2], [2, 1, 1], [1.0, 2]]}, True),
        ({"$setIsSubset": [[1], [1, 2]]}, True),
        ({"$setUnion": ["$null", [1]]}, None),
        ({"$anyElementTrue": [[0, None, "x"]]}, True),
        ({"$allElementsTrue": ["$list"]}, True),
        ({"$allElementsTrue": [[1, 0]]}, False),
        ({"$mergeObjects": ["$inner", {"b": 3, "c": 4}, "$null"]}, {"a": 1, "b": 3, "c": 4}),
        ({"$mergeObjects": "$documents"}, {"n": 2, "m": []}),
        ({"$objectToArray": "$inner"}, [{"k": "a", "v": 1}, {"k": "b", "v": 2}]),
        ({"$arrayToObject": [[["a", 1], ["b", 2]]]}, {"a": 1, "b": 2}),
        ({"$arrayToObject": {"$objectToArray": "$inner"}}, {"a": 1, "b": 2}),
        ({"$getField": "text"}, "x"),
        ({"$getField": {"field": "b", "input": "$inner"}}, 2),
        ({"$getField": {"field": {"$concat": ["te", "xt"]}}}, "x"),
        ({"$map": {"input": "$list", "in": {"$multiply": ["$$this", 2]}}}, [6, 2, 4]),
        ({"$map": {"input": "$documents", "as": "each", "in": "$$each.n"}}, [1, 2, None]),
        ({"$map": {"input": "$null", "in": 1}}, None),
        ({"$filter": {"input": "$list", "as": "n", "cond": {"$gt": ["$$n", 1]}}}, [3, 2]),
        ({"$filter": {"input": "$list", "cond": {"$gt": ["$$this", 1]}, "limit": 1}}, [3]),
        ({"$reduce": {"input": "$list", "initialValue": 0, "in": {"$add": ["$$value", "$$this"]}}}, 6),
        ({"$let": {"vars": {"x": "$inner.a", "y": 10}, "in": {"$add": ["$$x", "$$y"]}}}, 11),
        (
            {"$map": {"input": "$documents", "as": "d", "in": {"$map": {"input": "$$d.m", "in": ["$$d.n", "$$this"]}}}},
            [[[1, 1], [1, 2]], [[2, 3]], []],
        ),
        (
            {"$let": {"vars": {"x": 1}, "in": {"$let": {"vars": {"x": 2, "y": "$$x"}, "in": ["$$x", "$$y", "$text"]}}}},
            [2, 1, "x"],
        ),
        ({"$sum": "$list"}, 6),
        ({"$sum": ["$list", 1, "$text"]}, 1),
        ({"$avg": "$list"}, 2.0),
        ({"$max": ["$text", 5, "$list"]}, [3, 1, 2]),
        ({"$min": "$list"}, 1),
        ({"$min": "$empty"}, None),
        ({"$stdDevPop": [[1, 3]]}, 1.0),
        ({"$sum": "$documents.n"}, 3),
    ],
)
def test_value(spec: Any, expected: Any) -> None:
    assert same(evaluate(spec, DOCUMENT), expected)


@pytest.mark.parametrize(
    ("spec", "named"),
    [
        ({"$size": "$text"}, "$size"),
        ({"$size": "$gone"}, "missing"),
        ({"$arrayElemAt": ["$text", 0]}, "$arrayElemAt"),
        ({"$arrayElemAt": ["$list", 0.5]}, "$arrayElemAt"),
        ({"$in": [1, "$null"]}, "$in"),
        ({"$in": ["$gone", "$text"]}, "$in"),
        ({"$slice": ["$list", 1, 0]}, "$slice"),
        ({"$range": [0, 5, 0]}, "$range"),
        ({"$range": [0, limits.MAX_EXPRESSION_ARRAY + 1]}, "$range"),
        ({"$concatArrays": ["$list", "$text"]}, "$concatArrays"),
        ({"$setUnion": ["$text"]}, "$setUnion"),
        ({"$mergeObjects": ["$text"]}, "$mergeObjects"),
        ({"$arrayToObject": [[["a"]]]}, "$arrayToObject"),
        ({"$arrayToObject": [[{"k": 1, "v": 2}]]}, "$arrayToObject"),
        ({"$objectToArray": "$list"}, "$objectToArray"),
        ({"$map": {"input": "$text", "in": 1}}, "$map"),
        ({"$map": {"input": "$list", "as": "Big", "in": 1}}, "Big"),
        ({"$filter": {"input": "$list", "cond": True, "limit": 0}}, "$filter"),
        ({"$reduce": {"input": "$list", "in": 1}}, "initialValue"),
        ({"$let": {"vars": 1, "in": 1}}, "$let"),
        ({"$let": {"vars": {"x": 1}, "in": "$$y"}}, "$$y"),
        ({"$getField": 1}, "$getField"),
    ],
)
def test_what_has_no_value_names_the_operator(spec: Any, named: str) -> None:
    with pytest.raises(InvalidArgumentError) as refused:
        evaluate(spec, DOCUMENT)
    assert named in refused.value.message


@pytest.mark.parametrize("growing", [["$$value", "$$value"], ["$$value"], {"x": "$$value", "y": "$$this"}])
def test_shared_values_do_not_grow_without_bound(growing: Any) -> None:
    """A thousand doublings are small in memory; written out, or compared, they would be beyond all bounds."""
    spec = {"$reduce": {"input": {"$range": [0, 1000]}, "initialValue": "$long", "in": growing}}
    with pytest.raises(InvalidArgumentError) as refused:
        evaluate({"$eq": [spec, spec]}, LONG)
    assert refused.value.reason == "DOCUMENT_TOO_LARGE"


def test_shared_variables_do_not_grow_without_bound() -> None:
    spec: Any = "$$x"
    for _ in range(20):
        spec = {"$let": {"vars": {"x": ["$$x", "$$x", "$$x", "$$x"]}, "in": spec}}
    spec = {"$let": {"vars": {"x": "$long"}, "in": {"$eq": [spec, 1]}}}
    with pytest.raises(InvalidArgumentError) as refused:
        evaluate(spec, LONG)
    assert refused.value.reason == "DOCUMENT_TOO_LARGE"
