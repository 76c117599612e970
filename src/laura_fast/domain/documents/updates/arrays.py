"""Operators on arrays but `$push`: each is made for one path and one operand, checked here, once.

Two elements are equal when the order of all types says so: 1 and 1.0 are, documents with their fields in another order
are not. Equal values have equal keys, and keys can be looked up in a set.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bson.regex import Regex

from laura_fast.domain.documents.filters import compile_filter
from laura_fast.domain.documents.keys import encode_value
from laura_fast.domain.documents.kinds import MISSING, type_name
from laura_fast.domain.documents.updates.faults import invalid, refused
from laura_fast.domain.documents.updates.tree import Leaf

if TYPE_CHECKING:
    from collections.abc import Callable

    from laura_fast.domain.documents.updates.tree import Run

PATH_OPERATORS_OF_DOCUMENTS = frozenset({"$and", "$or", "$nor", "$expr"})
"""A condition that begins with one of these, or with a field, is about elements that are documents."""


def elements(operator: str, path: str, old: Any) -> list[Any]:
    """The array there; an empty one where there is nothing.

    Raises:
        InvalidArgumentError: Something else is there.
    """
    if old is MISSING:
        return []
    if not isinstance(old, list):
        raise refused(f"{operator} of {path!r}: there is no array but a value of type {type_name(old)}")
    return old


def given_elements(operator: str, path: str, operand: Any) -> list[Any]:
    """What `$each` lists, or the operand itself as the only one."""
    if not (isinstance(operand, dict) and "$each" in operand):
        return [operand]
    values = operand["$each"]
    if not isinstance(values, list):
        raise invalid(f"{operator} of {path!r}: $each takes an array, not a value of type {type_name(values)}")
    return values


def add_to_set(operator: str, path: str, operand: Any) -> Leaf:
    """`$addToSet`: what is not there yet comes behind what is."""
    wanted: dict[bytes, Any] = {}
    for value in given_elements(operator, path, operand):
        wanted.setdefault(encode_value(value), value)
    if isinstance(operand, dict) and "$each" in operand and len(operand) > 1:
        raise invalid(f"{operator} of {path!r} takes nothing beside $each")

    def apply(old: Any, _run: Run) -> Any:
        array = elements(operator, path, old)
        present = {encode_value(element) for element in array}
        new = [value for key, value in wanted.items() if key not in present]
        return [*array, *new] if new or old is MISSING else old

    return Leaf(operator, path, apply, appends=True)


def pop(operator: str, path: str, operand: Any) -> Leaf:
    """`$pop`: without the last element (1) or the first (-1)."""
    if isinstance(operand, bool) or operand not in (1, -1):
        raise invalid(f"{operator} of {path!r} takes 1 or -1")
    kept = slice(None, -1) if operand == 1 else slice(1, None)

    def apply(old: Any, _run: Run) -> Any:
        array = elements(operator, path, old)
        return array[kept] if array else old

    return Leaf(operator, path, apply)


def pull(operator: str, path: str, operand: Any) -> Leaf:
    """`$pull`: without the elements that equal the operand or meet it as a condition."""
    return _culling(operator, path, _condition(operand))


def pull_all(operator: str, path: str, operand: Any) -> Leaf:
    """`$pullAll`: without the elements that equal one of the operand's."""
    if not isinstance(operand, list):
        raise invalid(f"{operator} of {path!r} takes an array, not a value of type {type_name(operand)}")
    unwanted = {encode_value(value) for value in operand}
    return _culling(operator, path, lambda element: encode_value(element) in unwanted)


def _culling(operator: str, path: str, unwanted: Callable[[Any], bool]) -> Leaf:
    def apply(old: Any, _run: Run) -> Any:
        array = elements(operator, path, old)
        kept = [element for element in array if not unwanted(element)]
        return old if len(kept) == len(array) else kept

    return Leaf(operator, path, apply)


def _condition(operand: Any) -> Callable[[Any], bool]:
    """MongoDB's three readings: a query on elements that are documents, operators on the element, equality."""
    if isinstance(operand, dict) and not _is_of_operators(operand):
        matches = compile_filter(operand).matches
        return lambda element: isinstance(element, dict) and matches(element)
    if isinstance(operand, dict | Regex):
        matches = compile_filter({"element": operand}).matches
        return lambda element: matches({"element": element})
    key = encode_value(operand)
    return lambda element: encode_value(element) == key


def _is_of_operators(operand: dict[str, Any]) -> bool:
    first = next(iter(operand), "")
    return first.startswith("$") and first not in PATH_OPERATORS_OF_DOCUMENTS
