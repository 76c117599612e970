"""`$a.b` and `$$variable.a`: a path goes through documents, and through the documents in arrays, whose values it lists.

Numbers in a path are field names here: unlike in queries they never index arrays.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from laura_fast.domain.documents.expressions.part import Cell, Evaluate, Part, constant
from laura_fast.domain.documents.expressions.values import malformed
from laura_fast.domain.documents.kinds import MISSING

if TYPE_CHECKING:
    from laura_fast.domain.documents.expressions.part import Scope


def field_path(path: str, scope: Scope) -> Part:
    """`$path` of the document."""
    parts = _split(path)
    fields = frozenset(parts[:1])
    if scope.variables:
        return Part(lambda frame: follow(frame[0], parts), fields, growth=1)
    if len(parts) > 1:
        return Part(lambda document: follow(document, parts), fields, growth=1)
    return Part(_field(path), fields, growth=1)


def variable(path: str, scope: Scope) -> Part:
    """`$$path`, which begins with the name of a variable.

    Raises:
        InvalidArgumentError: No such variable.
    """
    name, _, rest = path.partition(".")
    parts = _split(rest) if rest else ()
    if name in scope.variables:
        place = len(scope.variables) - scope.variables[::-1].index(name)
        return Part(lambda frame: follow(frame[place], parts), growth=scope.growths[place - 1])
    if name in {"ROOT", "CURRENT"}:
        return field_path(rest, scope) if parts else _whole(scope)
    if name == "REMOVE":
        return constant(MISSING)
    if name in scope.constants:
        return _outer(scope.constants[name], parts)
    raise malformed(f"undefined variable $${name}")


def _outer(value: Any, parts: tuple[str, ...]) -> Part:
    if type(value) is Cell:
        return Part(lambda _: follow(value.value, parts), growth=1)
    return constant(follow(value, parts))


def _whole(scope: Scope) -> Part:
    if scope.variables:
        return Part(lambda frame: frame[0], None, growth=1)
    return Part(lambda document: document, None, growth=1)


def _field(name: str) -> Evaluate:
    def evaluate(document: dict[str, Any]) -> Any:
        return document.get(name, MISSING)

    return evaluate


def _split(path: str) -> tuple[str, ...]:
    parts = tuple(path.split("."))
    if not all(parts) or "\0" in path or any(part.startswith("$") for part in parts):
        raise malformed(f"${path} is no field path: a part of it is empty or begins with $")
    return parts


def follow(value: Any, parts: tuple[str, ...]) -> Any:
    """The value at a path; a list of values where the path goes through an array, `MISSING` where it leads nowhere."""
    for place, name in enumerate(parts):
        if type(value) is dict:
            value = value.get(name, MISSING)
        elif type(value) is list:
            return _from_elements(value, parts[place:])
        else:
            return MISSING
    return value


def _from_elements(elements: list[Any], parts: tuple[str, ...]) -> list[Any]:
    found = [follow(element, parts) for element in elements if type(element) is dict]
    return [value for value in found if value is not MISSING]
