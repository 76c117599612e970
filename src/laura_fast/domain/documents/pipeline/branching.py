"""Stages with pipelines of their own: `$facet`, `$unionWith`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

from laura_fast.domain.documents.expressions.sizes import memory_bytes
from laura_fast.domain.documents.pipeline.stage import Stage, bad_stage, checked_name
from laura_fast.limits import queries as limits

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from laura_fast.domain.documents.pipeline.pipeline import Pipeline
    from laura_fast.domain.documents.pipeline.stage import Context, Document

CompileInner: TypeAlias = "Callable[[list[Any]], Pipeline]"
"""Compiles a pipeline inside a stage, in which there are no further ones: what runs at once stays bounded."""


@dataclass(frozen=True)
class Facet(Stage):
    """`$facet`: one document with the results of several pipelines over the same documents."""

    pipelines: Mapping[str, Pipeline]
    measures: ClassVar[bool] = True

    @property
    def closes(self) -> bool:
        return True

    @property
    def reads(self) -> frozenset[str] | None:
        found: frozenset[str] = frozenset()
        for pipeline in self.pipelines.values():
            if (needed := pipeline.needed) is None:
                return None
            found |= needed
        return found

    @property
    def foreign(self) -> frozenset[str]:
        return frozenset(name for pipeline in self.pipelines.values() for name in pipeline.foreign)

    def run(self, documents: Iterable[Document], context: Context, /) -> Iterator[Document]:
        given = _held(documents, context)
        yield {name: _held(pipeline.run(given, context), context) for name, pipeline in self.pipelines.items()}


@dataclass(frozen=True)
class UnionWith(Stage):
    """`$unionWith`: the documents, then those that a pipeline makes of another collection."""

    collection: str
    pipeline: Pipeline

    @property
    def foreign(self) -> frozenset[str]:
        return frozenset({self.collection, *self.pipeline.foreign})

    def run(self, documents: Iterable[Document], context: Context, /) -> Iterator[Document]:
        yield from documents
        yield from self.pipeline.run(context.foreign(self.collection), context)


def _held(documents: Iterable[Document], context: Context) -> list[Document]:
    found = []
    for document in documents:
        context.budget.hold(memory_bytes(document))
        found.append(document)
    return found


def parse_facet(compile_inner: CompileInner, name: str, spec: Any) -> Stage:
    """`$facet`: a pipeline for each field."""
    if type(spec) is not dict or not spec:
        raise bad_stage(name, "a document of pipelines is needed, one at least")
    if len(spec) > limits.MAX_FACETS:
        raise bad_stage(name, f"there are more than {limits.MAX_FACETS} pipelines")
    return Facet({checked_name(name, field): _inner(compile_inner, name, given) for field, given in spec.items()})


def parse_union_with(compile_inner: CompileInner, name: str, spec: Any) -> Stage:
    """`$unionWith`: a collection, or a document with coll and pipeline."""
    given = {"coll": spec} if type(spec) is str else spec
    if type(given) is not dict or given.keys() - {"coll", "pipeline"}:
        raise bad_stage(name, "coll and pipeline are all that it takes")
    collection = given.get("coll")
    if type(collection) is not str or not collection:
        raise bad_stage(name, "coll is the name of a collection")
    return UnionWith(collection, _inner(compile_inner, name, given.get("pipeline", [])))


def _inner(compile_inner: CompileInner, name: str, stages: Any) -> Pipeline:
    if type(stages) is not list or not all(type(stage) is dict for stage in stages):
        raise bad_stage(name, "a pipeline is a list of stages")
    return compile_inner(stages)
