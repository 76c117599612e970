"""Operators on a field's value, whatever its type: each is made for one path and one operand, checked here, once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bson.datetime_ms import DatetimeMS

from laura_fast.domain.documents.keys import encode_value
from laura_fast.domain.documents.kinds import INTEGERS, MISSING, NUMBERS, type_name
from laura_fast.domain.documents.order import compare
from laura_fast.domain.documents.updates.arithmetic import BITWISE, add, bitwise, multiply
from laura_fast.domain.documents.updates.faults import invalid, refused
from laura_fast.domain.documents.updates.identity import is_same, same_as
from laura_fast.domain.documents.updates.tree import Leaf

if TYPE_CHECKING:
    from collections.abc import Callable

    from laura_fast.domain.documents.updates.tree import Run


def set_value(operator: str, path: str, operand: Any) -> Leaf:
    """`$set`, `$setOnInsert`: the operand itself, unless an identical value is there."""
    same = _same_id(operand) if path == "_id" else same_as(operand)
    return Leaf(operator, path, lambda old, _run: old if same(old) else operand)


def unset(operator: str, path: str, _operand: Any) -> Leaf:
    """`$unset`: no field; the operand does not matter."""
    return Leaf(operator, path, lambda _old, _run: MISSING, undemanding=True)


def increment(operator: str, path: str, operand: Any) -> Leaf:
    """`$inc`: the sum; the operand where there is nothing."""
    return _arithmetic(operator, path, operand, add, operand)


def product(operator: str, path: str, operand: Any) -> Leaf:
    """`$mul`: the product; a zero of the operand's type where there is nothing."""
    _check_number(operator, path, operand, NUMBERS)
    return _arithmetic(operator, path, operand, multiply, multiply(0, operand))


def minimum(operator: str, path: str, operand: Any) -> Leaf:
    """`$min`: the smaller one in the order of all types; the operand where there is nothing."""
    return Leaf(operator, path, lambda old, _run: operand if old is MISSING or compare(operand, old) < 0 else old)


def maximum(operator: str, path: str, operand: Any) -> Leaf:
    """`$max`: the greater one in the order of all types; the operand where there is nothing."""
    return Leaf(operator, path, lambda old, _run: operand if old is MISSING or compare(operand, old) > 0 else old)


def current_date(operator: str, path: str, operand: Any) -> Leaf:
    """`$currentDate`: any bool or `{$type: "date"}` for a date, `{$type: "timestamp"}` for a timestamp."""
    if operand == {"$type": "timestamp"}:
        return Leaf(operator, path, lambda _old, run: run.timestamp)
    if isinstance(operand, bool) or operand == {"$type": "date"}:
        return Leaf(operator, path, lambda old, run: _unless_same(old, DatetimeMS(run.now_ms)))
    raise invalid(f'{operator} of {path!r} takes true, {{$type: "date"}} or {{$type: "timestamp"}}')


def bit(operator: str, path: str, operand: Any) -> Leaf:
    """`$bit`: integers combined bit by bit, in the operand's order; what is not there counts as int32 zero."""
    if not isinstance(operand, dict) or not operand:
        raise invalid(f"{operator} of {path!r} takes a document with and, or, xor")
    for name, mask in operand.items():
        if name not in BITWISE:
            raise invalid(f"{operator} of {path!r} knows and, or, xor, but not {name!r}")
        _check_number(operator, path, mask, INTEGERS)
    steps = tuple(operand.items())

    def apply(old: Any, _run: Run) -> Any:
        new = _operable(operator, path, old, INTEGERS, 0)
        for name, mask in steps:
            new = bitwise(name, new, mask)
        return _unless_same(old, new)

    return Leaf(operator, path, apply)


def _arithmetic(operator: str, path: str, operand: Any, combine: Callable[[Any, Any], Any], missing: Any) -> Leaf:
    _check_number(operator, path, operand, NUMBERS)

    def apply(old: Any, _run: Run) -> Any:
        if old is MISSING:
            return missing
        try:
            new = combine(_operable(operator, path, old, NUMBERS, missing), operand)
        except OverflowError as error:
            raise refused(f"{operator} of {path!r}: {error}") from None
        return _unless_same(old, new)

    return Leaf(operator, path, apply)


def _check_number(operator: str, path: str, operand: Any, kinds: frozenset[type]) -> None:
    if type(operand) not in kinds:
        wanted = "an integer" if kinds is INTEGERS else "a number"
        raise invalid(f"{operator} of {path!r} needs {wanted}, not a value of type {type_name(operand)}")


def _operable(operator: str, path: str, old: Any, kinds: frozenset[type], missing: Any) -> Any:
    if old is MISSING:
        return missing
    if type(old) not in kinds:
        raise refused(f"{operator} of {path!r}: there is a value of type {type_name(old)}")
    return old


def _unless_same(old: Any, new: Any) -> Any:
    return old if is_same(old, new) else new


def _same_id(operand: Any) -> Callable[[Any], bool]:
    """An `_id` that compares equal stays as it is, so that it can be given again as 1.0 where it is 1."""
    key = encode_value(operand)
    return lambda old: old is not MISSING and encode_value(old) == key
