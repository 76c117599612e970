"""The way in: a query document becomes a `Filter`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from laura_fast.domain.documents.filters.faults import fault
from laura_fast.domain.documents.filters.matching import compile_node
from laura_fast.domain.documents.filters.parsing import Parser
from laura_fast.domain.documents.filters.tree import All, And, Compare, Node, Operator, Or

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from laura_fast.domain.documents.codec import Document


@dataclass(frozen=True, slots=True)
class Filter:
    """A checked query.

    Attributes:
        tree: What it means; the planner reads bounds off it.
        matches: Whether a document satisfies it.
    """

    tree: Node
    matches: Callable[[Document], bool]

    def equalities(self) -> dict[str, Any]:
        """Dotted paths that every match holds equal to a value: what an upsert begins with (MongoDB manual, "upsert").

        Raises:
            InvalidArgumentError: FILTER_INVALID: a path has two values, or one path goes on from another one.
        """
        found: dict[str, Any] = {}
        for path, value in _equalities(self.tree):
            taken = next((other for other in found if _overlap(path, other)), None)
            if taken is not None:
                raise fault(path, f"can't be inferred for the upsert: the filter also has a value for {taken}")
            found[path] = value
        return found


def compile_filter(query: Mapping[str, Any]) -> Filter:
    """Checks a query and compiles it.

    Args:
        query: With MongoDB's operators; `limits` names what is too much of them.

    Raises:
        InvalidArgumentError: FILTER_INVALID, naming the operator; PATH_INVALID; or BAD_EXPRESSION from `$expr`.
    """
    tree = Parser().query(query)
    return Filter(tree, compile_node(tree))


def _equalities(node: Node) -> Iterator[tuple[str, Any]]:
    match node:
        case Compare(path, Operator.EQ, operand):
            yield path, operand
        case And(nodes) | All(nodes=nodes):
            for each in nodes:
                yield from _equalities(each)
        case Or((alone,)):
            yield from _equalities(alone)
        case _:
            return


def _overlap(path: str, other: str) -> bool:
    return f"{path}.".startswith(f"{other}.") or f"{other}.".startswith(f"{path}.")
