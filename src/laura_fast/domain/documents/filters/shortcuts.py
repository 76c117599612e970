"""Conditions on one field with a string, a number or an ObjectId, in one call instead of three.

Most queries are made of these. Each decides for plain values and leaves the rest (arrays, decimals) to the general way,
which stays the rule: `tests/properties/test_filter_shortcuts.py` holds both equal, `bench/test_documents.py` pays.
"""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any, Final

from bson.decimal128 import Decimal128
from bson.int64 import Int64
from bson.objectid import ObjectId

from laura_fast.domain.documents.filters.tree import Compare, Operator

if TYPE_CHECKING:
    from collections.abc import Callable

    from laura_fast.domain.documents.codec import Document
    from laura_fast.domain.documents.filters.tree import Node

_NUMBERS: Final = frozenset({int, Int64, float})
_INVOLVED: Final = frozenset({list, Decimal128})
"""Types of values that only the general way can decide on."""

_ORDER: Final[dict[Operator, Callable[[Any, Any], bool]]] = {
    Operator.GT: operator.gt,
    Operator.GTE: operator.ge,
    Operator.LT: operator.lt,
    Operator.LTE: operator.le,
}


def shortened(node: Node, general: Callable[[Document], bool]) -> Callable[[Document], bool]:
    """`general`, or something faster that says the same."""
    if not isinstance(node, Compare) or "." in node.path:
        return general
    kind, name, operand = type(node.operand), node.path, node.operand
    if kind in _NUMBERS and operand == operand:  # noqa: PLR0124 - a NaN has rules of its own
        if node.operator is Operator.EQ:
            return _equal_number(name, operand, general)
        return _ordered(_NUMBERS, name, operand, _ORDER[node.operator], general)
    if kind is str and node.operator is not Operator.EQ:
        return _ordered(frozenset({str}), name, operand, _ORDER[node.operator], general)
    if kind in {str, ObjectId} and node.operator is Operator.EQ:
        return _equal(name, operand)
    return general


def _equal(name: str, operand: str | ObjectId) -> Callable[[Document], bool]:
    """Both types are equal to nothing but their like in Python, too."""

    def matches(document: Document) -> bool:
        value = document.get(name)
        return value == operand or (type(value) is list and operand in value)

    return matches


def _equal_number(name: str, operand: float, general: Callable[[Document], bool]) -> Callable[[Document], bool]:
    def matches(document: Document) -> bool:
        value = document.get(name)
        if value == operand:
            return type(value) is not bool
        return type(value) in _INVOLVED and general(document)

    return matches


def _ordered(
    kinds: frozenset[type],
    name: str,
    operand: Any,
    compared: Callable[[Any, Any], bool],
    general: Callable[[Document], bool],
) -> Callable[[Document], bool]:
    def matches(document: Document) -> bool:
        value = document.get(name)
        kind = type(value)
        if kind in kinds:
            return compared(value, operand)
        return kind in _INVOLVED and general(document)

    return matches
