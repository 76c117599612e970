"""What a projection asks for, one path at a time: every check that needs no other path."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from bson.decimal128 import Decimal128

from laura_fast.domain.documents.filters import compile_filter
from laura_fast.domain.documents.kinds import MISSING, NUMBERS, type_name
from laura_fast.errors import InvalidArgumentError
from laura_fast.limits import documents as limits

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Change: TypeAlias = Callable[[Any], Any]
"""From a field's value to what is returned of it; MISSING for nothing."""

_SLICE_NUMBERS: Final = 2


class Kind(Enum):
    """What becomes of a field."""

    INCLUDE = auto()
    EXCLUDE = auto()
    SLICE = auto()
    ELEMENT = auto()


@dataclass(frozen=True, slots=True)
class Clause:
    """What is asked for one path; `change` is from the value there to what is returned."""

    path: str
    kind: Kind
    change: Change


def read_clauses(projection: Mapping[str, Any], above: str = "") -> Iterator[Clause]:
    """The clauses of a projection, those of nested documents with their whole path."""
    for name, value in projection.items():
        path = f"{above}.{name}" if above else name
        if not isinstance(value, dict):
            _check_path(path)
            yield _switch(path, value)
        elif next(iter(value), "").startswith("$"):
            _check_path(path)
            yield _operator(path, value)
        elif value:
            yield from read_clauses(value, path)
        else:
            raise invalid(f"projection: {path!r} has an empty document")


def _check_path(path: str) -> None:
    parts = path.split(".")
    if not all(parts):
        raise invalid(f"projection: the path {path!r} has an empty part")
    if len(parts) > limits.MAX_DOCUMENT_DEPTH:
        raise invalid(f"projection: a path of {len(parts)} parts; at most {limits.MAX_DOCUMENT_DEPTH} are allowed")
    if parts[-1] == "$":
        raise _unsupported(f"projection: the positional operator in {path!r} is not supported")
    if any(part.startswith("$") for part in parts):
        raise invalid(f"projection: the path {path!r} has a part that begins with $")


def _switch(path: str, value: Any) -> Clause:
    if isinstance(value, Decimal128):
        value = value.to_decimal()
    elif not isinstance(value, bool) and type(value) not in NUMBERS:
        raise _unsupported(
            f"projection: {path!r} takes 0, 1, $slice or $elemMatch, not a value of type {type_name(value)}"
        )
    return Clause(path, Kind.INCLUDE, keep) if value else Clause(path, Kind.EXCLUDE, _drop)


def _operator(path: str, value: Mapping[str, Any]) -> Clause:
    name, operand = next(iter(value.items()))
    if len(value) > 1:
        raise invalid(f"projection: {path!r} has more than one operator")
    if name == "$slice":
        return Clause(path, Kind.SLICE, _slicing(path, operand))
    if name == "$elemMatch":
        return Clause(path, Kind.ELEMENT, _matching(path, operand))
    raise _unsupported(f"projection: {name} of {path!r} is not supported; there are $slice and $elemMatch")


def _slicing(path: str, operand: Any) -> Change:
    numbers = operand if isinstance(operand, list) else [operand]
    if not 1 <= len(numbers) <= _SLICE_NUMBERS or not all(map(_is_integer, numbers)):
        raise invalid(f"projection: $slice of {path!r} takes an integer or [skip, limit]")
    whole = [int(number) for number in numbers]
    if isinstance(operand, list) and (len(whole) < _SLICE_NUMBERS or whole[1] <= 0):
        raise invalid(f"projection: $slice of {path!r} takes [skip, limit] with a limit above 0")
    return lambda value: _sliced(value, *whole) if isinstance(value, list) else value


def _is_integer(number: Any) -> bool:
    return not isinstance(number, bool) and isinstance(number, int | float) and number == number // 1


def _sliced(array: list[Any], first: int, limit: int | None = None) -> list[Any]:
    if limit is None:
        return array[:first] if first >= 0 else array[first:]
    start = first if first >= 0 else max(len(array) + first, 0)
    return array[start : start + limit]


def _matching(path: str, operand: Any) -> Change:
    if "." in path:
        raise invalid(f"projection: $elemMatch of {path!r}, which is inside of another field")
    if not isinstance(operand, dict):
        raise invalid(f"projection: $elemMatch of {path!r} takes a document, not a value of type {type_name(operand)}")
    matches = compile_filter({"array": {"$elemMatch": operand}}).matches

    def change(value: Any) -> Any:
        found = (
            next((each for each in value if matches({"array": [each]})), MISSING)
            if isinstance(value, list)
            else MISSING
        )
        return MISSING if found is MISSING else [found]

    return change


def keep(value: Any) -> Any:
    """The change of what is included as it is."""
    return value


def _drop(_value: Any) -> Any:
    return MISSING


def invalid(message: str) -> InvalidArgumentError:
    """A projection that means nothing."""
    return InvalidArgumentError(message, "PROJECTION_INVALID")


def _unsupported(message: str) -> InvalidArgumentError:
    return InvalidArgumentError(message, "PROJECTION_UNSUPPORTED")
