"""What a query means, as a tree: matching is compiled from it, the planner reads bounds off it.

Paths are dotted, as in the query. A predicate on a path holds, where MongoDB's rules say so, when it holds for the
value there or for any element of an array there; the compiler knows, the tree only says what was asked.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


class Operator(StrEnum):
    """Comparisons; the name is that of the query operator."""

    EQ = "$eq"
    GT = "$gt"
    GTE = "$gte"
    LT = "$lt"
    LTE = "$lte"


@dataclass(frozen=True, slots=True)
class Compare:
    """A comparison within the operand's type bracket. `EQ` with null matches missing fields, too."""

    path: str
    operator: Operator
    operand: Any


@dataclass(frozen=True, slots=True)
class In:
    """Equal to one of the values, or matched by one of the patterns."""

    path: str
    values: tuple[Any, ...]
    patterns: tuple[Pattern, ...] = ()


@dataclass(frozen=True, slots=True)
class Pattern:
    """A regular expression.

    Attributes:
        source: As given.
        options: A subset of "imsx".
        prefix: What every match begins with, when the pattern is anchored and tells case apart; else empty.
        exact: Whether beginning with `prefix` is all that it asks.
    """

    source: str
    options: str
    prefix: str
    exact: bool


@dataclass(frozen=True, slots=True)
class Matches:
    """A string matched by a pattern, or an equal regex value."""

    path: str
    pattern: Pattern


@dataclass(frozen=True, slots=True)
class Exists:
    """The field is there (null counts), or is not."""

    path: str
    wanted: bool


@dataclass(frozen=True, slots=True)
class Size:
    """An array of so many elements."""

    path: str
    count: int


@dataclass(frozen=True, slots=True)
class All:
    """Every one of the nodes holds at the path (`$all`); none at all matches nothing."""

    path: str
    nodes: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class ElementMatch:
    """Some one element of the array there satisfies the whole inner node.

    Attributes:
        of_values: The inner node's predicates have the path "" and look at the element itself; else the element is a
            document and paths begin in it.
    """

    path: str
    inner: Node
    of_values: bool


@dataclass(frozen=True, slots=True)
class Mod:
    """A number that leaves `remainder` when divided by `divisor`, both truncated to integers."""

    path: str
    divisor: int
    remainder: int


@dataclass(frozen=True, slots=True)
class TypeIs:
    """A value of one of the BSON types, by number (-1 MinKey, 127 MaxKey)."""

    path: str
    types: frozenset[int]


@dataclass(frozen=True, slots=True)
class Expression:
    """`$expr`, compiled: from the document to the value whose truth decides."""

    evaluate: Callable[[dict[str, Any]], Any]


@dataclass(frozen=True, slots=True)
class Not:
    """The node does not hold: `$not`, `$ne`, `$nin`."""

    node: Node


@dataclass(frozen=True, slots=True)
class And:
    """All hold. With none: everything matches."""

    nodes: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """At least one holds. `$nor` is `Not(Or(…))`."""

    nodes: tuple[Node, ...]


Node = Compare | In | Matches | Exists | Size | All | ElementMatch | Mod | TypeIs | Expression | Not | And | Or
EVERYTHING = And(())
