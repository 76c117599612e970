"""The stages that shape documents one by one: `$project`, `$addFields`, `$unset`, `$replaceRoot`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from laura_fast.domain.documents.expressions import compile_part
from laura_fast.domain.documents.expressions.part import reads
from laura_fast.domain.documents.kinds import MISSING, type_name
from laura_fast.domain.documents.pipeline.shapes import Parsed, Shape, parse_shape, settle
from laura_fast.domain.documents.pipeline.stage import Stage, bad_stage, checked_field
from laura_fast.errors import InvalidArgumentError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from laura_fast.domain.documents.expressions.part import Part
    from laura_fast.domain.documents.pipeline.stage import Context, Document


@dataclass(frozen=True)
class Include(Stage):
    """`$project` that keeps and computes; all else is gone."""

    shape: Shape
    local: ClassVar[bool] = True
    one_to_one: ClassVar[bool] = True

    @property
    def closes(self) -> bool:
        return True

    @property
    def reads(self) -> frozenset[str] | None:
        read = reads(self.shape.parts())
        return None if read is None else read | self.shape.kept | self.shape.inner.keys()

    @property
    def growth(self) -> int:
        return 1 + self.shape.growth()

    def keeps(self, field: str, /) -> bool:
        return field in self.shape.kept

    def run(self, documents: Iterable[Document], _context: Context, /) -> Iterator[Document]:
        return map(self._apply(), documents)

    def _apply(self) -> Callable[[Document], Document]:
        include, compute = self.shape.include, self.shape.compute
        if not self.shape.computes:
            return include
        if self.shape.inner:
            return lambda document: compute(document, include(document))
        kept = self.shape.kept
        computed = [(name, part.evaluate) for name, part in self.shape.computed.items()]
        return lambda document: _flat(document, kept, computed)


def _flat(document: Document, kept: set[str], computed: list[tuple[str, Callable[[Any], Any]]]) -> Document:
    result = {name: value for name, value in document.items() if name in kept}
    for name, evaluate in computed:
        value = evaluate(document)
        if value is not MISSING:
            result[name] = value
    return result


@dataclass(frozen=True)
class Exclude(Stage):
    """`$project` that leaves out, and `$unset`."""

    shape: Shape
    local: ClassVar[bool] = True
    one_to_one: ClassVar[bool] = True

    def keeps(self, field: str, /) -> bool:
        return field not in self.shape.fields()

    def run(self, documents: Iterable[Document], _context: Context, /) -> Iterator[Document]:
        return map(self.shape.exclude, documents)


@dataclass(frozen=True)
class AddFields(Stage):
    """`$addFields`, also called `$set`."""

    shape: Shape
    local: ClassVar[bool] = True
    one_to_one: ClassVar[bool] = True

    @property
    def reads(self) -> frozenset[str] | None:
        read = reads(self.shape.parts())
        return None if read is None else read | self.shape.inner.keys()

    @property
    def growth(self) -> int:
        return 1 + self.shape.growth()

    def keeps(self, field: str, /) -> bool:
        return field not in self.shape.fields()

    def run(self, documents: Iterable[Document], _context: Context, /) -> Iterator[Document]:
        compute = self.shape.compute
        return (compute(document, document) for document in documents)


@dataclass(frozen=True)
class ReplaceRoot(Stage):
    """`$replaceRoot`, also called `$replaceWith`."""

    part: Part
    local: ClassVar[bool] = True
    one_to_one: ClassVar[bool] = True

    @property
    def closes(self) -> bool:
        return True

    @property
    def reads(self) -> frozenset[str] | None:
        return self.part.fields

    @property
    def growth(self) -> int:
        return max(1, self.part.growth)

    def run(self, documents: Iterable[Document], _context: Context, /) -> Iterator[Document]:
        evaluate = self.part.evaluate
        for document in documents:
            root = evaluate(document)
            if type(root) is not dict:
                raise InvalidArgumentError(
                    f"$replaceRoot: the new root must be a document, not {type_name(root)}", "EXPRESSION_FAILED"
                )
            yield root


def parse_project(name: str, spec: Any, constants: Mapping[str, Any]) -> Stage:
    """`$project`: keeps and computes, or leaves out; only `_id` may be the exception."""
    parsed = parse_shape(name, spec, constants, choosing=True)
    computes = settle(parsed.shape)
    if parsed.excluded and (parsed.included or computes):
        raise bad_stage(name, f"{parsed.excluded!r} is left out where other fields are kept or computed")
    if parsed.excluded or (parsed.id_given is False and not parsed.included and not computes):
        return Exclude(_with_id(parsed, wanted=parsed.id_given is False))
    return Include(_with_id(parsed, wanted=parsed.id_given is not False and "_id" not in parsed.shape.fields()))


def _with_id(parsed: Parsed, *, wanted: bool) -> Shape:
    if wanted:
        parsed.shape.kept.add("_id")
    return parsed.shape


def parse_add_fields(name: str, spec: Any, constants: Mapping[str, Any]) -> Stage:
    """`$addFields` and `$set`."""
    parsed = parse_shape(name, spec, constants, choosing=False)
    settle(parsed.shape)
    return AddFields(parsed.shape)


def parse_unset(name: str, spec: Any, constants: Mapping[str, Any]) -> Stage:
    """`$unset`: a path or a list of paths."""
    paths = [spec] if type(spec) is str else spec
    if type(paths) is not list or not paths:
        raise bad_stage(name, "a path or a list of paths is needed")
    checked = [checked_field(name, path) for path in paths]
    if len(set(checked)) < len(checked):
        raise bad_stage(name, "a path is named twice")
    parsed = parse_shape(name, dict.fromkeys(checked, 0), constants, choosing=True)
    return Exclude(_with_id(parsed, wanted=parsed.id_given is False))


def parse_replace_root(name: str, spec: Any, constants: Mapping[str, Any]) -> Stage:
    """`$replaceRoot`, with its `newRoot`, and `$replaceWith`, without."""
    if name == "$replaceRoot":
        if type(spec) is not dict or spec.keys() != {"newRoot"}:
            raise bad_stage(name, "a document with newRoot and nothing else is needed")
        spec = spec["newRoot"]
    return ReplaceRoot(compile_part(spec, constants))
