"""Dotted paths: what a path reaches in a document, through arrays too.

The rules are those of MongoDB's query matcher. Where a path goes on from

- a document: its field; one that is not there is reached as `MISSING`;
- an array: every document among the elements, each with the rest of the path; if the next name is a number, the element
  at that position, too, whatever it is; an element that is neither is not reached at all;
- anything else: `MISSING`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from laura_fast.domain.documents.kinds import MISSING
from laura_fast.errors import InvalidArgumentError
from laura_fast.limits import documents as limits

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from laura_fast.domain.documents.codec import Document

Test: TypeAlias = "Callable[[Any], bool]"


def split(path: str) -> tuple[str, ...]:
    """The names of a dotted path.

    Raises:
        InvalidArgumentError: PATH_INVALID: more names than a document has levels.
    """
    parts = tuple(path.split("."))
    if len(parts) > limits.MAX_PATH_PARTS:
        raise InvalidArgumentError(
            f"the path {path[:40]!r}… has {len(parts):,} names; at most {limits.MAX_PATH_PARTS} are allowed",
            "PATH_INVALID",
        )
    return parts


def reaches(path: str, test: Test, positioned: Test) -> Callable[[Document], bool]:
    """Whether a document's path reaches anything that passes.

    Args:
        path: Dotted.
        test: For what a name reached, a whole array as one value.
        positioned: For what a position in an array reached at the path's end: MongoDB looks into no array there.

    Raises:
        InvalidArgumentError: PATH_INVALID.
    """
    parts = split(path)
    first = parts[0]
    if len(parts) == 1:
        return _field(first, test)
    return _in_documents(parts, test, _field(first, _beyond(parts[1:], test, positioned)))


def _in_documents(parts: tuple[str, ...], test: Test, otherwise: Callable[[Document], bool]) -> Test:
    """As long as a path meets only documents, it needs no call for each of its names."""

    def reach(document: Document) -> bool:
        value: Any = document
        for name in parts:
            if type(value) is not dict:
                return otherwise(document)
            value = value.get(name, MISSING)
        return test(value)

    return reach


def _field(name: str, test: Test) -> Callable[[Document], bool]:
    def reach(document: Document) -> bool:
        return test(document.get(name, MISSING))

    return reach


def _beyond(parts: tuple[str, ...], test: Test, positioned: Test) -> Test:
    """Goes on from a value that a name reached."""
    in_document, in_array = _steps(parts, test, positioned)
    at_nothing = test(MISSING)

    def go_on(value: Any) -> bool:
        kind = type(value)
        if kind is dict:
            return in_document(value)
        if kind is list:
            return in_array(value)
        return at_nothing

    return go_on


def _steps(parts: tuple[str, ...], test: Test, positioned: Test) -> tuple[Test, Test]:
    """How the path goes on from a document, and from an array."""
    name, rest = parts[0], parts[1:]
    in_document = _field(name, _beyond(rest, test, positioned) if rest else test)

    def in_elements(elements: list[Any]) -> bool:
        for element in elements:  # noqa: SIM110 - any() with a generator takes twice as long
            if type(element) is dict and in_document(element):
                return True
        return False

    if not is_position(name):
        return in_document, in_elements
    at_position = _from_position(rest, test, positioned) if rest else positioned
    position = int(name)

    def in_array(elements: list[Any]) -> bool:
        return (position < len(elements) and at_position(elements[position])) or in_elements(elements)

    return in_document, in_array


def _from_position(parts: tuple[str, ...], test: Test, positioned: Test) -> Test:
    """Goes on from an element that a position reached: a scalar there is a dead end, not a missing field."""
    in_document, in_array = _steps(parts, test, positioned)

    def go_on(value: Any) -> bool:
        kind = type(value)
        return in_document(value) if kind is dict else kind is list and in_array(value)

    return go_on


def is_position(name: str) -> bool:
    """Whether a name in a path can be the index of an array's element: decimal, without leading zeros."""
    return (
        name.isascii() and name.isdecimal() and (name == "0" or name[0] != "0") and len(name) <= limits.POSITION_DIGITS
    )


def reached(value: Any, parts: tuple[str, ...]) -> Iterator[Any]:
    """All that equality can be with at a path: what it reaches, and the elements of arrays that a name reached.

    Args:
        value: The document.
        parts: The names of the path.

    Yields:
        Values; `MISSING` where the path reaches a missing field.
    """
    if not parts:
        yield value
        if type(value) is list:
            yield from value
    elif type(value) is dict:
        yield from reached(value[parts[0]], parts[1:]) if parts[0] in value else (MISSING,)
    elif type(value) is list:
        yield from _reached_in(value, parts)
    else:
        yield MISSING


def _reached_in(elements: list[Any], parts: tuple[str, ...]) -> Iterator[Any]:
    for element in elements:
        if type(element) is dict:
            yield from reached(element, parts)
    if not is_position(parts[0]) or int(parts[0]) >= len(elements):
        return
    element = elements[int(parts[0])]
    if len(parts) == 1:
        yield element
    elif type(element) is dict or type(element) is list:
        yield from reached(element, parts[1:])
