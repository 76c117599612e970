"""MongoDB's order and equality of values; `keys` says what they are, here are short cuts for the common types."""

from __future__ import annotations

from typing import Any, Final

from bson.objectid import ObjectId

from laura_fast.domain.documents.keys import encode_value
from laura_fast.domain.documents.kinds import INTEGERS

_SELF_ORDERED: Final = frozenset({str, ObjectId})
"""Types whose own `<` is MongoDB's: code points sort as their UTF-8 does."""


def compare(left: Any, right: Any) -> int:
    """-1, 0 or 1: how `left` sorts against `right` in the total order over all types."""
    kind, other = type(left), type(right)
    if (kind is other and kind in _SELF_ORDERED) or (kind in INTEGERS and other in INTEGERS):
        return int(left > right) - int(left < right)
    first, second = encode_value(left), encode_value(right)
    return (first > second) - (first < second)


def equal(left: Any, right: Any) -> bool:
    """Whether both are one value: numbers across their types, documents with their field order."""
    kind, other = type(left), type(right)
    if (kind is other and kind in _SELF_ORDERED) or (kind in INTEGERS and other in INTEGERS):
        return bool(left == right)
    return encode_value(left) == encode_value(right)
