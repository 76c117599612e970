"""`$unwind`: one document for each element of an array."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from bson import Int64

from laura_fast.domain.documents.kinds import MISSING
from laura_fast.domain.documents.pipeline.stage import Stage, bad_stage, checked_field
from laura_fast.limits import queries as limits

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from laura_fast.domain.documents.pipeline.stage import Context, Document


@dataclass(frozen=True)
class Unwind(Stage):
    """One document for each element of an array; what is no array counts as its only element.

    Attributes:
        path: Field names on the way to the array, through documents alone.
        index: Path of the field that gets the place of the element, null where there is none; None = no such field.
        preserves: Whether documents without an element go on, once.
    """

    path: tuple[str, ...]
    index: tuple[str, ...] | None
    preserves: bool
    local: ClassVar[bool] = True

    @property
    def reads(self) -> frozenset[str]:
        return frozenset(self.path[:1])

    @property
    def growth(self) -> int:
        return len(self.index) if self.index else 1

    def keeps(self, field: str, /) -> bool:
        return field != self.path[0] and (self.index is None or field != self.index[0])

    def run(self, documents: Iterable[Document], context: Context, /) -> Iterator[Document]:
        path, step = self.path, limits.EXAMINED_PER_CLOCK_LOOK
        for document in documents:
            value = _get(document, path)
            if type(value) is not list:
                yield from self._single(document, value)
                continue
            if not value and self.preserves:
                yield self._numbered(without_value(document, path), None)
            for start in range(0, len(value), step):
                context.budget.check_deadline()
                yield from self._elements(document, value[start : start + step], start)

    def _elements(self, document: Document, elements: list[Any], start: int) -> Iterator[Document]:
        path, name = self.path, self.path[0]
        if len(path) > 1 or self.index is not None:
            for place, element in enumerate(elements, start):
                yield self._numbered(with_value(document, path, element), place)
            return
        for element in elements:
            copy = document.copy()
            copy[name] = element
            yield copy

    def _single(self, document: Document, value: Any) -> Iterator[Document]:
        if self.preserves or (value is not None and value is not MISSING):
            yield self._numbered(document, None)

    def _numbered(self, document: Document, place: int | None) -> Document:
        if self.index is None:
            return document
        return with_value(document, self.index, None if place is None else Int64(place))


def _get(value: Any, path: tuple[str, ...]) -> Any:
    for name in path:
        if type(value) is not dict:
            return MISSING
        value = value.get(name, MISSING)
    return value


def with_value(document: Document, path: tuple[str, ...], value: Any) -> Document:
    """A copy with the value at the path; what is in the way and no document is replaced."""
    copy = document.copy()
    name, *rest = path
    if rest:
        inner = copy.get(name)
        copy[name] = with_value(inner if type(inner) is dict else {}, tuple(rest), value)
    else:
        copy[name] = value
    return copy


def without_value(document: Document, path: tuple[str, ...]) -> Document:
    """A copy without the field at the path, which is there."""
    copy = document.copy()
    name, *rest = path
    if rest:
        copy[name] = without_value(copy[name], tuple(rest))
    else:
        del copy[name]
    return copy


def parse_unwind(name: str, spec: Any, _constants: Mapping[str, Any]) -> Stage:
    """`$unwind`: a path, or a document with path, includeArrayIndex and preserveNullAndEmptyArrays."""
    given = {"path": spec} if type(spec) is str else spec
    if type(given) is not dict or given.keys() - {"path", "includeArrayIndex", "preserveNullAndEmptyArrays"}:
        raise bad_stage(name, "path, includeArrayIndex and preserveNullAndEmptyArrays are all that it takes")
    path, preserves = given.get("path"), given.get("preserveNullAndEmptyArrays", False)
    if type(path) is not str or not path.startswith("$"):
        raise bad_stage(name, f"the path begins with $, as {path!r} does not")
    if type(preserves) is not bool:
        raise bad_stage(name, "preserveNullAndEmptyArrays is true or false")
    index = tuple(checked_field(name, given["includeArrayIndex"]).split(".")) if "includeArrayIndex" in given else None
    return Unwind(tuple(checked_field(name, path[1:]).split(".")), index, preserves)
