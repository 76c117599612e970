"""`$lookup` with a pipeline over the foreign documents, for which `let` names values of the own document."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from laura_fast.domain.documents.expressions import compile_part
from laura_fast.domain.documents.expressions.part import Cell, Part, reads
from laura_fast.domain.documents.expressions.sizes import memory_bytes
from laura_fast.domain.documents.expressions.variables import checked_variable
from laura_fast.domain.documents.pipeline.joining import Lookup, fitting, parse_lookup
from laura_fast.domain.documents.pipeline.stage import Stage, bad_stage, checked_field
from laura_fast.domain.documents.pipeline.unwinding import with_value

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from laura_fast.domain.documents.pipeline.pipeline import Pipeline
    from laura_fast.domain.documents.pipeline.stage import Context, Document

CompileWith: TypeAlias = "Callable[[Mapping[str, Any]], Pipeline]"
_ARGUMENTS: Final = frozenset({"from", "let", "pipeline", "as", "localField", "foreignField"})


@dataclass(frozen=True)
class LookupPipeline(Stage):
    """Adds to each document the array that a pipeline makes of foreign documents, for this document.

    Attributes:
        collection: Name of the other collection.
        join: Which foreign documents the pipeline gets; None = all.
        variables: What `let` names.
        compile_with: Makes the pipeline, given the variables: their cells are filled anew for each document.
        output: Field names of the array.
    """

    collection: str
    join: Lookup | None
    variables: Mapping[str, Part]
    compile_with: CompileWith
    output: tuple[str, ...]

    @property
    def foreign(self) -> frozenset[str]:
        return frozenset({self.collection, *self.compile_with(_cells(self.variables)).foreign})

    @property
    def reads(self) -> frozenset[str] | None:
        read = reads(list(self.variables.values()))
        return None if read is None else read | {self.output[0]} | (self.join.reads or set() if self.join else set())

    @property
    def growth(self) -> int:
        return 1 + len(self.output)

    def keeps(self, field: str, /) -> bool:
        return field != self.output[0]

    def run(self, documents: Iterable[Document], context: Context, /) -> Iterator[Document]:
        cells = _cells(self.variables)
        pipeline = self.compile_with(cells)
        candidates = self.join.finder(context) if self.join else self._all(context)
        filled = [(cells[name], part.evaluate) for name, part in self.variables.items()]
        for document in documents:
            context.budget.check_deadline()
            for cell, evaluate in filled:
                cell.value = evaluate(document)
            found = list(pipeline.run(candidates(document), context))
            yield with_value(document, self.output, fitting(self.collection, found))

    def _all(self, context: Context) -> Callable[[Document], list[Document]]:
        foreign = []
        for document in context.foreign(self.collection):
            context.budget.hold(memory_bytes(document))
            foreign.append(document)
        return lambda _document: foreign


def _cells(variables: Mapping[str, Part]) -> dict[str, Cell]:
    return {name: Cell() for name in variables}


def parse_any_lookup(
    compile_inner: Callable[[Mapping[str, Any], list[Any]], Pipeline],
    name: str,
    spec: Any,
    constants: Mapping[str, Any],
) -> Stage:
    """`$lookup`, with a pipeline or without."""
    if type(spec) is not dict or not spec.keys() & {"let", "pipeline"}:
        return parse_lookup(name, spec, constants)
    if spec.keys() - _ARGUMENTS or not spec.keys() >= {"from", "pipeline", "as"}:
        raise bad_stage(name, "from, pipeline and as are needed; let, localField and foreignField are allowed")
    stages = spec["pipeline"]
    if type(stages) is not list or not all(type(stage) is dict for stage in stages):
        raise bad_stage(name, "a pipeline is a list of stages")
    variables = _variables(name, spec.get("let", {}), constants)
    stage = LookupPipeline(
        _collection(name, spec["from"]),
        _join(name, spec, constants),
        variables,
        lambda cells: compile_inner({**constants, **cells}, stages),
        tuple(checked_field(name, spec["as"]).split(".")),
    )
    stage.compile_with(_cells(variables))
    return stage


def _variables(name: str, spec: Any, constants: Mapping[str, Any]) -> dict[str, Part]:
    if type(spec) is not dict:
        raise bad_stage(name, "let is a document of variables")
    return {checked_variable(variable): compile_part(value, constants) for variable, value in spec.items()}


def _collection(name: str, collection: Any) -> str:
    if type(collection) is not str or not collection:
        raise bad_stage(name, "from is the name of a collection")
    return collection


def _join(name: str, spec: dict[str, Any], constants: Mapping[str, Any]) -> Lookup | None:
    if not spec.keys() & {"localField", "foreignField"}:
        return None
    equality = {argument: given for argument, given in spec.items() if argument not in {"let", "pipeline"}}
    return parse_lookup(name, equality, constants)
