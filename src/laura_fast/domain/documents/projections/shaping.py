"""From a projection as a tree to closures over documents."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

from laura_fast.domain.documents.codec import Document
from laura_fast.domain.documents.kinds import MISSING
from laura_fast.domain.documents.projections.clauses import Clause, Kind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from laura_fast.domain.documents.projections.clauses import Change

Tree: TypeAlias = "dict[str, Tree | Clause]"
Shape: TypeAlias = Callable[[Document], Document]


def including(tree: Tree) -> Shape:
    """What the tree names, and no more, in the document's order."""
    if all(isinstance(node, Clause) and node.kind is Kind.INCLUDE for node in tree.values()):
        wanted = frozenset(tree)
        return lambda document: {name: value for name, value in document.items() if name in wanted}
    changes = {name: _below(node, including, MISSING) for name, node in tree.items()}
    return lambda document: {
        name: new
        for name, value in document.items()
        if name in changes and (new := changes[name](value)) is not MISSING
    }


def excluding(tree: Tree) -> Shape:
    """All but what the tree excludes, changed where it changes something."""
    changes = {name: _below(node, excluding, None) for name, node in tree.items()}
    return lambda document: {
        name: new
        for name, value in document.items()
        if (new := changes[name](value) if name in changes else value) is not MISSING
    }


def _below(node: Tree | Clause, project: Callable[[Tree], Shape], scalar: Any) -> Change:
    """A change of a whole field, or of the documents in it; what is none becomes `scalar`, or stays if that is None."""
    if isinstance(node, Clause):
        return node.change
    apply = project(node)

    def change(value: Any) -> Any:
        if isinstance(value, dict):
            return apply(value)
        if isinstance(value, list):
            return [new for each in value if (new := change(each)) is not MISSING]
        return value if scalar is None else scalar

    return change


def with_elements(plain: Shape, elements: Mapping[str, Clause]) -> Shape:
    """What `plain` returns, and behind it the elements found in the document's arrays."""

    def apply(document: Document) -> Document:
        result = plain(document)
        for name, clause in elements.items():
            found = clause.change(document.get(name))
            if found is not MISSING:
                result[name] = found
        return result

    return apply
