"""Which values satisfy a comparison, a regular expression or a `$type`: intervals of one value, arrays aside.

Order comparisons stay within the operand's type bracket (MongoDB manual, "Comparison/Sort Order"). NaN is the lowest
number, but in no order to the others: it is found by equality alone, of which `$gte` and `$lte` have their part.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

from bson.code import Code
from bson.datetime_ms import DatetimeMS
from bson.decimal128 import Decimal128
from bson.max_key import MaxKey
from bson.min_key import MinKey
from bson.objectid import ObjectId
from bson.regex import Regex
from bson.timestamp import Timestamp

from laura_fast.domain.documents.filters.tree import Operator
from laura_fast.domain.documents.keys import bracket, encode_string_prefix, successor
from laura_fast.domain.documents.kinds import NUMBERS, type_name
from laura_fast.domain.documents.planning.intervals import (
    NONE,
    Edge,
    End,
    Interval,
    Intervals,
    after,
    before,
    interval,
    point,
    union,
)

if TYPE_CHECKING:
    from laura_fast.domain.documents.filters.tree import Pattern

NULL: Final = point(None)
NUMBER: Final = Interval(before(-math.inf), after(math.inf))
_NAN: Final = point(math.nan)
_UNORDERED: Final = frozenset({list, MinKey, MaxKey})
"""Operands whose order comparisons cross brackets, or look at arrays as a whole."""

_INCLUSIVE: Final = frozenset({Operator.GTE, Operator.LTE})
_LOWER: Final = frozenset({Operator.GT, Operator.GTE})


def _whole_bracket(example: Any) -> Interval:
    if type(example) in NUMBERS:
        return NUMBER
    low, high = bracket(example)
    name = type_name(example)
    return Interval(End(low, Edge(f"first {name}"), after=False), End(high, Edge(f"last {name}"), after=True))


def ordered(operator: Operator, operand: Any) -> Intervals | None:
    """Values that compare so with the operand; None where keys can't tell."""
    if type(operand) in _UNORDERED:
        return None
    if operand is None or _is_nan(operand):
        return (NULL if operand is None else _NAN,) if operator in _INCLUSIVE else NONE
    whole = _whole_bracket(operand)
    if operator in _LOWER:
        return interval(before(operand) if operator is Operator.GTE else after(operand), whole.high)
    return interval(whole.low, after(operand) if operator is Operator.LTE else before(operand))


def matching(pattern: Pattern) -> Intervals:
    """Strings that may match, and the regex value itself, which is equal."""
    itself = point(Regex(pattern.source, pattern.options))
    return union([_beginning(pattern.prefix) if pattern.prefix else _STRINGS, itself])


def of_types(types: frozenset[int]) -> Intervals | None:
    """Values of those types, and others that share a bracket with them; None where keys can't tell."""
    if not types <= _BRACKETS.keys():
        return None
    return union({_BRACKETS[number] for number in types})


def _beginning(prefix: str) -> Interval:
    low = encode_string_prefix(prefix)
    high = successor(low)
    assert high is not None, "the tag of a string has a successor"  # noqa: S101 - invariant, kept on
    return Interval(End(low, prefix, after=False), End(high, Edge(f"{prefix!r}…"), after=False))


def _is_nan(value: Any) -> bool:
    if type(value) is Decimal128:
        return value.to_decimal().is_nan()
    return type(value) is float and value != value  # noqa: PLR0124 - only NaN differs from itself


_STRINGS: Final = _whole_bracket("")
_ANY_NUMBER: Final = Interval(_NAN.low, NUMBER.high)
_BRACKETS: Final[dict[int, Interval]] = {
    1: _ANY_NUMBER,
    2: _STRINGS,
    3: _whole_bracket({}),
    5: _whole_bracket(b""),
    7: _whole_bracket(ObjectId(b"\0" * 12)),
    8: _whole_bracket(True),
    9: _whole_bracket(DatetimeMS(0)),
    10: NULL,
    11: _whole_bracket(Regex("")),
    13: _whole_bracket(Code("")),
    15: _whole_bracket(Code("", {})),
    16: _ANY_NUMBER,
    17: _whole_bracket(Timestamp(0, 0)),
    18: _ANY_NUMBER,
    19: _ANY_NUMBER,
    -1: point(MinKey()),
    127: point(MaxKey()),
}
"""By the type's number in BSON. Not 4: of an array the elements are indexed, not itself."""

EXACT_TYPES: Final = frozenset({2, 3, 7, 8, 9, 17})
"""Types that share their bracket with no other."""
