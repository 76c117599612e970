"""Examples of keys; `tests/properties/test_document_order.py` holds the order over random values."""

from __future__ import annotations

from typing import Any, Final

import pytest
from bson.decimal128 import Decimal128
from bson.int64 import Int64

from laura_fast.domain.documents import keys
from laura_fast.domain.documents.order import compare

ASCENDING: Final[list[list[Any]]] = [
    [float("nan"), Decimal128("NaN"), Decimal128("-NaN")],
    [float("-inf"), Decimal128("-Infinity")],
    [Decimal128("-9E+6144")],
    [-1.7976931348623157e308],
    [Int64(-(2**63)), -(2.0**63), Decimal128("-9223372036854775808")],
    [Int64(1 - 2**63)],
    [-2, Int64(-2), -2.0, Decimal128("-2.00")],
    [-0.1],
    [Decimal128("-0.1")],
    [Decimal128("-1E-6176")],
    [0, Int64(0), 0.0, -0.0, Decimal128("0"), Decimal128("-0E-10")],
    [Decimal128("1E-6176")],
    [5e-324],
    [Decimal128("0.1")],
    [0.1],
    [1, Int64(1), 1.0, Decimal128("1"), Decimal128("1.0"), Decimal128("10E-1")],
    [1.5, Decimal128("1.5")],
    [2**53 - 1, Decimal128("9007199254740991")],
    [2**53, 2.0**53],
    [2**53 + 1, Int64(2**53 + 1), Decimal128("9007199254740993")],
    [Decimal128("9007199254740993.5")],
    [2**53 + 2, 2.0**53 + 2],
    [Int64(2**63 - 1)],
    [2.0**63],
    [1.7976931348623157e308],
    [Decimal128("9E+6144")],
    [float("inf"), Decimal128("Infinity")],
]
"""Each row holds equal numbers. -0.1 as a double lies below the decimal one."""


def test_numbers() -> None:
    rows = [{keys.encode_value(number) for number in row} for row in ASCENDING]
    assert all(len(row) == 1 for row in rows)
    ordered = [row.pop() for row in rows]
    wrong = [ASCENDING[at] for at in range(1, len(ordered)) if ordered[at - 1] >= ordered[at]]
    assert not wrong


@pytest.mark.parametrize("number", [0, 1, -1, 1.5, Int64(2**53), 5e-324, float("inf"), Decimal128("0.5")])
def test_what_a_double_holds_takes_ten_bytes(number: Any) -> None:
    assert len(keys.encode_value(number)) == 10


def test_no_number_is_long() -> None:
    assert len(keys.encode_value(Decimal128("-1.234567890123456789012345678901234E-17"))) == 10 + 2 + 17 + 1


@pytest.mark.parametrize(
    ("less", "more"),
    [
        ("a", "a\0"),
        ("a\0", "a\1"),
        ("Z", "a"),
        ("\uffff", "\U0001f600"),
        ({}, {"a": 1}),
        ({"a": 1}, {"a": 1, "b": None}),
        ({"b": 1}, {"a": "x"}),
        ({"a": 2}, {"b": 1}),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
        ([], [None]),
        ([1, 2], [1, 2, None]),
        ([2], ["1"]),
        ([9], [[]]),
        (b"zz", b"aaa"),
        (False, True),
    ],
)
def test_order_within_types(less: Any, more: Any) -> None:
    assert compare(less, more) == -1
    assert compare(more, less) == 1


def test_true_is_not_one() -> None:
    assert compare(1, True) == compare([1], [True]) == compare({"a": 0}, {"a": False}) == -1


def test_successor() -> None:
    assert keys.successor(b"a\xff\xff") == b"b"
    assert keys.successor(b"ab") == b"ac"
    assert keys.successor(b"\xff\xff") is None


def test_other_types_are_our_fault() -> None:
    with pytest.raises(KeyError):
        keys.encode_value({1})
