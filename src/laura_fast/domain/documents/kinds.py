"""Kinds of values by their Python type, as `codec` decodes them, and what BSON calls them; the value that is none."""

from __future__ import annotations

from typing import Any, Final

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


class Missing:
    """The type of `MISSING`: a field that is not there, which is not the same as null."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "MISSING"


MISSING: Final = Missing()

INT32_MIN: Final = -(2**31)
INT32_MAX: Final = 2**31 - 1
INT64_MIN: Final = -(2**63)
INT64_MAX: Final = 2**63 - 1

NUMBERS: Final = frozenset({int, Int64, float, Decimal128})
"""Types of numbers. An `int` is an int32; `bool` is none of them, though Python says so."""

INTEGERS: Final = frozenset({int, Int64})

_NAMES: Final[dict[type, str]] = {
    Missing: "missing",
    type(None): "null",
    bool: "bool",
    int: "int",
    Int64: "long",
    float: "double",
    Decimal128: "decimal",
    str: "string",
    dict: "object",
    list: "array",
    bytes: "binData",
    Binary: "binData",
    ObjectId: "objectId",
    DatetimeMS: "date",
    Timestamp: "timestamp",
    Regex: "regex",
    Code: "javascript",
    MinKey: "minKey",
    MaxKey: "maxKey",
}


def type_name(value: Any) -> str:
    """The type as `$type` calls it; "missing" for `MISSING`."""
    kind = type(value)
    if kind is int and not INT32_MIN <= value <= INT32_MAX:
        return "long"
    return _NAMES.get(kind, "object")
