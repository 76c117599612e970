"""From an update document to the form that is run: every check that needs no document is made here, once.

The rules are those of MongoDB's manual, "Update Operators": an update is all operators or a replacement; no two of its
paths are the same or one within the other; operators are applied in the order of their paths.
"""

from __future__ import annotations

from functools import cmp_to_key
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from laura_fast.domain.documents.kinds import MISSING, type_name
from laura_fast.domain.documents.updates import arrays, fields
from laura_fast.domain.documents.updates.faults import invalid, unsupported
from laura_fast.domain.documents.updates.paths import element_index, split_path
from laura_fast.domain.documents.updates.push import push
from laura_fast.domain.documents.updates.renaming import Destination, Rename
from laura_fast.domain.documents.updates.tree import Branch, Leaf
from laura_fast.domain.documents.updates.update import OperatorUpdate, Replacement
from laura_fast.limits import documents as limits

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from laura_fast.domain.documents.updates.update import Update

OPERATORS: Final[Mapping[str, Callable[[str, str, Any], Leaf]]] = {
    "$set": fields.set_value,
    "$setOnInsert": fields.set_value,
    "$unset": fields.unset,
    "$inc": fields.increment,
    "$mul": fields.product,
    "$min": fields.minimum,
    "$max": fields.maximum,
    "$currentDate": fields.current_date,
    "$bit": fields.bit,
    "$push": push,
    "$addToSet": arrays.add_to_set,
    "$pop": arrays.pop,
    "$pull": arrays.pull,
    "$pullAll": arrays.pull_all,
}

_Draft: TypeAlias = "dict[str, _Draft | Leaf]"


def compile_update(update: Mapping[str, Any] | Sequence[Any]) -> Update:
    """The update, checked; it is a replacement unless its first field begins with $.

    Raises:
        InvalidArgumentError: UPDATE_INVALID, or UPDATE_UNSUPPORTED for what MongoDB has and this database has not.
    """
    if isinstance(update, list):
        raise unsupported("an update by an aggregation pipeline is not supported")
    if not isinstance(update, dict):
        raise invalid("an update is a document")
    first = next(iter(update), None)
    if first is None:
        raise invalid("the update is empty")
    for name in update:
        if name.startswith("$") is not first.startswith("$"):
            raise invalid(f"{first!r} and {name!r} in one update: it has operators only, or fields only")
    return _operators(update) if first.startswith("$") else Replacement(update)


def _operators(update: Mapping[str, Any]) -> OperatorUpdate:
    _check_number(update)
    leaves: list[Leaf] = []
    renames: list[Rename] = []
    for operator, path, operand in _clauses(update):
        if operator == "$rename":
            renames.append(Rename.parse(path, operand))
            leaves += (Leaf(operator, path, _take, undemanding=True), Destination(operand, len(renames) - 1))
        else:
            leaves.append(OPERATORS[operator](operator, path, operand))
    everything = _plant(leaves)
    standing = [leaf for leaf in leaves if leaf.operator != "$setOnInsert"]
    return OperatorUpdate(
        on_insert=everything,
        on_update=everything if len(standing) == len(leaves) else _plant(standing),
        renames=tuple(renames),
    )


def _clauses(update: Mapping[str, Any]) -> Iterator[tuple[str, str, Any]]:
    for operator, paths in update.items():
        if operator not in OPERATORS and operator != "$rename":
            raise invalid(f"unknown update operator {operator!r}")
        if not isinstance(paths, dict):
            raise invalid(f"{operator} takes a document of paths, not a value of type {type_name(paths)}")
        for path, operand in paths.items():
            yield operator, path, operand


def _check_number(update: Mapping[str, Any]) -> None:
    paths = sum(len(paths) for paths in update.values() if isinstance(paths, dict))
    if paths > limits.MAX_PATHS:
        raise invalid(f"the update has {paths:,} paths; at most {limits.MAX_PATHS:,} are allowed")


def _plant(leaves: Sequence[Leaf]) -> Branch:
    root: _Draft = {}
    for leaf in leaves:
        *above, last = split_path(leaf.operator, leaf.path)
        level = root
        for part in above:
            below = level.setdefault(part, {})
            if isinstance(below, Leaf):
                raise _conflict(below, leaf)
            level = below
        if last in level:
            raise _conflict(_any_leaf(level[last]), leaf)
        level[last] = leaf
    return _grown("", root)


def _grown(path: str, draft: _Draft) -> Branch:
    children = []
    by_value = any(map(str.isdigit, draft))
    for part in sorted(draft, key=cmp_to_key(_order) if by_value else None):
        node = draft[part]
        below = f"{path}.{part}" if path else part
        children.append((part, element_index(part), node if isinstance(node, Leaf) else _grown(below, node)))
    return Branch(path, tuple(children))


def _order(one: str, other: str) -> int:
    """Names by their code points, numbers by their value, as MongoDB orders the paths of an update."""
    if one.isdigit() and other.isdigit():
        return (len(one), one) > (len(other), other) or -1
    return one > other or -1


def _any_leaf(node: _Draft | Leaf) -> Leaf:
    return node if isinstance(node, Leaf) else _any_leaf(next(iter(node.values())))


def _conflict(one: Leaf, other: Leaf) -> Exception:
    return invalid(f"{one.operator} of {one.path!r} and {other.operator} of {other.path!r} conflict")


def _take(_old: Any, _run: Any) -> Any:
    return MISSING
