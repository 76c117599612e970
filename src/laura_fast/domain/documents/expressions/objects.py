"""Operators of documents."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from laura_fast.domain.documents.expressions.part import Eager, Part, Scope, arguments, carrying
from laura_fast.domain.documents.expressions.values import failed, is_nullish, malformed
from laura_fast.domain.documents.kinds import MISSING, type_name

if TYPE_CHECKING:
    from laura_fast.domain.documents.expressions.part import Lazy


def _merge(*documents: Any) -> dict[str, Any]:
    merged: dict[str, Any] = {}
    for document in documents:
        if not is_nullish(document):
            merged.update(_document("$mergeObjects", document))
    return merged


def _merge_operands(*values: Any) -> dict[str, Any]:
    return _merge(*values[0]) if len(values) == 1 and type(values[0]) is list else _merge(*values)


def _document(name: str, value: Any) -> dict[str, Any]:
    if type(value) is not dict:
        raise failed(f"{name} takes documents, not {type_name(value)}")
    return value


def _to_array(document: Any) -> list[dict[str, Any]] | None:
    if is_nullish(document):
        return None
    return [{"k": name, "v": value} for name, value in _document("$objectToArray", document).items()]


def _from_array(array: Any) -> dict[str, Any] | None:
    if is_nullish(array):
        return None
    if type(array) is not list:
        raise failed(f"$arrayToObject takes an array, not {type_name(array)}")
    return dict(map(_pair, array))


def _pair(element: Any) -> tuple[str, Any]:
    match element:
        case {"k": str(name), "v": value} if len(element) == 2:  # noqa: PLR2004 - nothing beside the two
            found = name, value
        case [str(name), value]:
            found = name, value
        case _:
            raise failed("$arrayToObject takes pairs, as [key, value] or {k: key, v: value}, whose keys are strings")
    if "\0" in found[0]:
        raise failed("$arrayToObject takes keys without the null character")
    return found


def _get_field(name: str, spec: Any, scope: Scope) -> Part:
    if type(spec) is dict and not next(iter(spec), "").startswith("$"):
        given = arguments(name, spec, frozenset({"field"}), frozenset({"input"}))
    else:
        given = {"field": spec}
    parts = scope.compile_all([given["field"], given.get("input", "$$CURRENT")])
    field, document = (part.evaluate for part in parts)
    if parts[0].constant and type(field(())) is not str:
        raise malformed("$getField takes the name of a field")

    def evaluate(outer: Any) -> Any:
        named, value = field(outer), document(outer)
        if type(named) is not str:
            raise failed(f"$getField takes the name of a field, not {type_name(named)}")
        if is_nullish(value):
            return None if value is None else MISSING
        return value.get(named, MISSING) if type(value) is dict else MISSING

    return carrying(parts, evaluate)


OBJECTS: Final[dict[str, Eager | Lazy]] = {
    "$mergeObjects": Eager(_merge_operands, 0, None, carries=True),
    "$objectToArray": Eager(_to_array, carries=True, levels=2),
    "$arrayToObject": Eager(_from_array, carries=True),
    "$getField": _get_field,
}
