"""`$match`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from laura_fast.domain.documents.filters import Filter, compile_filter
from laura_fast.domain.documents.filters.tree import And, Expression, Node, Not, Or
from laura_fast.domain.documents.pipeline.stage import Stage, bad_stage

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from laura_fast.domain.documents.pipeline.stage import Context, Document


@dataclass(frozen=True)
class Match(Stage):
    """Lets through what a query matches; `query` and `constants` are what `filter` was made of."""

    query: Document
    filter: Filter
    constants: Mapping[str, Any]
    local: ClassVar[bool] = True

    @property
    def reads(self) -> frozenset[str] | None:
        return _fields(self.filter.tree)

    def keeps(self, _field: str, /) -> bool:
        return True

    def run(self, documents: Iterable[Document], _context: Context, /) -> Iterator[Document]:
        return filter(self.filter.matches, documents)

    def joined(self, other: Match) -> Match:
        """One `$match` for two in a row."""
        query = {"$and": [self.query, other.query]}
        return Match(query, compile_filter(query, self.constants), self.constants)


def parse_match(name: str, spec: Any, constants: Mapping[str, Any]) -> Stage:
    """`$match`: a query."""
    if type(spec) is not dict:
        raise bad_stage(name, "a query document is needed")
    return Match(spec, compile_filter(spec, constants), constants)


def _fields(node: Node) -> frozenset[str] | None:
    match node:
        case Expression():
            return None
        case Not(inner):
            return _fields(inner)
        case And(nodes) | Or(nodes):
            found = [_fields(inner) for inner in nodes]
            return None if None in found else frozenset().union(*(fields for fields in found if fields))
        case _:
            return frozenset({node.path.partition(".")[0]})
