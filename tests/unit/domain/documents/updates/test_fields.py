"""Operators on one value: results, types of numbers, what is a change and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from bson.datetime_ms import DatetimeMS
from bson.decimal128 import Decimal128
from bson.int64 import Int64
from bson.timestamp import Timestamp

from tests.unit.domain.documents.updates.applying import (
    NOW,
    NOW_MS,
    after,
    applied,
    fields_after,
    is_invalid,
    refuses,
)

BIG = 2**63 - 1


@pytest.mark.parametrize(
    ("old", "operand", "new"),
    [
        (1, 2, 3),
        (2**31 - 1, 1, Int64(2**31)),
        (-(2**31), -1, Int64(-(2**31) - 1)),
        (Int64(1), 2, Int64(3)),
        (1, Int64(2), Int64(3)),
        (1, 0.5, 1.5),
        (Int64(2**53 + 1), 0.0, float(2**53)),
        (0.1, Decimal128("0.2"), Decimal128("0.300000000000000")),
        (2**31 - 1, Decimal128("1"), Decimal128("2147483648")),
        (1, Decimal128("Infinity"), Decimal128("Infinity")),
        (1e308, 1e308, float("inf")),
    ],
)
def test_inc_adds_and_widens(old: Any, operand: Any, new: Any) -> None:
    assert fields_after({"a": old}, {"$inc": {"a": operand}}) == [("a", type(new), new)]


@pytest.mark.parametrize(
    ("old", "operand", "new"),
    [
        (3, 2, 6),
        (2**30, 2, Int64(2**31)),
        (Int64(3), 2, Int64(6)),
        (3, 0.5, 1.5),
        (3, Decimal128("0.5"), Decimal128("1.5")),
    ],
)
def test_mul_multiplies_and_widens(old: Any, operand: Any, new: Any) -> None:
    assert fields_after({"a": old}, {"$mul": {"a": operand}}) == [("a", type(new), new)]


@pytest.mark.parametrize("operand", [5, Int64(5), 5.0, Decimal128("5")])
def test_a_missing_field_is_set_by_inc_and_zero_by_mul(operand: Any) -> None:
    assert fields_after({}, {"$inc": {"a": operand}}) == [("a", type(operand), operand)]
    ((_, kind, value),) = fields_after({}, {"$mul": {"a": operand}})
    assert (kind, float(str(value))) == (type(operand), 0.0)


@pytest.mark.parametrize(
    ("old", "update"),
    [
        (Int64(BIG), {"$inc": {"a": 1}}),
        (Int64(-BIG - 1), {"$inc": {"a": -1}}),
        (Int64(BIG), {"$mul": {"a": 2}}),
    ],
)
def test_int64_never_overflows_silently(old: Any, update: dict[str, Any]) -> None:
    refuses({"a": old}, update, "'a'", "64-bit")


@pytest.mark.parametrize("operator", ["$inc", "$mul"])
@pytest.mark.parametrize("value", ["1", None, True, [], {}])
def test_arithmetic_is_for_numbers(operator: str, value: Any) -> None:
    is_invalid({operator: {"a.b": value}}, operator, "'a.b'")
    refuses({"a": {"b": value}}, {operator: {"a.b": 1}}, operator, "'a.b'")


@pytest.mark.parametrize(
    ("old", "update"),
    [
        (1, {"$inc": {"a": 0}}),
        (1, {"$mul": {"a": 1}}),
        (1, {"$set": {"a": 1}}),
        ({"b": 1, "c": [1.5]}, {"$set": {"a": {"b": 1, "c": [1.5]}}}),
        (float("nan"), {"$set": {"a": float("nan")}}),
        (1, {"$min": {"a": 1.0}}),
        (1, {"$max": {"a": 0}}),
        (1, {"$unset": {"b": ""}}),
        (1, {"$rename": {"b": "c"}}),
        (1, {"$rename": {"b": "a.x"}}),
        (1, {"$setOnInsert": {"b": 1, "a.x": 1}}),
        (6, {"$bit": {"a": {"and": 7}}}),
        (1, {"$unset": {"a.b": ""}}),
        (1, {"$set": {}}),
        ([1], {"$pull": {"a": 2}}),
        ([1], {"$pullAll": {"a": []}}),
        ([1], {"$push": {"a": {"$each": []}}}),
        ([1, 2], {"$push": {"a": {"$each": [], "$sort": 1}}}),
        ([1], {"$addToSet": {"a": 1.0}}),
        ([], {"$pop": {"a": 1}}),
        (1, {"$pop": {"b": 1}, "$pull": {"c": 1}, "$pullAll": {"d": [1]}}),
        ([None], {"$unset": {"a.0": ""}}),
    ],
)
def test_what_makes_no_difference_is_no_change(old: Any, update: dict[str, Any]) -> None:
    assert not applied({"_id": 1, "a": old}, update).changed


@pytest.mark.parametrize(
    ("old", "new"),
    [(1, 1.0), (1, Int64(1)), (0.0, -0.0), ({"b": 1, "c": 2}, {"c": 2, "b": 1}), (True, 1), ([1], [1.0])],
)
def test_a_value_that_is_only_equal_is_a_change(old: Any, new: Any) -> None:
    assert repr(fields_after({"a": old}, {"$set": {"a": new}})) == repr([("a", type(new), new)])


@pytest.mark.parametrize(
    ("old", "operand", "smaller", "greater"),
    [(1, 2, 1, 2), (2, 1.5, 1.5, 2), ("a", 1, 1, "a"), (None, 1, None, 1), ([1], {"b": 1}, {"b": 1}, [1])],
)
def test_min_and_max_go_by_the_order_of_all_types(old: Any, operand: Any, smaller: Any, greater: Any) -> None:
    assert after({"a": old}, {"$min": {"a": operand}})["a"] == smaller
    assert after({"a": old}, {"$max": {"a": operand}})["a"] == greater
    assert after({}, {"$min": {"a": operand}, "$max": {"b": operand}}) == {"_id": 1, "a": operand, "b": operand}


@pytest.mark.parametrize("operand", [True, False, {"$type": "date"}])
def test_current_date_is_a_date(operand: Any) -> None:
    assert fields_after({"a": 1}, {"$currentDate": {"a": operand}}) == [("a", DatetimeMS, DatetimeMS(NOW_MS))]


def test_current_date_may_be_a_timestamp() -> None:
    assert fields_after({}, {"$currentDate": {"a": {"$type": "timestamp"}}}) == [("a", Timestamp, NOW)]


@pytest.mark.parametrize("operand", [1, None, "date", {}, {"$type": "int"}, {"$type": "date", "x": 1}])
def test_current_date_takes_nothing_else(operand: Any) -> None:
    is_invalid({"$currentDate": {"a": operand}}, "$currentDate", "'a'")


@pytest.mark.parametrize(
    ("old", "operand", "new"),
    [
        (13, {"and": 10}, 8),
        (3, {"or": 5}, 7),
        (1, {"xor": 5}, 4),
        (Int64(13), {"and": 10}, Int64(8)),
        (13, {"and": Int64(10)}, Int64(8)),
        (-1, {"xor": 1}, -2),
        (12, {"and": 10, "or": 1}, 9),
        (Int64(2**40), {"or": 1}, Int64(2**40 + 1)),
    ],
)
def test_bit(old: Any, operand: Any, new: Any) -> None:
    assert fields_after({"a": old}, {"$bit": {"a": operand}}) == [("a", type(new), new)]


def test_bit_takes_what_is_missing_for_zero() -> None:
    update = {"$bit": {"a": {"or": 5}, "b": {"and": Int64(5)}}}
    assert fields_after({}, update) == [("a", int, 5), ("b", Int64, 0)]


@pytest.mark.parametrize("operand", [1, {}, {"not": 1}, {"and": 1.0}, {"and": True}, {"and": 1, "or": "x"}])
def test_bit_takes_masks_of_integers(operand: Any) -> None:
    is_invalid({"$bit": {"a": operand}}, "$bit", "'a'")


@pytest.mark.parametrize("old", [1.0, "1", None, True, []])
def test_bit_is_for_integers(old: Any) -> None:
    refuses({"a": old}, {"$bit": {"a": {"or": 1}}}, "$bit", "'a'")
