"""Operators of arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from laura_fast.domain.documents import keys, order
from laura_fast.domain.documents.expressions.numbers import to_double
from laura_fast.domain.documents.expressions.part import Eager
from laura_fast.domain.documents.expressions.values import failed, is_nullish, is_true
from laura_fast.domain.documents.kinds import INT32_MAX, INT32_MIN, MISSING, NUMBERS, type_name
from laura_fast.limits import queries as limits

if TYPE_CHECKING:
    from collections.abc import Callable


def _array(name: str, value: Any) -> list[Any]:
    if type(value) is not list:
        raise failed(f"{name} takes an array, not {type_name(value)}")
    return value


def _position(name: str, value: Any) -> int:
    number = to_double(value) if type(value) in NUMBERS else None
    if number is None or not number.is_integer() or not INT32_MIN <= number <= INT32_MAX:
        raise failed(f"{name} takes whole numbers, not {type_name(value)} {value!r}")
    return int(number)


def _element(array: Any, position: Any) -> Any:
    if is_nullish(array) or is_nullish(position):
        return None
    elements, place = _array("$arrayElemAt", array), _position("$arrayElemAt", position)
    return elements[place] if -len(elements) <= place < len(elements) else MISSING


def _end(name: str, place: int) -> Callable[[Any], Any]:
    def apply(array: Any) -> Any:
        if is_nullish(array):
            return None
        elements = _array(name, array)
        return elements[place] if elements else MISSING

    return apply


def _contains(value: Any, array: Any) -> bool:
    elements = _array("$in", array)
    return value is not MISSING and any(order.equal(value, element) for element in elements)


def _concatenate(*arrays: Any) -> list[Any] | None:
    if any(map(is_nullish, arrays)):
        return None
    joined: list[Any] = []
    for array in arrays:
        joined += _array("$concatArrays", array)
        _check_length("$concatArrays", len(joined))
    return joined


def _check_length(name: str, length: int) -> None:
    if length > limits.MAX_EXPRESSION_ARRAY:
        raise failed(f"{name} would give more than {limits.MAX_EXPRESSION_ARRAY} elements")


def _slice(array: Any, first: Any, count: Any = MISSING) -> list[Any] | None:
    if is_nullish(array) or is_nullish(first) or count is None:
        return None
    elements, start = _array("$slice", array), _position("$slice", first)
    if count is MISSING:
        return elements[:start] if start >= 0 else elements[start:]
    length = _position("$slice", count)
    if length <= 0:
        raise failed("$slice takes a number of elements above 0 behind a position")
    begin = start if start >= 0 else max(len(elements) + start, 0)
    return elements[begin : begin + length]


def _reverse(array: Any) -> list[Any] | None:
    return None if is_nullish(array) else _array("$reverseArray", array)[::-1]


def _range(start: Any, end: Any, step: Any = 1) -> list[int]:
    stride = _position("$range", step)
    if stride == 0:
        raise failed("$range takes a step other than 0")
    numbers = range(_position("$range", start), _position("$range", end), stride)
    _check_length("$range", len(numbers))
    return list(numbers)


def _index(array: Any, value: Any, start: Any = 0, end: Any = INT32_MAX) -> int | None:
    if is_nullish(array):
        return None
    first, last = _position("$indexOfArray", start), _position("$indexOfArray", end)
    if first < 0 or last < 0:
        raise failed("$indexOfArray takes positions of at least 0")
    for place, element in enumerate(_array("$indexOfArray", array)[first:last], first):
        if value is not MISSING and order.equal(value, element):
            return place
    return -1


def _distinct(name: str, array: Any) -> dict[bytes, Any]:
    found: dict[bytes, Any] = {}
    for element in _array(name, array):
        found.setdefault(keys.encode_value(element), element)
    return found


def _union(*arrays: Any) -> list[Any] | None:
    if any(map(is_nullish, arrays)):
        return None
    found: dict[bytes, Any] = {}
    for array in arrays:
        for key, element in _distinct("$setUnion", array).items():
            found.setdefault(key, element)
    return [found[key] for key in sorted(found)]


def _intersection(*arrays: Any) -> list[Any] | None:
    if any(map(is_nullish, arrays)):
        return None
    first, *others = (_distinct("$setIntersection", array) for array in arrays)
    return [first[key] for key in sorted(first) if all(key in other for other in others)]


def _difference(left: Any, right: Any) -> list[Any] | None:
    if is_nullish(left) or is_nullish(right):
        return None
    removed = _distinct("$setDifference", right)
    return [value for key, value in _distinct("$setDifference", left).items() if key not in removed]


def _equal_sets(*arrays: Any) -> bool:
    first, *others = (_distinct("$setEquals", array).keys() for array in arrays)
    return all(first == other for other in others)


def _is_subset(left: Any, right: Any) -> bool:
    return _distinct("$setIsSubset", left).keys() <= _distinct("$setIsSubset", right).keys()


ARRAYS: Final = {
    "$size": Eager(lambda array: len(_array("$size", array))),
    "$isArray": Eager(lambda value: type(value) is list),
    "$arrayElemAt": Eager(_element, 2, 2, carries=True),
    "$first": Eager(_end("$first", 0), carries=True),
    "$last": Eager(_end("$last", -1), carries=True),
    "$in": Eager(_contains, 2, 2),
    "$concatArrays": Eager(_concatenate, 0, None, carries=True),
    "$slice": Eager(_slice, 2, 3, carries=True),
    "$reverseArray": Eager(_reverse, carries=True),
    "$range": Eager(_range, 2, 3, carries=True, makes=True),
    "$indexOfArray": Eager(_index, 2, 4),
    "$setUnion": Eager(_union, 0, None, carries=True),
    "$setIntersection": Eager(_intersection, 1, None, carries=True),
    "$setDifference": Eager(_difference, 2, 2, carries=True),
    "$setEquals": Eager(_equal_sets, 2, None),
    "$setIsSubset": Eager(_is_subset, 2, 2),
    "$anyElementTrue": Eager(lambda array: any(map(is_true, _array("$anyElementTrue", array)))),
    "$allElementsTrue": Eager(lambda array: all(map(is_true, _array("$allElementsTrue", array)))),
}
