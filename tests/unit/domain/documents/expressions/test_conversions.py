"""Conversions between types, and the names of types."""

from __future__ import annotations

import math
from typing import Any

import pytest
from bson import Decimal128, Int64, ObjectId
from bson.datetime_ms import DatetimeMS

from laura_fast.errors import InvalidArgumentError
from tests.unit.domain.documents.expressions.evaluating import evaluate, same

OID = ObjectId("507f1f77bcf86cd799439011")


@pytest.mark.parametrize(
    ("operator", "value", "expected"),
    [
        ("$toInt", 1.9, 1),
        ("$toInt", "-12", -12),
        ("$toInt", True, 1),
        ("$toInt", Decimal128("7.9"), 7),
        ("$toLong", 1, Int64(1)),
        ("$toLong", DatetimeMS(5), Int64(5)),
        ("$toDouble", "1.5e3", 1500.0),
        ("$toDouble", Decimal128("Infinity"), math.inf),
        ("$toDouble", DatetimeMS(5), 5.0),
        ("$toDecimal", "1.10", Decimal128("1.10")),
        ("$toDecimal", 3, Decimal128("3")),
        ("$toString", 1.0, "1"),
        ("$toString", 1.5, "1.5"),
        ("$toString", math.nan, "NaN"),
        ("$toString", -math.inf, "-Infinity"),
        ("$toString", Int64(7), "7"),
        ("$toString", False, "false"),
        ("$toString", OID, str(OID)),
        ("$toString", DatetimeMS(1), "1970-01-01T00:00:00.001Z"),
        ("$toObjectId", str(OID), OID),
        ("$toBool", "", True),
        ("$toBool", 0.0, False),
        ("$toDate", Int64(5), DatetimeMS(5)),
        ("$toDate", "2024-02-29", DatetimeMS(1709164800000)),
        ("$toDate", "2024-02-29T01:00:00.5+01:00", DatetimeMS(1709164800500)),
        ("$toDate", OID, DatetimeMS(1350508407000)),
        ("$toInt", None, None),
        ("$type", 1, "int"),
        ("$type", Int64(1), "long"),
        ("$type", "$gone", "missing"),
        ("$isNumber", 1, True),
        ("$isNumber", True, False),
    ],
)
def test_value(operator: str, value: Any, expected: Any) -> None:
    assert same(evaluate({operator: value}), expected)


@pytest.mark.parametrize(
    ("operator", "value"),
    [
        ("$toInt", 2**31),
        ("$toInt", "1.5"),
        ("$toInt", "x"),
        ("$toInt", "9" * 10_000),
        ("$toInt", math.nan),
        ("$toInt", DatetimeMS(0)),
        ("$toLong", 1e30),
        ("$toDouble", "1e"),
        ("$toDouble", Decimal128("1E+400")),
        ("$toDecimal", "x"),
        ("$toDate", 5),
        ("$toDate", "2023-02-29"),
        ("$toDate", "2023-01-01T25:00"),
        ("$toObjectId", "xyz"),
        ("$toString", []),
    ],
)
def test_what_cannot_be_converted_names_the_operator(operator: str, value: Any) -> None:
    with pytest.raises(InvalidArgumentError) as refused:
        evaluate({operator: {"$literal": value}})
    assert operator in refused.value.message


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"input": "1", "to": "int"}, 1),
        ({"input": "1", "to": 18}, Int64(1)),
        ({"input": "x", "to": "int", "onError": "bad"}, "bad"),
        ({"input": "$gone", "to": "int", "onNull": "none"}, "none"),
        ({"input": "$gone", "to": "int"}, None),
        ({"input": "1", "to": None}, None),
    ],
)
def test_convert(arguments: dict[str, Any], expected: Any) -> None:
    assert same(evaluate({"$convert": arguments}), expected)


@pytest.mark.parametrize("target", ["integer", 99, 2.5, []])
def test_convert_to_no_type_is_refused(target: Any) -> None:
    with pytest.raises(InvalidArgumentError, match=r"\$convert"):
        evaluate({"$convert": {"input": 1, "to": {"$literal": target}}})
