"""`$push`: elements put into an array, which may then be sorted and cut."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

from bson.decimal128 import Decimal128

from laura_fast.domain.documents.expressions.numbers import to_double
from laura_fast.domain.documents.keys import encode_compound, encode_value
from laura_fast.domain.documents.kinds import MISSING, NUMBERS
from laura_fast.domain.documents.paths import is_position
from laura_fast.domain.documents.sorting import compile_sort
from laura_fast.domain.documents.updates.arrays import elements, given_elements
from laura_fast.domain.documents.updates.faults import invalid
from laura_fast.domain.documents.updates.identity import is_same
from laura_fast.domain.documents.updates.tree import Leaf

if TYPE_CHECKING:
    from collections.abc import Callable

    from laura_fast.domain.documents.updates.tree import Run

    Reshape = Callable[[list[Any]], list[Any]]

MODIFIERS: Final = frozenset({"$each", "$position", "$sort", "$slice"})


def push(operator: str, path: str, operand: Any) -> Leaf:
    """`$push`: one value, or those of `$each` at `$position`; then all elements `$sort`ed, then `$slice`d.

    Raises:
        InvalidArgumentError: A modifier is unknown, lacks `$each` or has a value it can't have.
    """
    values = given_elements(operator, path, operand)
    modifiers = _modifiers(operator, path, operand)
    position = _integer(operator, path, modifiers, "$position")
    reshape = _reshaping(operator, path, modifiers)
    if position is None and not reshape:
        return Leaf(operator, path, _appending(operator, path, values), appends=True)

    def apply(old: Any, _run: Run) -> Any:
        array = elements(operator, path, old)
        at = len(array) if position is None else position
        new = [*array[:at], *values, *array[at:]]
        for step in reshape:
            new = step(new)
        return old if is_same(old, new) else new

    return Leaf(operator, path, apply)


def _appending(operator: str, path: str, values: list[Any]) -> Callable[[Any, Run], Any]:
    def apply(old: Any, _run: Run) -> Any:
        array = elements(operator, path, old)
        return [*array, *values] if values or old is MISSING else old

    return apply


def _modifiers(operator: str, path: str, operand: Any) -> dict[str, Any]:
    if not isinstance(operand, dict):
        return {}
    if "$each" not in operand:
        if stray := next(iter(operand.keys() & MODIFIERS), None):
            raise invalid(f"{operator} of {path!r}: {stray} needs $each beside it")
        return {}
    if unknown := next((name for name in operand if name not in MODIFIERS), None):
        raise invalid(f"{operator} of {path!r} has no modifier {unknown!r}")
    return operand


def _integer(operator: str, path: str, modifiers: dict[str, Any], name: str) -> int | None:
    if name not in modifiers:
        return None
    number = modifiers[name]
    if type(number) is Decimal128:
        number = to_double(number)
    if type(number) not in NUMBERS or number != number // 1:
        raise invalid(f"{operator} of {path!r}: {name} takes an integer")
    return int(number)


def _reshaping(operator: str, path: str, modifiers: dict[str, Any]) -> tuple[Reshape, ...]:
    steps: list[Reshape] = []
    if "$sort" in modifiers:
        steps.append(_sorting(operator, path, modifiers["$sort"]))
    count = _integer(operator, path, modifiers, "$slice")
    if count is not None:
        kept = slice(count) if count >= 0 else slice(count, None)
        steps.append(lambda array: array[kept])
    return tuple(steps)


def _sorting(operator: str, path: str, order: Any) -> Reshape:
    if isinstance(order, dict):
        if not order:
            raise invalid(f"{operator} of {path!r}: $sort has no field")
        return partial(sorted, key=_fields_key(compile_sort(order).fields))
    if type(order) not in NUMBERS or order not in (1, -1):
        raise invalid(f"{operator} of {path!r}: $sort takes 1, -1 or a document of fields")
    return partial(sorted, key=encode_value, reverse=order == -1)


def _fields_key(fields: tuple[tuple[str, bool], ...]) -> Callable[[Any], bytes]:
    """Fields of the elements; unlike in a query's sort, an array there counts as a whole."""
    paths = [path.split(".") for path, _ in fields]
    descending = [inverted for _, inverted in fields]
    return lambda element: encode_compound([_follow(element, parts) for parts in paths], descending)


def _follow(value: Any, parts: list[str]) -> Any:
    for part in parts:
        if isinstance(value, dict):
            value = value.get(part)
        elif isinstance(value, list) and is_position(part) and int(part) < len(value):
            value = value[int(part)]
        else:
            return None
    return value
