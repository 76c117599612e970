"""Tests of one value, as an element or as a whole: the leaves of a filter.

A test gets any value of a document, or `MISSING`. It never looks into an array: see `matching` for that.
"""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any, Final

from bson.binary import Binary
from bson.code import Code
from bson.decimal128 import Decimal128
from bson.int64 import Int64
from bson.max_key import MaxKey
from bson.min_key import MinKey
from bson.regex import Regex

from laura_fast.domain.documents.filters.conditions import TYPE_NUMBERS, truncated
from laura_fast.domain.documents.filters.patterns import searcher
from laura_fast.domain.documents.filters.tree import Operator
from laura_fast.domain.documents.keys import encode_value, regex_options
from laura_fast.domain.documents.kinds import MISSING, NUMBERS, type_name

if TYPE_CHECKING:
    from collections.abc import Callable

    from laura_fast.domain.documents.filters.tree import Compare, In, Mod, Pattern, TypeIs
    from laura_fast.domain.documents.paths import Test

_NATIVE_NUMBERS: Final = frozenset({int, Int64, float})
"""Numbers that Python compares exactly with each other, whatever the pair."""

_BINARY: Final = frozenset({bytes, Binary})
_NAN_KEY: Final = encode_value(float("nan"))
_OPERATIONS: Final[dict[Operator, Callable[[Any, Any], bool]]] = {
    Operator.EQ: operator.eq,
    Operator.GT: operator.gt,
    Operator.GTE: operator.ge,
    Operator.LT: operator.lt,
    Operator.LTE: operator.le,
}
_INCLUSIVE: Final = frozenset({Operator.EQ, Operator.GTE, Operator.LTE})


def never(_value: Any) -> bool:
    """Holds for nothing."""
    return False


def compare(node: Compare) -> Test:
    """A comparison within the operand's bracket, by the cheapest way that its type allows."""
    kind, operand = type(node.operand), node.operand
    if (special := _special(node)) is not None:
        return special
    if node.operator is Operator.EQ:
        return _equal(operand)
    if kind in _NATIVE_NUMBERS:
        return _compared_number(operand, _OPERATIONS[node.operator])
    if kind is str:
        return _compared_natively(kind, operand, _OPERATIONS[node.operator])
    return _compared_key(_comparable(kind), encode_value(operand), _OPERATIONS[node.operator])


def _special(node: Compare) -> Test | None:
    """Operands with rules of their own: null equals missing, MinKey and MaxKey know no brackets, NaN knows no order."""
    kind, operand = type(node.operand), node.operand
    if operand is None:
        return _is_null if node.operator in _INCLUSIVE else never
    if kind is MinKey or kind is MaxKey:
        return _beyond_all(node.operator, kind)
    if kind in NUMBERS and encode_value(operand) == _NAN_KEY:
        return _same_key(NUMBERS, _NAN_KEY) if node.operator in _INCLUSIVE else never
    return None


def _is_null(value: Any) -> bool:
    return value is None or value is MISSING


def _beyond_all(wanted: Operator, kind: type) -> Test:
    """MinKey and MaxKey compare with all types, a missing field included."""
    if wanted is Operator.EQ:
        return lambda value: type(value) is kind
    if (wanted in {Operator.GT, Operator.GTE}) == (kind is MinKey):
        return (lambda _value: True) if wanted in _INCLUSIVE else lambda value: type(value) is not kind
    return (lambda value: type(value) is kind) if wanted in _INCLUSIVE else never


def _equal(operand: Any) -> Test:
    kind = type(operand)
    if kind is str:
        return lambda value: value == operand  # a Code with the same text says that it is not equal
    if kind is bool:
        return lambda value: value is operand
    if kind in _NATIVE_NUMBERS:
        return _equal_number(operand)
    return _same_key(_comparable(kind), encode_value(operand))


def _equal_number(operand: float) -> Test:
    key = encode_value(operand)

    def test(value: Any) -> bool:
        if value == operand:
            return type(value) is not bool
        return type(value) is Decimal128 and encode_value(value) == key

    return test


def _same_key(kinds: frozenset[type], key: bytes) -> Test:
    return lambda value: type(value) in kinds and encode_value(value) == key


def _comparable(kind: type) -> frozenset[type]:
    """The types of a bracket; keys of `Code` tell further whether it has a scope."""
    return NUMBERS if kind in NUMBERS else _BINARY if kind in _BINARY else frozenset({kind})


def _compared_natively(kind: type, operand: Any, compared: Callable[[Any, Any], bool]) -> Test:
    return lambda value: type(value) is kind and compared(value, operand)


def _compared_number(operand: float, compared: Callable[[Any, Any], bool]) -> Test:
    by_key = _compared_key(NUMBERS, encode_value(operand), compared)

    def test(value: Any) -> bool:
        kind = type(value)
        if kind in _NATIVE_NUMBERS:
            return compared(value, operand)
        return kind is Decimal128 and by_key(value)

    return test


def _compared_key(kinds: frozenset[type], key: bytes, compared: Callable[[Any, Any], bool]) -> Test:
    """By key: any type, but slowly. NaN compares with NaN alone, though its key is the lowest number's."""

    def test(value: Any) -> bool:
        if type(value) not in kinds:
            return False
        own = encode_value(value)
        return compared(own, key) and own != _NAN_KEY and (own[0] ^ key[0]) & 0xF0 == 0

    return test


def contained(node: In) -> Test:
    """One of the values by a set look-up, or one that a pattern matches."""
    strings = frozenset(value for value in node.values if type(value) is str)
    numbers = frozenset(value for value in node.values if type(value) in _NATIVE_NUMBERS)
    keys = frozenset(map(encode_value, node.values))
    mixed = any(type(value) is Decimal128 for value in node.values)
    patterns = [matched(pattern) for pattern in node.patterns]

    def test(value: Any) -> bool:
        kind = type(value)
        if kind is str:
            found = value in strings
        elif kind in _NATIVE_NUMBERS and value == value:  # noqa: PLR0124 - a NaN is found by its key alone
            found = value in numbers or (mixed and encode_value(value) in keys)
        else:
            found = encode_value(None if value is MISSING else value) in keys
        return found or any(matches(value) for matches in patterns)

    return test


def matched(pattern: Pattern) -> Test:
    """A string that has a match, or the same regex as a value."""
    search = searcher(pattern)
    source, options = pattern.source, pattern.options

    def test(value: Any) -> bool:
        if type(value) is str:
            return search(value)
        return type(value) is Regex and value.pattern == source and regex_options(value) == options

    return test


def remainder(node: Mod) -> Test:
    """Truncating division, so that -5 leaves -2 when divided by 3, as in C."""
    divisor, wanted = abs(node.divisor), node.remainder

    def test(value: Any) -> bool:
        number = truncated(value)
        if number is None:
            return False
        left = abs(number) % divisor
        return (left if number >= 0 else -left) == wanted

    return test


def typed(node: TypeIs) -> Test:
    """A value of one of the types; a missing field is of none."""
    names = frozenset(name for name, number in TYPE_NUMBERS.items() if number in node.types)
    scoped = TYPE_NUMBERS["javascriptWithScope"] in node.types

    def test(value: Any) -> bool:
        if type(value) is Code and value.scope is not None:
            return scoped
        return type_name(value) in names

    return test
