"""How large values are.

Expressions share the values they read instead of copying them, so a few stages could build a document that is small in
memory and enormous once written out; whoever looks at all of a value must know before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import bson

from laura_fast.errors import InvalidArgumentError
from laura_fast.limits import documents as limits

if TYPE_CHECKING:
    from collections.abc import Iterable

_LEAST_ELEMENT_BYTES: Final = 3
"""Type, one character of a name and its end: no element of a BSON document is smaller."""

_MOST_ELEMENTS: Final = limits.MAX_DOCUMENT_BYTES // _LEAST_ELEMENT_BYTES

_OBJECT_BYTES: Final = 96
"""What a small value takes in memory with its place in a document, its name and its header."""

_EXPANSION: Final = 5
"""How much more memory small values take than octets in BSON. Long strings take less; being careful costs nothing."""


def checked(value: Any) -> Any:
    """The value itself.

    Raises:
        InvalidArgumentError: No document could hold it; reason DOCUMENT_TOO_LARGE.
    """
    _measure(value)
    return value


def collected(values: Iterable[Any]) -> list[Any]:
    """The values in a list, measured while it grows. Raises what `checked` does."""
    found, size = [], 0
    for value in values:
        size += least_bytes(value)
        _check(size // _LEAST_ELEMENT_BYTES, 0, 0)
        found.append(value)
    return found


def memory_bytes(value: Any) -> int:
    """About what a value takes in memory. The C encoder walks through a document twice as fast as Python can."""
    kind = type(value)
    if kind is dict:
        return _OBJECT_BYTES + _EXPANSION * len(bson.encode(value))
    if kind is list:
        return _OBJECT_BYTES + _EXPANSION * len(bson.encode({"": value}))
    return _OBJECT_BYTES + len(value) if kind is str or kind is bytes else _OBJECT_BYTES


def least_bytes(value: Any) -> int:
    """What a value takes in a document, at least. Raises what `checked` does."""
    elements, octets = _measure(value)
    return elements * _LEAST_ELEMENT_BYTES + octets


def _measure(value: Any) -> tuple[int, int]:
    elements = octets = depth = 0
    level = [value]
    while level:
        elements += len(level)
        depth += 1
        below: list[Any] = []
        for inner in level:
            kind = type(inner)
            if kind is str or kind is bytes:
                octets += len(inner)
            elif kind is dict:
                octets += sum(map(len, inner))
                below += inner.values()
            elif kind is list:
                below += inner
            if len(below) > _MOST_ELEMENTS:
                break
        _check(elements + len(below), octets, depth)
        level = below
    return elements, octets


def _check(elements: int, octets: int, depth: int) -> None:
    if elements * _LEAST_ELEMENT_BYTES + octets > limits.MAX_DOCUMENT_BYTES:
        raise InvalidArgumentError(
            f"a value would be larger than a document may be, {limits.MAX_DOCUMENT_BYTES} bytes", "DOCUMENT_TOO_LARGE"
        )
    if depth > limits.MAX_DOCUMENT_DEPTH + 1:
        raise InvalidArgumentError(
            f"a value would be deeper than a document may be, {limits.MAX_DOCUMENT_DEPTH} levels", "DOCUMENT_TOO_LARGE"
        )
