"""Keys of values against a comparison that knows nothing of keys: fractions, and MongoDB's rules written out."""

from __future__ import annotations

import functools
from decimal import Decimal
from fractions import Fraction
from itertools import product, zip_longest
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
from hypothesis import given
from hypothesis import strategies as st

from laura_fast.domain.documents import codec, keys, order
from tests.properties.documents import DOCUMENTS, NUMBERS, TEXT, VALUES

RANKS: Final[list[tuple[type, ...]]] = [
    (MinKey,),
    (type(None),),
    (int, Int64, float, Decimal128),
    (str,),
    (dict,),
    (list,),
    (bytes, Binary),
    (ObjectId,),
    (bool,),
    (DatetimeMS,),
    (Timestamp,),
    (Regex,),
    (Code,),
    (MaxKey,),
]
"""Types in their order; a code with scope comes between code and MaxKey."""


def rank(value: Any) -> float:
    scope = type(value) is Code and value.scope is not None
    return next(index for index, types in enumerate(RANKS) if type(value) in types) + 0.5 * scope


def sign(left: Any, right: Any) -> int:
    return int(left > right) - int(left < right)


def reference(left: Any, right: Any) -> int:
    """How values compare by the manual, "Comparison/Sort Order"."""
    if by_type := sign(rank(left), rank(right)):
        return by_type
    if isinstance(left, dict | list):
        return _fields(_pairs(left), _pairs(right))
    return sign(plain(left), plain(right))


def _pairs(value: Any) -> list[tuple[str, Any]]:
    return list(value.items()) if isinstance(value, dict) else [("", each) for each in value]


def _fields(left: list[tuple[str, Any]], right: list[tuple[str, Any]]) -> int:
    for mine, other in zip_longest(left, right):
        if mine is None or other is None:
            return 1 if other is None else -1
        by_name = sign(rank(mine[1]), rank(other[1])) or sign(mine[0].encode(), other[0].encode())
        if found := by_name or reference(mine[1], other[1]):
            return found
    return 0


def plain(value: Any) -> Any:  # noqa: PLR0911 - one line per type
    """A Python value that sorts like a value among those of its type."""
    if rank(value) == 2:
        return number(value.to_decimal() if isinstance(value, Decimal128) else value)
    if isinstance(value, Code):
        return str(value).encode(), [] if value.scope is None else [*map(str, value.scope.items())]
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, bytes):
        return len(value), getattr(value, "subtype", 0), bytes(value)
    if isinstance(value, DatetimeMS):
        return int(value)
    if isinstance(value, Timestamp):
        return value.time, value.inc
    if isinstance(value, Regex):
        return value.pattern.encode(), keys.regex_options(value)
    return 0 if isinstance(value, MinKey | MaxKey | None) else value


def number(value: Any) -> tuple[int, Fraction]:
    exact = value if isinstance(value, Decimal) else Decimal(value)  # `math` would make a double of it: 1E+309 is none
    if exact.is_nan():
        return 0, Fraction(0)
    if exact.is_infinite():
        return (3 if exact > 0 else 1), Fraction(0)
    return 2, Fraction(exact)


@given(VALUES, VALUES)
def test_keys_sort_like_values(left: Any, right: Any) -> None:
    expected = reference(left, right)
    assert sign(keys.encode_value(left), keys.encode_value(right)) == expected
    assert order.compare(left, right) == expected
    assert order.equal(left, right) == (expected == 0)


@given(NUMBERS, NUMBERS)
def test_numbers_are_exact(left: Any, right: Any) -> None:
    assert sign(keys.encode_value(left), keys.encode_value(right)) == reference(left, right)


@given(st.lists(VALUES, min_size=2, max_size=20))
def test_the_order_is_total(values: list[Any]) -> None:
    by_reference = sorted(values, key=functools.cmp_to_key(reference))
    by_key = sorted(values, key=keys.encode_value)
    assert [keys.encode_value(value) for value in by_key] == [keys.encode_value(value) for value in by_reference]


@given(st.lists(st.tuples(VALUES, VALUES, st.booleans()), min_size=1, max_size=4))
def test_compound_keys_sort_field_by_field(fields: list[tuple[Any, Any, bool]]) -> None:
    """Which they can only if no key is a prefix of another one, in either direction."""
    left, right, descending = zip(*fields, strict=True)
    each = (-reference(a, b) if down else reference(a, b) for a, b, down in fields)
    expected = next(filter(None, each), 0)
    assert sign(keys.encode_compound(left, descending), keys.encode_compound(right, descending)) == expected


@given(VALUES, VALUES)
def test_brackets_hold_their_type_alone(value: Any, other: Any) -> None:
    low, high = keys.bracket(value)
    assert low <= keys.encode_value(value) < high
    assert (low <= keys.encode_value(other) < high) == (rank(value) == rank(other))


@given(TEXT, TEXT)
def test_string_prefixes(prefix: str, text: str) -> None:
    low = keys.encode_string_prefix(prefix)
    high = keys.successor(low)
    assert high is not None
    assert (low <= keys.encode_value(text) < high) == text.startswith(prefix)


@given(DOCUMENTS)
def test_documents_survive_the_codec(document: dict[str, Any]) -> None:
    """Types and field order included, which equal keys alone would not show."""
    data = codec.encode(document)
    assert codec.encode(codec.decode(data)) == data
    assert repr(codec.decode(data)) == repr(codec.decode_stored(data))
    assert keys.encode_value(codec.decode(data)) == keys.encode_value(document)


def test_code_sorts_between_regex_and_max_key() -> None:
    ascending = [
        Regex("z"),
        Code(""),
        Code("a"),
        Code("a\0"),
        Code("", {}),
        Code("", {"x": 1}),
        Code("a", {}),
        MaxKey(),
    ]
    for left, right in product(ascending, ascending):
        assert (
            order.compare(left, right) == reference(left, right) == sign(ascending.index(left), ascending.index(right))
        )


@pytest.mark.parametrize("value", [bytes(3), "\uffff", 2**53 + 1, {"a": [None]}])
def test_inverting_twice_changes_nothing(value: Any) -> None:
    key = keys.encode_value(value)
    assert keys.invert(key) != key
    assert keys.invert(keys.invert(key)) == key
