"""What a filter asks of single paths: the intervals in which an index entry of every matching document lies.

A constraint is always complete: a document that satisfies it has an entry in the intervals. It may be tight, too:
an entry in them belongs to a document that satisfies it. What is known of arrays decides both (MongoDB manual,
"Multikey Index Bounds"):

===============================  =====================================================================================
condition                        intervals
===============================  =====================================================================================
`$eq` null                       null; below a dotted path elements of arrays that are no documents have it, too: then
                                 not tight, once arrays were met
`$eq` with an array              its first element (arrays are indexed by element) and, for arrays within arrays, the
                                 array; not tight
an order comparison              the operand's bracket on one side of it; with an array for an operand none
`$exists`                        true: all, and sparse indexes serve; false: null, not tight
`$not`, `$ne`, `$nin`            all others, if the inner is tight; tight only while no arrays were met
`$elemMatch` on values           those that satisfy every inner condition, as one element must satisfy all
`$elemMatch` on documents        one constraint for each inner path, of one element, which compound bounds may use
                                 together
`$or` on one path                the union
===============================  =====================================================================================

A path with a number in it means a position or a field, for arrays and documents within: whether something is missing
can't be told by its entries, once arrays were met.
"""

from __future__ import annotations

from enum import IntEnum
from functools import reduce
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from laura_fast.domain.documents.filters.tree import (
    All,
    And,
    Compare,
    ElementMatch,
    Exists,
    In,
    Matches,
    Mod,
    Node,
    Not,
    Operator,
    Or,
    TypeIs,
)
from laura_fast.domain.documents.indexing.entries import NULL_KEY
from laura_fast.domain.documents.indexing.extraction import has_position
from laura_fast.domain.documents.keys import EMPTY_ARRAY
from laura_fast.domain.documents.paths import is_position
from laura_fast.domain.documents.planning.comparisons import EXACT_TYPES, NULL, NUMBER, matching, of_types, ordered
from laura_fast.domain.documents.planning.intervals import (
    ALL,
    NONE,
    End,
    Interval,
    Intervals,
    complement,
    contains,
    intersection,
    point,
    union,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from laura_fast.domain.documents.filters.tree import Pattern


class Tight(IntEnum):
    """Whether an entry in the intervals proves the condition."""

    NEVER = 0
    WITHOUT_ARRAYS = 1
    ALWAYS = 2


class Element:
    """One application of `$elemMatch`: what its constraints say, they say of one element of the array at `path`."""

    __slots__ = ("path",)

    def __init__(self, path: str) -> None:
        self.path = path


class Constraint(NamedTuple):
    """What a condition says of one path.

    Attributes:
        path: Of the field.
        intervals: Where every document that satisfies it has an entry.
        tight: Whether an entry there proves it.
        arrays: Whether all this holds for an index that has met arrays on the path.
        present: The field is there in such an entry, so a sparse index has it.
        element: The `$elemMatch` it came from; None = the whole document.
    """

    path: str
    intervals: Intervals
    tight: Tight
    arrays: bool = True
    present: bool = False
    element: Element | None = None


class Term(NamedTuple):
    """One of the conditions that must all hold.

    Attributes:
        node: As the filter has it.
        constraints: What it says of paths; with none, only the document can tell.
        branches: Of an `$or`, where the planner asked for them: the terms of each of its conditions.
    """

    node: Node
    constraints: tuple[Constraint, ...]
    branches: tuple[tuple[Term, ...], ...] = ()


def terms_of(node: Node) -> list[Term]:
    """The conditions that must all hold, taken apart as far as that keeps their meaning."""
    apart = _apart(node)
    if apart is not None:
        return [term for each in apart for term in terms_of(each)]
    if type(node) is ElementMatch and not node.of_values:
        return [Term(node, tuple(_of_documents(node)))]
    constraint = constraint_of(node)
    return [Term(node, (constraint,) if constraint else ())]


def branched(term: Term) -> Term:
    """The term with its branches, if it is an `$or`."""
    if type(term.node) is not Or:
        return term
    return term._replace(branches=tuple(tuple(terms_of(each)) for each in term.node.nodes))


def _apart(node: Node) -> tuple[Node, ...] | None:
    """The nodes that must all hold in its place; None where it is one condition."""
    match node:
        case And(nodes):
            return nodes
        case All(_, nodes) if nodes:
            return nodes
        case Or((only,)):
            return (only,)
        case Not(Or(nodes)):
            return tuple(map(Not, nodes))
        case Not(Not(inner)):
            return (inner,)
    return None


def constraint_of(node: Node) -> Constraint | None:
    """What a condition says of its one path; None where it says nothing that keys can tell, or of several paths."""
    reader = _READERS.get(type(node))
    return reader(node) if reader else None


def _constraint(path: str, intervals: Intervals, tight: Tight, *, present: bool = False) -> Constraint:
    """With what the form of the path adds: null has other meanings below dots, and behind positions."""
    has_null = contains(intervals, NULL_KEY)
    arrays = True
    if "." in path:
        if has_null:
            tight = min(tight, Tight.WITHOUT_ARRAYS)
        if has_position(path):
            tight, arrays = min(tight, Tight.WITHOUT_ARRAYS), not has_null
    return Constraint(path, intervals, tight, arrays, present or not has_null)


def _compare(node: Compare) -> Constraint | None:
    if node.operator is Operator.EQ:
        return _equal(node.path, node.operand)
    intervals = ordered(node.operator, node.operand)
    return None if intervals is None else _constraint(node.path, intervals, Tight.ALWAYS)


def _equal(path: str, operand: Any) -> Constraint:
    if type(operand) is not list:
        return _constraint(path, (point(operand),), Tight.ALWAYS)
    first = point(operand[0]) if operand else _EMPTY_ARRAY
    return _constraint(path, union((point(operand), first)), Tight.NEVER)


def _in(node: In) -> Constraint | None:
    """As a union would be; values that are no arrays, which may be thousands, at once."""
    path = node.path
    points = union([point(value) for value in node.values if type(value) is not list])
    others = [_equal(path, value) for value in node.values if type(value) is list]
    others += [_like(path, pattern) for pattern in node.patterns]
    return _any_of(path, [_constraint(path, points, Tight.ALWAYS), *others])


def _like(path: str, pattern: Pattern) -> Constraint:
    return _constraint(path, matching(pattern), Tight.ALWAYS if pattern.exact else Tight.NEVER)


def _exists(node: Exists) -> Constraint:
    if node.wanted:
        return _constraint(node.path, ALL, Tight.NEVER, present=True)
    return _constraint(node.path, (NULL,), Tight.NEVER)


def _type_is(node: TypeIs) -> Constraint | None:
    intervals = of_types(node.types)
    tight = Tight.ALWAYS if node.types <= EXACT_TYPES else Tight.NEVER
    return None if intervals is None else _constraint(node.path, intervals, tight)


def _all(node: All) -> Constraint | None:
    """With conditions it is taken apart before; without any, nothing satisfies it."""
    return None if node.nodes else _constraint(node.path, NONE, Tight.ALWAYS)


def _or(node: Or) -> Constraint | None:
    found = [_sole(each) for each in node.nodes]
    return _any_of(found[0].path, found) if found and found[0] else None


def _any_of(path: str, constraints: Iterable[Constraint | None]) -> Constraint | None:
    """The union, if all are there and of the path."""
    found = list(constraints)
    intervals: list[Interval] = []
    tight, arrays = Tight.ALWAYS, True
    for each in found:
        if each is None or each.path != path:
            return None
        intervals += each.intervals
        tight, arrays = min(tight, each.tight), arrays and each.arrays
    return Constraint(path, union(intervals), tight, arrays, all(each.present for each in found if each))


def _not(node: Not) -> Constraint | None:
    """Every other entry. Only a tight inner proves that a document with an entry inside is not meant."""
    inner = _sole(node.node)
    if inner is None or inner.tight is Tight.NEVER:
        return None
    outer = _constraint(inner.path, complement(inner.intervals), Tight.WITHOUT_ARRAYS)
    return outer if inner.tight is Tight.ALWAYS else outer._replace(arrays=False)


def _sole(node: Node) -> Constraint | None:
    """The constraint of a node that is one condition, however it is wrapped."""
    terms = terms_of(node)
    return terms[0].constraints[0] if len(terms) == 1 and len(terms[0].constraints) == 1 else None


def _of_values(node: ElementMatch) -> Constraint | None:
    """One element satisfies all inner conditions, so its entry lies in all of their intervals."""
    found = [each.intervals for term in terms_of(node.inner) for each in term.constraints] if node.of_values else []
    return _constraint(node.path, reduce(intersection, found), Tight.NEVER) if found else None


def _of_documents(node: ElementMatch) -> Iterable[Constraint]:
    """Inner paths with a position are left out: of an array within the array, they mean what no index path means."""
    outer = Element(node.path)
    elements: dict[Element, Element] = {}
    behind_position = has_position(node.path)
    for each in [each for term in terms_of(node.inner) for each in term.constraints]:
        if any(map(is_position, each.path.split("."))):
            continue
        element = outer
        if each.element:
            element = elements.setdefault(each.element, Element(f"{node.path}.{each.element.path}"))
        arrays = each.arrays and not (behind_position and contains(each.intervals, NULL_KEY))
        path = f"{node.path}.{each.path}"
        yield each._replace(path=path, tight=Tight.NEVER, arrays=arrays, element=element)


_EMPTY_ARRAY: Final = Interval(End(EMPTY_ARRAY, [], after=False), End(NULL_KEY, [], after=True), EMPTY_ARRAY)
_READERS: Final[dict[type, Callable[[Any], Constraint | None]]] = {
    Compare: _compare,
    In: _in,
    Matches: lambda node: _like(node.path, node.pattern),
    Exists: _exists,
    Mod: lambda node: _constraint(node.path, (NUMBER,), Tight.NEVER),
    TypeIs: _type_is,
    All: _all,
    Not: _not,
    Or: _or,
    ElementMatch: _of_values,
}
