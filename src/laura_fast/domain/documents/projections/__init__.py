"""Which fields of a found document are returned, by MongoDB's rules of `find`'s projection.

====================================  ================================================================================
projection                            result
====================================  ================================================================================
{}                                    the whole document
{a: 1, "b.c": 1}                      these fields and `_id`, in the document's order
{a: 0, "b.c": 0}                      all but these
{a: {$slice: n}}, {$slice: [s, n]}    part of an array; alone, all other fields too
{a: {$elemMatch: query}}              the first matching element, behind the other fields; alone, only it and `_id`
{a: {b: 1}}                           as {"a.b": 1}
====================================  ================================================================================

Paths go into documents and through arrays of them; numbers in them are names. `_id` alone may be treated differently
from the rest. What an array holds beside documents is kept by an exclusion and left out by an inclusion below it.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from laura_fast.domain.documents.projections.clauses import Clause, Kind, invalid, keep, read_clauses
from laura_fast.domain.documents.projections.shaping import excluding, including, with_elements
from laura_fast.limits import documents as limits

if TYPE_CHECKING:
    from collections.abc import Mapping

    from laura_fast.domain.documents.projections.shaping import Shape, Tree
    from laura_fast.errors import InvalidArgumentError

_SWITCHES: Final = frozenset({Kind.INCLUDE, Kind.EXCLUDE})


@dataclass(frozen=True, slots=True)
class Projection:
    """A checked projection.

    Attributes:
        apply: From a document, which is not changed, to what is returned of it.
        included: The paths that are returned, `_id` among them unless excluded; None where paths don't say it all.
    """

    apply: Shape
    included: frozenset[str] | None


def compile_projection(projection: Mapping[str, Any]) -> Projection:
    """Checks a projection, see the module.

    Raises:
        InvalidArgumentError: PROJECTION_INVALID, naming the field; PROJECTION_UNSUPPORTED for MongoDB's positional
            operator and expressions.
    """
    clauses = list(islice(read_clauses(projection), limits.MAX_PATHS + 1))
    if len(clauses) > limits.MAX_PATHS:
        raise invalid(f"projection: more than {limits.MAX_PATHS:,} paths")
    if not clauses:
        return Projection(lambda document: document, None)
    inclusion = _is_inclusion(clauses)
    wanted = _with_id(clauses) if inclusion else [clause for clause in clauses if not _keeps_id(clause)]
    tree = _planted(wanted)
    if not inclusion:
        return Projection(excluding(tree), None)
    elements = {name: node for name, node in tree.items() if isinstance(node, Clause) and node.kind is Kind.ELEMENT}
    plain = including({name: node for name, node in tree.items() if name not in elements})
    if elements:
        return Projection(with_elements(plain, elements), None)
    as_it_is = all(clause.kind is Kind.INCLUDE for clause in wanted)
    return Projection(plain, frozenset(clause.path for clause in wanted) if as_it_is else None)


def _is_inclusion(clauses: list[Clause]) -> bool:
    """The first field but `_id` decides, all others must agree; without one, what MongoDB does with what there is."""
    deciding = [clause for clause in clauses if clause.path != "_id" and clause.kind in _SWITCHES]
    if not deciding:
        kinds = {clause.kind for clause in clauses}
        return Kind.ELEMENT in kinds or Kind.INCLUDE in kinds
    for clause in deciding:
        if clause.kind is not deciding[0].kind:
            verbs = ("exclude", "includes") if clause.kind is Kind.EXCLUDE else ("include", "excludes")
            raise invalid(f"projection: can't {verbs[0]} {clause.path!r} where {deciding[0].path!r} {verbs[1]}")
    return deciding[0].kind is Kind.INCLUDE


def _keeps_id(clause: Clause) -> bool:
    return clause.path == "_id" and clause.kind is Kind.INCLUDE


def _with_id(clauses: list[Clause]) -> list[Clause]:
    """With `_id`, unless it is spoken of."""
    spoken_of = any(clause.path.split(".")[0] == "_id" for clause in clauses)
    wanted = [clause for clause in clauses if clause.kind is not Kind.EXCLUDE]
    return wanted if spoken_of else [*wanted, Clause("_id", Kind.INCLUDE, keep)]


def _planted(clauses: list[Clause]) -> Tree:
    root: Tree = {}
    for clause in clauses:
        *above, last = clause.path.split(".")
        level = root
        for part in above:
            below = level.setdefault(part, {})
            if isinstance(below, Clause):
                raise _collision(below.path, clause.path)
            level = below
        if last in level:
            raise _collision(clause.path, _some_path(level[last]))
        level[last] = clause
    return root


def _some_path(node: Tree | Clause) -> str:
    return node.path if isinstance(node, Clause) else _some_path(next(iter(node.values())))


def _collision(one: str, other: str) -> InvalidArgumentError:
    return invalid(f"projection: {one!r} and {other!r} collide")
