"""Whether documents that satisfy some conditions satisfy another one, too: the question of partial indexes.

A proof, not a search: "no" may also mean that it was not seen. MongoDB's rule (manual, "Partial Indexes", "Query
Coverage"): an index serves a query whose conditions guarantee that every match is in it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from laura_fast.domain.documents.filters.tree import (
    All,
    And,
    Compare,
    ElementMatch,
    Exists,
    Expression,
    In,
    Matches,
    Node,
    Not,
    Or,
    TypeIs,
)
from laura_fast.domain.documents.keys import encode_value
from laura_fast.domain.documents.planning.constraints import Tight, constraint_of
from laura_fast.domain.documents.planning.intervals import is_within

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from laura_fast.domain.documents.planning.constraints import Constraint, Term


def implies(terms: Sequence[Term], node: Node) -> bool:
    """Whether every document that satisfies all the terms satisfies the node.

    Of an `$or` among the terms its branches are looked at, but no `$or` within them: a query may nest a hundred, and
    this is asked for every partial index.
    """
    match node:
        case And(nodes):
            return all(implies(terms, each) for each in nodes)
        case Or(nodes) if any(implies(terms, each) for each in nodes):
            return True
    target = constraint_of(node) if type(node) in _OF_VALUES else None
    return any(_proves(term, node, target) for term in terms)


def _proves(term: Term, node: Node, target: Constraint | None) -> bool:
    if type(term.node) is type(node) and signature(term.node) == signature(node):
        return True
    if term.branches:
        return all(implies(branch, node) for branch in term.branches)
    if target is None:
        return False
    wants_presence = type(node) is Exists and node.wanted
    if target.tight is not Tight.ALWAYS and not wants_presence:
        return False
    return any(
        each.path == target.path
        and each.arrays
        and (each.present if wants_presence else is_within(each.intervals, target.intervals))
        for each in term.constraints
    )


def signature(node: Node) -> Any:
    """Equal for nodes that ask the same in the same words. Nodes themselves won't do: in Python, True is 1."""
    reader = _SIGNATURES.get(type(node))
    return (type(node), reader(node)) if reader else node


_OF_VALUES: Final = frozenset({Compare, In, Matches, TypeIs, Exists})
"""Conditions that other ones can prove by their intervals; the rest only by saying the same."""

_SIGNATURES: Final[dict[type, Callable[[Any], Any]]] = {
    Compare: lambda node: (node.path, node.operator, encode_value(node.operand)),
    In: lambda node: (node.path, frozenset(map(encode_value, node.values)), frozenset(node.patterns)),
    All: lambda node: (node.path, tuple(map(signature, node.nodes))),
    ElementMatch: lambda node: (node.path, node.of_values, signature(node.inner)),
    Not: lambda node: signature(node.node),
    And: lambda node: tuple(map(signature, node.nodes)),
    Or: lambda node: tuple(map(signature, node.nodes)),
    Expression: id,
}
