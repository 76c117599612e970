"""`$group`, `$sortByCount` and the accumulators."""

from __future__ import annotations

import math
from typing import Any

import pytest
from bson import Decimal128, Int64

from laura_fast.errors import InvalidArgumentError, OverloadedError
from tests.unit.domain.documents.expressions.evaluating import same
from tests.unit.domain.documents.pipeline.running import aggregate, budget, context

SALES: list[dict[str, Any]] = [
    {"_id": 1, "shop": "a", "n": 1, "tags": ["x"]},
    {"_id": 2, "shop": "b", "n": 2.5},
    {"_id": 3, "shop": "a", "n": 4, "tags": ["y"]},
    {"_id": 4, "n": None},
    {"_id": 5, "shop": None, "n": "text"},
    {"_id": 6, "shop": "a"},
]


@pytest.mark.parametrize(
    ("accumulator", "a", "b", "none"),
    [
        ({"$sum": "$n"}, 5, 2.5, 0),
        ({"$sum": 1}, 3, 1, 2),
        ({"$sum": ["$n"]}, 5, 2.5, 0),
        ({"$avg": "$n"}, 2.5, 2.5, None),
        ({"$min": "$n"}, 1, 2.5, "text"),
        ({"$max": "$n"}, 4, 2.5, "text"),
        ({"$count": {}}, 3, 1, 2),
        ({"$first": "$n"}, 1, 2.5, None),
        ({"$last": "$n"}, None, 2.5, "text"),
        ({"$push": "$n"}, [1, 4], [2.5], [None, "text"]),
        ({"$push": "$tags"}, [["x"], ["y"]], [], []),
        ({"$addToSet": {"$gt": ["$n", 1]}}, [False, True], [True], [False, True]),
        ({"$stdDevPop": "$n"}, 1.5, 0.0, None),
        ({"$stdDevSamp": "$n"}, math.sqrt(4.5), None, None),
    ],
)
def test_accumulator(accumulator: dict[str, Any], a: Any, b: Any, none: Any) -> None:
    found = aggregate(SALES, {"$group": {"_id": "$shop", "value": accumulator}})
    assert same(found, [{"_id": "a", "value": a}, {"_id": "b", "value": b}, {"_id": None, "value": none}])


@pytest.mark.parametrize(
    ("key", "values", "keys"),
    [
        ("$k", [1, 1.0, Int64(1), Decimal128("1"), True, "1"], [1, True, "1"]),
        ("$k", [Int64(2), 2], [Int64(2)]),
        ("$k", [math.nan, math.nan, 0.0, -0.0], [math.nan, 0.0]),
        ("$k", [[1], [1.0], [2]], [[1], [2]]),
        ({"x": "$k", "y": "$gone"}, [1, 1.0, None], [{"x": 1}, {"x": None}]),
        (["$k", "$gone"], [1], [[1, None]]),
        (None, [1, 2], [None]),
        ({"$mod": ["$k", 2]}, [1, 2, 3], [1, 0]),
        ("$k", [{"a": 1, "b": 2}, {"b": 2, "a": 1}], [{"a": 1, "b": 2}, {"b": 2, "a": 1}]),
    ],
)
def test_key(key: Any, values: list[Any], keys: list[Any]) -> None:
    """Equal keys make one group, whatever their types; it shows the one that came first."""
    found = aggregate([{"k": value} for value in values], {"$group": {"_id": key}})
    assert same([group["_id"] for group in found], keys)


def test_nothing_makes_no_group() -> None:
    assert aggregate([], {"$group": {"_id": None, "n": {"$sum": 1}}}) == []


def test_sort_by_count() -> None:
    documents = [{"t": value} for value in "abcbcc"] + [{}]
    expected = [
        {"_id": "c", "count": 3},
        {"_id": "b", "count": 2},
        {"_id": None, "count": 1},
        {"_id": "a", "count": 1},
    ]
    assert aggregate(documents, {"$sortByCount": "$t"}) == expected
    assert aggregate(documents, {"$sortByCount": {"$toUpper": "$t"}})[0] == {"_id": "C", "count": 3}


@pytest.mark.parametrize("accumulator", ["$push", "$addToSet", "$max", "$first", "$last"])
def test_what_groups_keep_is_held(accumulator: str) -> None:
    documents = ({"k": place, "text": "x" * 10_000 + str(place)} for place in range(1000))
    with pytest.raises(OverloadedError, match="memory"):
        aggregate(documents, {"$group": {"_id": "$k", "n": {accumulator: "$text"}}}, given=context(budget(1_000_000)))


def test_what_a_group_has_replaced_is_held_no_longer() -> None:
    documents = ({"text": f"{place:03}" + "x" * 10_000} for place in range(1000))
    stage = {"$group": {"_id": None, "last": {"$last": "$text"}, "greatest": {"$max": "$text"}}}
    [found] = aggregate(documents, stage, given=context(budget(100_000)))
    assert (found["last"][:3], found["greatest"][:3]) == ("999", "999")


def test_many_groups_are_held() -> None:
    with pytest.raises(OverloadedError, match="memory"):
        aggregate(({"k": k} for k in range(10**6)), {"$group": {"_id": "$k"}}, given=context(budget(1_000_000)))


@pytest.mark.parametrize(
    ("stage", "named"),
    [
        ({"$group": 1}, "_id"),
        ({"$group": {"n": {"$sum": 1}}}, "_id"),
        ({"$group": {"_id": None, "n": 1}}, "'n'"),
        ({"$group": {"_id": None, "n": {}}}, "'n'"),
        ({"$group": {"_id": None, "n": {"$sum": 1, "$avg": 1}}}, "'n'"),
        ({"$group": {"_id": None, "n": {"$median": 1}}}, "$median"),
        ({"$group": {"_id": None, "n": {"$sum": [1, 2]}}}, "$sum"),
        ({"$group": {"_id": None, "n": {"$count": 1}}}, "$count"),
        ({"$group": {"_id": None, "a.b": {"$sum": 1}}}, "a.b"),
        ({"$group": {"_id": None, "$a": {"$sum": 1}}}, "$a"),
        ({"$group": {"_id": {"$nothing": 1}}}, "$nothing"),
        ({"$group": {"_id": None, **{f"f{place}": {"$sum": 1} for place in range(2000)}}}, "1000"),
        ({"$sortByCount": "x"}, "$sortByCount"),
        ({"$sortByCount": 1}, "$sortByCount"),
        ({"$sortByCount": {"x": 1}}, "$sortByCount"),
    ],
)
def test_what_means_nothing_is_refused_by_name(stage: dict[str, Any], named: str) -> None:
    with pytest.raises(InvalidArgumentError) as refused:
        aggregate(SALES, stage)
    assert named in refused.value.message
