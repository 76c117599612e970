"""Comparisons over the order of all types, truth, and choices."""

from __future__ import annotations

import math
from typing import Any

import pytest
from bson import Decimal128, Int64, MaxKey, MinKey, ObjectId
from bson.datetime_ms import DatetimeMS

from laura_fast.domain.documents.expressions import MISSING, is_true
from laura_fast.errors import InvalidArgumentError
from tests.unit.domain.documents.expressions.evaluating import evaluate

ASCENDING = [
    MinKey(), MISSING, None, math.nan, -math.inf, -1, Decimal128("0.5"), Int64(1), 1.5, "", "A", "a", "é", "\U0001f600",
    {}, {"a": 1}, {"a": 1, "b": 0}, {"b": 0}, [], [1], [1, 0], b"x", ObjectId(b"0" * 12), False, True, DatetimeMS(-1),
    DatetimeMS(5), MaxKey(),
]  # fmt: skip


@pytest.mark.parametrize("left", range(len(ASCENDING)))
def test_comparison_is_over_all_types(left: int) -> None:
    for right in range(len(ASCENDING)):
        fields = {"l": ASCENDING[left], "r": ASCENDING[right]}
        document = {name: value for name, value in fields.items() if value is not MISSING}
        expected = (left > right) - (left < right)
        assert evaluate({"$cmp": ["$l", "$r"]}, document) == expected
        assert evaluate({"$eq": ["$l", "$r"]}, document) is (expected == 0)
        assert evaluate({"$ne": ["$l", "$r"]}, document) is (expected != 0)
        assert evaluate({"$lt": ["$l", "$r"]}, document) is (expected < 0)
        assert evaluate({"$lte": ["$l", "$r"]}, document) is (expected <= 0)
        assert evaluate({"$gt": ["$l", "$r"]}, document) is (expected > 0)
        assert evaluate({"$gte": ["$l", "$r"]}, document) is (expected >= 0)


def test_numbers_are_equal_across_types_exactly() -> None:
    assert evaluate({"$eq": [1, 1.0]})
    assert evaluate({"$eq": [Int64(1), Decimal128("1.0")]})
    assert not evaluate({"$eq": [Int64(2**53 + 1), float(2**53)]})


@pytest.mark.parametrize("value", [False, None, MISSING, 0, 0.0, -0.0, Int64(0), Decimal128("0.0")])
def test_untrue(value: Any) -> None:
    assert not is_true(value)


@pytest.mark.parametrize("value", [True, 1, -1, 0.1, math.nan, "", [], {}, b"", Decimal128("NaN"), DatetimeMS(0)])
def test_true(value: Any) -> None:
    assert is_true(value)


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"$and": []}, True),
        ({"$and": ["$one", "$text", True]}, True),
        ({"$and": ["$zero", {"$divide": [1, "$zero"]}]}, False),
        ({"$or": []}, False),
        ({"$or": ["$one", {"$divide": [1, "$zero"]}]}, True),
        ({"$or": ["$null", "$gone"]}, False),
        ({"$not": ["$zero"]}, True),
        ({"$not": "$one"}, False),
        ({"$cond": ["$one", "yes", {"$divide": [1, "$zero"]}]}, "yes"),
        ({"$cond": {"if": "$gone", "then": "yes", "else": "no"}}, "no"),
        ({"$cond": [True, "$one", "no"]}, 1),
        ({"$cond": ["$zero", 1, "$gone"]}, MISSING),
        ({"$ifNull": ["$null", "$gone", "$one", {"$divide": [1, "$zero"]}]}, 1),
        ({"$ifNull": ["$null", "$gone"]}, MISSING),
        ({"$switch": {"branches": [{"case": "$zero", "then": 1}, {"case": "$one", "then": 2}]}}, 2),
        ({"$switch": {"branches": [{"case": "$zero", "then": 1}], "default": "none"}}, "none"),
    ],
)
def test_choice(spec: Any, expected: Any) -> None:
    assert evaluate(spec, {"zero": 0, "one": 1, "null": None, "text": ""}) == expected


@pytest.mark.parametrize(
    ("spec", "named"),
    [
        ({"$cond": [1, 2]}, "$cond"),
        ({"$cond": {"if": 1, "then": 2}}, "else"),
        ({"$cond": {"if": 1, "then": 2, "else": 3, "other": 4}}, "other"),
        ({"$ifNull": [1]}, "$ifNull"),
        ({"$not": [1, 2]}, "$not"),
        ({"$switch": {"branches": []}}, "$switch"),
        ({"$switch": {"branches": [{"case": 1}]}}, "then"),
        ({"$switch": 1}, "$switch"),
        ({"$eq": [1]}, "$eq"),
    ],
)
def test_a_malformed_choice_is_refused_by_name(spec: Any, named: str) -> None:
    with pytest.raises(InvalidArgumentError) as refused:
        evaluate(spec)
    assert named in refused.value.message


def test_a_switch_without_default_needs_a_branch() -> None:
    with pytest.raises(InvalidArgumentError, match="no branch"):
        evaluate({"$switch": {"branches": [{"case": "$x", "then": 1}]}})
