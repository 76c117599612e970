"""Values as bytes that sort like the values: MongoDB's total order, for indexes, ranges, chunks and merges.

====================  ============================================================================================
value                 encoding
====================  ============================================================================================
MinKey, null, MaxKey  tag
NaN                   tag (the lowest number)
number ≥ 0            tag, the magnitude rounded toward zero to a double (8 bytes), 0 where that is exact; else 1,
                      decimal exponent (2 bytes), pairs of decimal digits each + 1, 0
number < 0            another tag, the rest as for its magnitude, inverted
string                tag, UTF-8 with each zero byte followed by FF, 00 01
document              tag, per field: tag of the value's bracket, name as a string, value; 00
array                 tag, elements, 00
binary                tag, length (4 bytes), subtype, bytes
ObjectId, bool        tag, 12 bytes; tag, 0 or 1
datetime, timestamp   tag, 8 bytes
regex, code           tag, strings, and the scope of a code that has one
====================  ============================================================================================

Invariants:
    1. Two keys compare as their values do (MongoDB manual, "Comparison/Sort Order"); equal values, equal keys.
    2. No key is a prefix of another one, so keys concatenate, and an inverted key sorts the other way.
    3. Numbers are exact: 1, 1.0 and Decimal128("1.00") are one key, 2^53 and 2^53 + 1 are two.
"""

from __future__ import annotations

import math
import re
from decimal import Decimal
from struct import Struct
from typing import TYPE_CHECKING, Any, Final

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

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

_MIN_KEY: Final = 0x10
_NULL: Final = 0x20
_NAN, _NEGATIVE, _POSITIVE = 0x30, 0x31, 0x32
_STRING: Final = 0x40
_DOCUMENT: Final = 0x50
_ARRAY: Final = 0x60
_BINARY: Final = 0x70
_OBJECT_ID: Final = 0x80
_BOOL: Final = 0x90
_DATETIME: Final = 0xA0
_TIMESTAMP: Final = 0xB0
_REGEX: Final = 0xC0
_CODE: Final = 0xD0
_CODE_WITH_SCOPE: Final = 0xE0
_MAX_KEY: Final = 0xF0

_BRACKET: Final = 0xF0
"""Half of a tag that tells the bracket: values compare by it first."""

_TAGS: Final = [bytes([tag]) for tag in range(256)]
EMPTY_ARRAY: Final = b"\x1f"
"""The key under which indexes and sorts keep a field that is an empty array: above MinKey, below null, and no value's
(MongoDB has `undefined` there)."""

_END: Final = b"\0"
_STRING_END: Final = b"\0\1"
_INVERTED: Final = bytes(range(255, -1, -1))
_EXACT, _INEXACT = 0, 1
_EXACT_INTEGERS: Final = 2**53
"""Up to this magnitude every integer is a double."""

_pack_number: Final = Struct(">BdB").pack
_pack_datetime: Final = Struct(">BQ").pack
_pack_timestamp: Final = Struct(">BII").pack
_pack_binary: Final = Struct(">BIB").pack
_pack_exponent: Final = Struct(">H").pack


def encode_value(value: Any) -> bytes:
    """The key of a value. A missing field has the key of None.

    Raises:
        KeyError: Not a value of a decoded document.
    """
    return _ENCODERS[type(value)](value)


def encode_compound(values: Iterable[Any], descending: Sequence[bool]) -> bytes:
    """The key of several values together; those with `descending` sort the other way."""
    return b"".join(
        [
            encode_value(value).translate(_INVERTED) if inverted else encode_value(value)
            for value, inverted in zip(values, descending, strict=True)
        ]
    )


def invert(key: bytes) -> bytes:
    """The key in descending order; its own inverse."""
    return key.translate(_INVERTED)


def bracket(value: Any) -> tuple[bytes, bytes]:
    """Bounds of the keys of all values of the same kind: the first inclusive, the second exclusive."""
    tag = encode_value(value)[0] & _BRACKET
    return _TAGS[tag], _TAGS[tag | 0x0F]


def successor(prefix: bytes) -> bytes | None:
    """The least key above all that begin with `prefix`; None where there is no such key."""
    stripped = prefix.rstrip(b"\xff")
    return stripped[:-1] + bytes([stripped[-1] + 1]) if stripped else None


def encode_string_prefix(prefix: str) -> bytes:
    """What the keys of all strings that begin with `prefix` begin with, and no other keys do."""
    return b"\x40" + prefix.encode().replace(b"\0", b"\0\xff")


def regex_options(value: Regex[Any]) -> str:
    """The options of a regex as BSON spells them: letters in alphabetical order."""
    return "".join([letter for letter, flag in _REGEX_OPTIONS if value.flags & flag])


def _double(number: float) -> bytes:
    if number > 0:
        return _pack_number(_POSITIVE, number, _EXACT)
    if number < 0:
        return _pack_number(0xFF - _NEGATIVE, -number, _EXACT).translate(_INVERTED)
    return _ZERO if number == 0 else _NAN_KEY


def _integer(number: int) -> bytes:
    if 0 <= number <= _EXACT_INTEGERS:
        return _pack_number(_POSITIVE, number, _EXACT)
    if -_EXACT_INTEGERS <= number <= _EXACT_INTEGERS:
        return _double(number)
    nearest = float(number)
    return _double(nearest) if int(nearest) == number else _inexact(Decimal(number))


def _decimal128(value: Decimal128) -> bytes:
    number = value.to_decimal()
    if number.is_nan():
        return _NAN_KEY
    nearest = float(number)
    return _double(nearest) if Decimal(nearest) == number else _inexact(number)


def _inexact(number: Decimal) -> bytes:
    """A number that is no double. Nothing here may round: `abs` and `normalize` of a Decimal would."""
    magnitude = number.copy_abs()
    below = float(magnitude)
    if Decimal(below) > magnitude:
        below = math.nextafter(below, 0.0)
    digits = "".join(map(str, magnitude.as_tuple().digits)).lstrip("0").rstrip("0")
    pairs = bytes(int(digits[at : at + 2].ljust(2, "0")) + 1 for at in range(0, len(digits), 2))
    tail = _pack_exponent(magnitude.adjusted() + 0x8000) + pairs + _END
    if number > 0:
        return _pack_number(_POSITIVE, below, _INEXACT) + tail
    return (_pack_number(0xFF - _NEGATIVE, below, _INEXACT) + tail).translate(_INVERTED)


def _text(value: str) -> bytes:
    return value.encode().replace(b"\0", b"\0\xff") + _STRING_END


def _string(value: str) -> bytes:
    return b"\x40" + value.encode().replace(b"\0", b"\0\xff") + _STRING_END


def _document(value: Mapping[str, Any]) -> bytes:
    """Fields compare by bracket, then name, then value (MongoDB manual, "Comparison/Sort Order", Objects)."""
    pieces = [_TAGS[_DOCUMENT]]
    for name, inner in value.items():
        key = _ENCODERS[type(inner)](inner)
        pieces += (_TAGS[key[0] & _BRACKET], _text(name), key)
    pieces.append(_END)
    return b"".join(pieces)


def _array(value: list[Any]) -> bytes:
    return b"".join([_TAGS[_ARRAY], *[_ENCODERS[type(inner)](inner) for inner in value], _END])


def _binary(value: bytes) -> bytes:
    """Length, then subtype, then content, as MongoDB compares binary data."""
    subtype = value.subtype if type(value) is Binary else 0
    return _pack_binary(_BINARY, len(value), subtype) + value


def _object_id(value: ObjectId) -> bytes:
    return b"\x80" + value.binary


def _datetime(value: DatetimeMS) -> bytes:
    return _pack_datetime(_DATETIME, int(value) + 2**63)


def _timestamp(value: Timestamp) -> bytes:
    return _pack_timestamp(_TIMESTAMP, value.time, value.inc)


def _regex(value: Regex[str]) -> bytes:
    return _TAGS[_REGEX] + _text(value.pattern) + _text(regex_options(value))


def _code(value: Code) -> bytes:
    if value.scope is None:
        return _TAGS[_CODE] + _text(value)
    return _TAGS[_CODE_WITH_SCOPE] + _text(value) + encode_value(value.scope)


_NAN_KEY: Final = _TAGS[_NAN]
_ZERO: Final = _pack_number(_POSITIVE, 0.0, _EXACT)
_FALSE, _TRUE = bytes([_BOOL, 0]), bytes([_BOOL, 1])
_REGEX_OPTIONS: Final = tuple(
    zip("ilmsux", (re.IGNORECASE, re.LOCALE, re.MULTILINE, re.DOTALL, re.UNICODE, re.VERBOSE), strict=True)
)
_ENCODERS: Final[dict[type, Callable[[Any], bytes]]] = {
    MinKey: lambda _value: _TAGS[_MIN_KEY],
    type(None): lambda _value: _TAGS[_NULL],
    int: _integer,
    Int64: _integer,
    float: _double,
    Decimal128: _decimal128,
    str: _string,
    dict: _document,
    list: _array,
    bytes: _binary,
    Binary: _binary,
    ObjectId: _object_id,
    bool: lambda value: _TRUE if value else _FALSE,
    DatetimeMS: _datetime,
    Timestamp: _timestamp,
    Regex: _regex,
    Code: _code,
    MaxKey: lambda _value: _TAGS[_MAX_KEY],
}
