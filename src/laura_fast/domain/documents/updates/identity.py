"""When two values are the same to the byte, so that storing one over the other changes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import bson
from bson.int64 import Int64
from bson.objectid import ObjectId

if TYPE_CHECKING:
    from collections.abc import Callable

_PLAIN: Final = frozenset({int, Int64, bool, str, bytes, type(None), ObjectId})
"""Types whose equal values are encoded alike (a double's zeros are equal and are not)."""


def same_as(value: Any) -> Callable[[Any], bool]:
    """Decided once for a value that many others are compared with; see `is_same`."""
    kind = type(value)
    if kind in _PLAIN:
        return lambda other: type(other) is kind and bool(other == value)
    encoded = _encoded(value)
    return lambda other: type(other) is kind and _encoded(other) == encoded


def is_same(one: Any, other: Any) -> bool:
    """Whether both values have the same BSON type and bytes, so that storing one over the other changes nothing."""
    return type(one) is type(other) and same_as(one)(other)


def _encoded(value: Any) -> bytes:
    return bson.encode({"": value})
