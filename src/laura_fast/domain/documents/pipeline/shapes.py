"""`$project`, `$addFields` (`$set`) and `$unset`: a tree of what happens to which field.

Paths go through the documents of arrays. Of a document, what is kept stays in its order, what is computed and new comes
behind it, in the order of the stage.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from laura_fast.domain.documents.expressions import MISSING, compile_part, is_true
from laura_fast.domain.documents.kinds import NUMBERS
from laura_fast.domain.documents.pipeline.stage import bad_stage, checked_field

if TYPE_CHECKING:
    from collections.abc import Mapping

    from laura_fast.domain.documents.expressions.part import Part

Document: TypeAlias = "dict[str, Any]"


@dataclass(slots=True)
class Shape:
    """What happens to the fields of a document. Built by `parse_shape`, not changed afterwards.

    Attributes:
        kept: Fields to include or, of an exclusion, to leave out, whole.
        computed: Fields with a value of their own.
        inner: Fields of which something inside is kept or computed.
        computes: Whether anything is computed, here or further inside.
    """

    kept: set[str] = field(default_factory=set)
    computed: dict[str, Part] = field(default_factory=dict)
    inner: dict[str, Shape] = field(default_factory=dict)
    computes: bool = False

    def parts(self) -> list[Part]:
        """Everything that is computed."""
        return [*self.computed.values(), *(part for shape in self.inner.values() for part in shape.parts())]

    def growth(self) -> int:
        """How much larger or deeper than the document its computed fields may make it."""
        inside = [shape.growth() + 1 for shape in self.inner.values() if shape.computes]
        return sum(part.growth for part in self.computed.values()) + sum(inside)

    def fields(self) -> set[str]:
        """The fields that it says anything about."""
        return {*self.kept, *self.computed, *self.inner}

    def include(self, document: Document) -> Document:
        """What is kept of a document."""
        if not self.inner:
            return {name: value for name, value in document.items() if name in self.kept}
        result = {}
        for name, value in document.items():
            if name in self.kept:
                result[name] = value
            elif name in self.inner and (found := self.inner[name].include_value(value)) is not MISSING:
                result[name] = found
        return result

    def include_value(self, value: Any) -> Any:
        """What is kept of a value inside; `MISSING` if it holds no documents and gets nothing computed."""
        if type(value) is dict:
            return self.include(value)
        if type(value) is list:
            found = [self.include_value(element) for element in value]
            return [element for element in found if element is not MISSING]
        return {} if self.computes else MISSING

    def exclude(self, document: Document) -> Document:
        """What is left of a document."""
        result = {name: value for name, value in document.items() if name not in self.kept}
        for name, shape in self.inner.items():
            if name in result:
                result[name] = shape.exclude_value(result[name])
        return result

    def exclude_value(self, value: Any) -> Any:
        """What is left of a value inside."""
        if type(value) is dict:
            return self.exclude(value)
        return [self.exclude_value(element) for element in value] if type(value) is list else value

    def compute(self, root: Document, document: Document) -> Document:
        """A copy with what is computed from `root` set, or taken away where it is missing."""
        result = document.copy()
        for name, part in self.computed.items():
            value = part.evaluate(root)
            if value is MISSING:
                result.pop(name, None)
            else:
                result[name] = value
        for name, shape in self.inner.items():
            if shape.computes:
                result[name] = shape.compute_value(root, result.get(name))
        return result

    def compute_value(self, root: Document, value: Any) -> Any:
        """A copy of a value inside; what is neither a document nor an array is replaced."""
        if type(value) is list:
            return [self.compute_value(root, element) for element in value]
        return self.compute(root, value if type(value) is dict else {})


@dataclass(slots=True)
class Parsed:
    """A stage's tree, and what kinds of leaves it has: one path of each, for the message.

    Attributes:
        shape: The tree.
        included: A path that is kept.
        excluded: A path that is left out.
        id_given: Whether `_id` is kept, left out, or None: not mentioned or computed.
    """

    shape: Shape
    included: str = ""
    excluded: str = ""
    id_given: bool | None = None


def parse_shape(name: str, spec: Any, constants: Mapping[str, Any], *, choosing: bool) -> Parsed:
    """Checks the specification of `$project` (`choosing`: numbers and bools keep or leave out) or `$addFields`."""
    if type(spec) is not dict or not spec:
        raise bad_stage(name, "a document of fields is needed, one at least")
    parsed = Parsed(Shape())
    _Parser(name, constants, parsed, choosing).read(spec, parsed.shape, "")
    return parsed


@dataclass(frozen=True, slots=True)
class _Parser:
    name: str
    constants: Mapping[str, Any]
    parsed: Parsed
    choosing: bool

    def read(self, spec: Document, shape: Shape, prefix: str) -> None:
        for path, value in spec.items():
            checked_field(self.name, prefix + path)
            *above, last = path.split(".")
            node = shape
            for part in above:
                node = self._inner(node, part, prefix + path)
            self._leaf(node, last, value, prefix + path)

    def _inner(self, shape: Shape, part: str, path: str) -> Shape:
        if part in shape.kept or part in shape.computed:
            raise bad_stage(self.name, f"the path {path!r} collides with another")
        return shape.inner.setdefault(part, Shape())

    def _leaf(self, shape: Shape, part: str, value: Any, path: str) -> None:
        if type(value) is dict and value and not next(iter(value)).startswith("$"):
            self.read(value, self._inner(shape, part, path), path + ".")
            return
        if part in shape.fields():
            raise bad_stage(self.name, f"the path {path!r} collides with another")
        if self.choosing and (type(value) in NUMBERS or type(value) is bool):
            self._choose(shape, part, path, chosen=is_true(value))
        elif self.choosing and value == {}:
            raise bad_stage(self.name, f"an empty document says nothing about {path!r}")
        else:
            shape.computed[part] = compile_part(value, self.constants)

    def _choose(self, shape: Shape, part: str, path: str, *, chosen: bool) -> None:
        if path == "_id":
            self.parsed.id_given = chosen
            return
        shape.kept.add(part)
        if chosen:
            self.parsed.included = path
        else:
            self.parsed.excluded = path


def settle(shape: Shape) -> bool:
    """Finds out where something is computed; to be called once, when the tree is whole."""
    inside = [settle(inner) for inner in shape.inner.values()]
    shape.computes = bool(shape.computed) or any(inside)
    return shape.computes
