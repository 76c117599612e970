"""The way in: a query document becomes a `Filter`."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from laura_fast.domain.documents.codec import decode_stored
from laura_fast.domain.documents.filters.faults import fault
from laura_fast.domain.documents.filters.matching import compile_node
from laura_fast.domain.documents.filters.parsing import Parser
from laura_fast.domain.documents.filters.raw import ruled_out
from laura_fast.domain.documents.filters.tree import All, And, Compare, In, Node, Operator, Or

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from laura_fast.domain.documents.codec import Document


@dataclass(frozen=True)
class Filter:
    """A checked query.

    Attributes:
        tree: What it means; the planner reads bounds off it.
        matches: Whether a document satisfies it.
    """

    tree: Node
    matches: Callable[[Document], bool]

    @cached_property
    def ruled_out(self) -> Callable[[bytes], bool] | None:
        """Whether a document's BSON shows, undecoded, that it can't match; None where BSON never shows it."""
        return ruled_out(self.tree)

    @cached_property
    def find(self) -> Callable[[bytes], Document | None]:
        """The document in bytes that `codec.encode` made, if it matches; scans need not decode most of the others."""
        matches, is_out = self.matches, self.ruled_out

        def decode_and_match(data: bytes) -> Document | None:
            document = decode_stored(data)
            return document if matches(document) else None

        if is_out is None:
            return decode_and_match
        return lambda data: None if is_out(data) else decode_and_match(data)

    def equalities(self) -> dict[str, Any]:
        """Dotted paths that every match holds equal to a value: what an upsert begins with (MongoDB manual, "upsert").

        Raises:
            InvalidArgumentError: FILTER_INVALID: a path has two values, or one path goes on from another one.
        """
        found: dict[str, Any] = {}
        below: dict[str, str] = {}
        for path, value in _equalities(self.tree):
            above = _beginnings(path)
            taken = next((other for other in (path, *above) if other in found), below.get(path))
            if taken is not None:
                raise fault(path, f"can't be inferred for the upsert: the filter also has a value for {taken}")
            found[path] = value
            below.update(dict.fromkeys(above, path))
        return found


def compile_filter(query: Mapping[str, Any], constants: Mapping[str, Any] | None = None) -> Filter:
    """Checks a query and compiles it.

    Args:
        query: With MongoDB's operators; `limits` names what is too much of them.
        constants: Values of `$$NOW` and the like in `$expr`, by name without `$$`.

    Raises:
        InvalidArgumentError: FILTER_INVALID, naming the operator; PATH_INVALID; or BAD_EXPRESSION from `$expr`.
    """
    tree = Parser(constants).query(query)
    return Filter(tree, compile_node(tree))


def _equalities(node: Node) -> Iterator[tuple[str, Any]]:
    match node:
        case Compare(path, Operator.EQ, operand) | In(path, (operand,), ()):
            yield path, operand
        case And(nodes) | All(nodes=nodes):
            for each in nodes:
                yield from _equalities(each)
        case Or((alone,)):
            yield from _equalities(alone)
        case _:
            return


def _beginnings(path: str) -> list[str]:
    """The paths that this one goes on from."""
    return [path[:at] for at, letter in enumerate(path) if letter == "."]
