"""Examples of keys; `tests/properties/test_document_order.py` holds the order over random values."""

from __future__ import annotations

from typing import Any, Final

import pytest
from bson.binary import Binary
from bson.code import Code
from bson.datetime_ms import DatetimeMS
from bson.decimal128 import Decimal128
from bson.int64 import Int64
from bson.max_key import MaxKey
from bson.min_key import MinKey
from bson.objectid import ObjectId
from bson.regex import Regex
from bson.timestamp import Timestamp

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


STORED: Final[list[tuple[Any, str]]] = [
    (MinKey(), "10"),
    (None, "20"),
    (float("nan"), "30"),
    (float("-inf"), "31800fffffffffffffff"),
    (Decimal128("-0.1"), "31c046666666666666fe8000f4ff"),
    (-1, "31c00fffffffffffffff"),
    (0, "32000000000000000000"),
    (1, "323ff000000000000000"),
    (1.5, "323ff800000000000000"),
    (2**53 + 1, "32434000000000000001800f5b08145d374b0a5e00"),
    (float("inf"), "327ff000000000000000"),
    ("a\0b", "406100ff620001"),
    ({"a": 1, "b": "x"}, "5030610001323ff000000000000000406200014078000100"),
    ([1, "x"], "60323ff0000000000000004078000100"),
    (b"\1\2", "7000000002000102"),
    (Binary(bytes(2), 4), "7000000002040000"),
    (ObjectId("507f1f77bcf86cd799439011"), "80507f1f77bcf86cd799439011"),
    (False, "9000"),
    (True, "9001"),
    (DatetimeMS(-1), "a07fffffffffffffff"),
    (Timestamp(1, 2), "b00000000100000002"),
    (Regex("a", "im"), "c0610001696d0001"),
    (Code("f"), "d0660001"),
    (Code("f", {}), "e06600015000"),
    (MaxKey(), "f0"),
]
"""Disks hold these, and shards route by them: whoever changes one has to migrate every index and every chunk."""


def test_keys_as_they_are_stored() -> None:
    assert [keys.encode_value(value).hex() for value, _ in STORED] == [key for _, key in STORED]


def test_successor() -> None:
    assert keys.successor(b"a\xff\xff") == b"b"
    assert keys.successor(b"ab") == b"ac"
    assert keys.successor(b"\xff\xff") is None


def test_other_types_are_our_fault() -> None:
    with pytest.raises(KeyError):
        keys.encode_value({1})
