"""Small collections on which a planner that believes too much gives wrong answers; each trap is a rule of its own."""

from __future__ import annotations

from typing import Any

import pytest

from tests.properties.planned_queries import Collection
from tests.unit.domain.documents.planning.planning_kit import Counted

AB = {"a": 1, "b": 1}


@pytest.mark.parametrize(
    ("key", "documents", "spec"),
    [
        pytest.param({"a": 1}, [{"a": [7, 8]}], {"a": [7, 8]}, id="a whole array has no entry"),
        pytest.param({"a": 1}, [{"a": []}, {"a": [[]]}], {"a": []}, id="an empty array has one of its own"),
        pytest.param({"a": 1}, [{"a": 1}], {"a": {"$nin": [[1, 2]]}}, id="not an array, and yet its first element"),
        pytest.param({"a": 1}, [{"a": [1, 9]}], {"a": {"$gt": 5, "$lt": 3}}, id="two elements for two conditions"),
        pytest.param({"a": 1}, [{"a": [1, 5]}, {"a": [2]}], {"a": {"$ne": 5}}, id="another element is not the answer"),
        pytest.param({"a": 1}, [{"a": [1, 2]}, {"a": 3}], {"a": {"$gt": [1]}}, id="an array against an array"),
        pytest.param({"a": 1}, [{"a": float("nan")}, {"a": 1}], {"a": {"$lt": 5}}, id="NaN is in no order"),
        pytest.param({"a": 1}, [{"a": "aXb"}, {"a": "aXc"}], {"a": {"$regex": "^a.b"}}, id="a prefix is not all"),
        pytest.param(AB, [{"a": "abc", "b": 1}], {"a": {"$regex": "^a"}, "b": 1}, id="a prefix is not one value"),
        pytest.param(AB, [{"a": [1, 2], "b": 3}], {"a": 2, "b": {"$gte": 3}}, id="an array and its neighbour"),
        pytest.param(
            {"a.b": 1, "a.c": 1},
            [{"a": [{"b": 1, "c": 9}, {"b": 9, "c": 2}]}],
            {"a.b": 1, "a.c": 2},
            id="two elements for two fields",
        ),
        pytest.param(
            {"a.b.c": 1, "a.b.d": 1},
            [{"a": [{"b": [{"c": 1, "d": 9}, {"c": 9, "d": 2}]}]}],
            {"a": {"$elemMatch": {"b.c": 1, "b.d": 2}}},
            id="one element, but another array below",
        ),
        pytest.param({"a.b": 1}, [{"a": [5]}, {"a": []}], {"a.b": {"$ne": None}}, id="null that is not asked for"),
        pytest.param({"a.b": 1}, [{"a": [5]}, {"a": 5}], {"a.b": None}, id="null that is not found"),
        pytest.param({"a.0": 1}, [{"a": [5, {"x": 1}]}], {"a.0": None}, id="missing in one of two meanings"),
        pytest.param({"a.0": 1}, [{"a": [9, [5]]}], {"a": {"$elemMatch": {"0": 5}}}, id="a position in an element"),
        pytest.param({"a.0": 1}, [{"a": [{"0": 5}]}, {"a": [5]}], {"a.0": 5}, id="a position or a name"),
    ],
)
def test_documents(key: dict[str, int], documents: list[dict[str, Any]], spec: dict[str, Any]) -> None:
    _check(documents, {"key": key}, spec, {})


@pytest.mark.parametrize(
    ("options", "documents", "spec"),
    [
        ({"sparse": True}, [{"a": 1}, {}], {"a": {"$ne": 1}}),
        ({"sparse": True}, [{"a": 1}, {}], {}),
        ({"partialFilterExpression": {"b": {"$ne": "x"}}}, [{"a": 1, "b": ["x", "y"]}], {"a": 1, "b": "y"}),
        ({"partialFilterExpression": {"b": True}}, [{"a": 1, "b": 1}], {"a": 1, "b": 1}),
        ({"partialFilterExpression": {"c.b": {"$exists": True}}}, [{"a": 1, "c": [5]}], {"c.b": {"$ne": None}}),
        ({"partialFilterExpression": {"b": {"$gt": 1}}}, [{"a": 1, "b": [0, 3]}], {"b": {"$gt": 2}}),
    ],
)
def test_documents_that_an_index_leaves_out(
    options: dict[str, Any], documents: list[dict[str, Any]], spec: dict[str, Any]
) -> None:
    _check(documents, {"key": {"a": 1}, **options}, spec, {})


@pytest.mark.parametrize(
    ("definition", "documents", "spec", "order"),
    [
        pytest.param({"key": {"a": 1}}, [{"a": [1, 9]}, {"a": [5]}], {"a": {"$gte": 5}}, {"a": 1}, id="bounded array"),
        pytest.param(
            {"key": {"a.b": 1}, "sparse": True},
            [{"a": [{"b": 1}, {}]}, {"a": [{"b": 0}]}],
            {"a.b": {"$exists": True}},
            {"a.b": 1},
            id="an element without the field",
        ),
        pytest.param({"key": {"a": 1}}, [{"a": 1}, {"a": 1}, {"a": 2}], {}, {"a": -1}, id="ties backwards"),
        pytest.param({"key": AB}, [{"a": 1, "b": 2}, {"a": 1, "b": 1}], {}, {"a": 1}, id="ties by another field"),
        pytest.param({"key": AB}, [{"a": [0, 1], "b": 9}, {"a": 1, "b": 2}], {"a": 1}, {"a": 1, "b": 1}, id="constant"),
        pytest.param(
            {"key": {"a.b": 1, "a.c": 1}},
            [{"a": [{"b": 1, "c": 5}, {"b": 2, "c": 0}]}, {"a": {"b": 1, "c": 3}}],
            {"a.b": 1},
            {"a.c": 1},
            id="the order of another element",
        ),
    ],
)
def test_orders(
    definition: dict[str, Any], documents: list[dict[str, Any]], spec: dict[str, Any], order: dict[str, int]
) -> None:
    _check(documents, definition, spec, order)


def _check(
    documents: list[dict[str, Any]], definition: dict[str, Any], spec: dict[str, Any], order: dict[str, int]
) -> None:
    identified = [{"_id": at, **each} for at, each in enumerate(documents)]
    collection = Collection(identified, [{**definition, "name": "index0"}])
    assert len(collection.documents) == len(documents)
    for hint in ("", "index0", "$natural"):
        collection.check(spec, order, Counted(index0=1), hint)
