"""The operators on one field: each checks its operand and gives its nodes of the tree."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from bson.decimal128 import Decimal128
from bson.regex import Regex

from laura_fast.domain.documents.filters.faults import fault
from laura_fast.domain.documents.filters.tree import (
    All,
    And,
    Compare,
    ElementMatch,
    Exists,
    In,
    Matches,
    Mod,
    Node,
    Not,
    Operator,
    Size,
    TypeIs,
)
from laura_fast.domain.documents.kinds import INT64_MAX, INT64_MIN, NUMBERS
from laura_fast.limits import queries as limits

if TYPE_CHECKING:
    from collections.abc import Callable

    from laura_fast.domain.documents.filters.parsing import Parser

    Condition: TypeAlias = Callable[[Parser, str, str, Any, Mapping[str, Any]], list[Node]]
    """Parser, path, the operator's name, its operand, and all operators beside it."""

TYPE_NUMBERS: Final[dict[str, int]] = {
    "double": 1,
    "string": 2,
    "object": 3,
    "array": 4,
    "binData": 5,
    "undefined": 6,
    "objectId": 7,
    "bool": 8,
    "date": 9,
    "null": 10,
    "regex": 11,
    "dbPointer": 12,
    "javascript": 13,
    "symbol": 14,
    "javascriptWithScope": 15,
    "int": 16,
    "timestamp": 17,
    "long": 18,
    "decimal": 19,
    "minKey": -1,
    "maxKey": 127,
}
"""What `$type` takes (MongoDB manual, "$type"), deprecated types included, which no value here has."""

_NUMBER_TYPES: Final = frozenset({1, 16, 18, 19})
_MOD_OPERANDS: Final = 2


def holds_operators(operand: Any) -> bool:
    """Whether a document means operators; one with `$ref` and `$id` is a value, a reference to a document."""
    return (
        isinstance(operand, Mapping)
        and next(iter(operand), "").startswith("$")
        and not ("$ref" in operand and "$id" in operand)
    )


def _compare(_parser: Parser, path: str, name: str, operand: Any, _beside: Mapping[str, Any]) -> list[Node]:
    if type(operand) is Regex and name != Operator.EQ:
        raise fault(name, "can't take a regular expression")
    return [Compare(path, Operator(name), operand)]


def _not_equal(_parser: Parser, path: str, name: str, operand: Any, _beside: Mapping[str, Any]) -> list[Node]:
    if type(operand) is Regex:
        raise fault(name, "can't take a regular expression; $not can")
    return [Not(Compare(path, Operator.EQ, operand))]


def _in(parser: Parser, path: str, name: str, operand: Any, _beside: Mapping[str, Any]) -> list[Node]:
    wanted = _listed(name, operand)
    if any(map(holds_operators, wanted)):
        raise fault(name, "can't take operators")
    patterns = tuple(parser.pattern_value(value) for value in wanted if type(value) is Regex)
    return [In(path, tuple(value for value in wanted if type(value) is not Regex), patterns)]


def _not_in(parser: Parser, path: str, name: str, operand: Any, beside: Mapping[str, Any]) -> list[Node]:
    return [Not(node) for node in _in(parser, path, name, operand, beside)]


def _exists(_parser: Parser, path: str, _name: str, operand: Any, _beside: Mapping[str, Any]) -> list[Node]:
    return [Exists(path, _truth(operand))]


def _regex(parser: Parser, path: str, name: str, operand: Any, beside: Mapping[str, Any]) -> list[Node]:
    options = beside.get("$options", "")
    if type(options) is not str:
        raise fault("$options", "needs a string")
    if type(operand) is str:
        return [Matches(path, parser.pattern(operand, options))]
    if type(operand) is not Regex:
        raise fault(name, "needs a string or a regular expression")
    if operand.flags and options:
        raise fault("$options", "is set, and the regular expression has options, too")
    pattern = parser.pattern(operand.pattern, options) if options else parser.pattern_value(operand)
    return [Matches(path, pattern)]


def _options(_parser: Parser, _path: str, name: str, _operand: Any, beside: Mapping[str, Any]) -> list[Node]:
    if "$regex" not in beside:
        raise fault(name, "needs a $regex")
    return []


def _size(_parser: Parser, path: str, name: str, operand: Any, _beside: Mapping[str, Any]) -> list[Node]:
    count = _whole(operand)
    if count is None or count < 0:
        raise fault(name, "needs a whole number of at least 0")
    return [Size(path, count)]


def _all(parser: Parser, path: str, name: str, operand: Any, _beside: Mapping[str, Any]) -> list[Node]:
    wanted = _listed(name, operand)
    return [All(path, tuple(parser.counted(_one_of_all(parser, path, name, each)) for each in wanted))]


def _one_of_all(parser: Parser, path: str, name: str, wanted: Any) -> Node:
    if type(wanted) is Regex:
        return Matches(path, parser.pattern_value(wanted))
    if not holds_operators(wanted):
        return Compare(path, Operator.EQ, wanted)
    if list(wanted) != ["$elemMatch"]:
        raise fault(name, "can't take operators other than $elemMatch")
    return _element_match(parser, path, "$elemMatch", wanted["$elemMatch"], wanted)[0]


def _element_match(parser: Parser, path: str, name: str, operand: Any, _beside: Mapping[str, Any]) -> list[Node]:
    if not isinstance(operand, Mapping):
        raise fault(name, "needs a document")
    if holds_operators(operand) and next(iter(operand)) not in _BETWEEN_FIELDS:
        return [ElementMatch(path, And(tuple(parser.operators("", operand))), of_values=True)]
    return [ElementMatch(path, parser.query(operand, name, of_elements=True), of_values=False)]


def _mod(_parser: Parser, path: str, name: str, operand: Any, _beside: Mapping[str, Any]) -> list[Node]:
    if not isinstance(operand, list) or len(operand) != _MOD_OPERANDS:
        raise fault(name, "needs a list of divisor and remainder")
    divisor, remainder = map(truncated, operand)
    if divisor is None or remainder is None:
        raise fault(name, "needs two numbers of at most 64 bits")
    if divisor == 0:
        raise fault(name, "can't divide by 0")
    return [Mod(path, divisor, remainder)]


def _type(_parser: Parser, path: str, name: str, operand: Any, _beside: Mapping[str, Any]) -> list[Node]:
    wanted = operand if isinstance(operand, list) else [operand]
    if not wanted:
        raise fault(name, "needs at least one type")
    return [TypeIs(path, frozenset[int]().union(*[_types(name, each) for each in wanted]))]


def _not(parser: Parser, path: str, name: str, operand: Any, _beside: Mapping[str, Any]) -> list[Node]:
    if type(operand) is Regex:
        return [Not(Matches(path, parser.pattern_value(operand)))]
    if not holds_operators(operand):
        raise fault(name, "needs a regular expression or a document of operators")
    return [Not(And(tuple(parser.operators(path, operand))))]


def truncated(value: Any) -> int | None:
    """A number without its fraction; None for what is no number or needs more than 64 bits."""
    if type(value) not in NUMBERS:
        return None
    number = value.to_decimal() if type(value) is Decimal128 else Decimal(value)
    return int(number) if number.is_finite() and INT64_MIN <= number <= INT64_MAX else None


def _whole(operand: Any) -> int | None:
    number = truncated(operand)
    exact = operand.to_decimal() if type(operand) is Decimal128 else operand
    return number if number == exact else None


def _truth(operand: Any) -> bool:
    """MongoDB's notion of true: all but false, null and zero."""
    if type(operand) is Decimal128:
        return bool(operand.to_decimal())
    return bool(operand) if type(operand) in NUMBERS or type(operand) is bool else operand is not None


def _types(name: str, wanted: Any) -> frozenset[int]:
    if wanted == "number":
        return _NUMBER_TYPES
    number = TYPE_NUMBERS.get(wanted) if type(wanted) is str else _whole(wanted)
    if number is None or number not in TYPE_NUMBERS.values():
        raise fault(name, f"does not know the type {str(wanted)[:40]!r}")
    return frozenset({number})


def _listed(name: str, operand: Any) -> list[Any]:
    if not isinstance(operand, list):
        raise fault(name, "needs a list")
    if len(operand) > limits.MAX_IN_VALUES:
        raise fault(name, f"has {len(operand):,} values; at most {limits.MAX_IN_VALUES:,} are allowed")
    return operand


_BETWEEN_FIELDS: Final = frozenset({"$and", "$or", "$nor", "$expr", "$comment"})
"""Operators that begin an `$elemMatch` on documents; any other one begins an `$elemMatch` on values."""

CONDITIONS: Final[dict[str, Condition]] = {
    "$eq": _compare,
    "$gt": _compare,
    "$gte": _compare,
    "$lt": _compare,
    "$lte": _compare,
    "$ne": _not_equal,
    "$in": _in,
    "$nin": _not_in,
    "$exists": _exists,
    "$regex": _regex,
    "$options": _options,
    "$size": _size,
    "$all": _all,
    "$elemMatch": _element_match,
    "$mod": _mod,
    "$type": _type,
    "$not": _not,
}
"""Every operator that may stand on a field."""
