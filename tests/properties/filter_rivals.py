"""Other implementations of MongoDB's queries, asked the same; and a query taken apart into its conditions."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

import mongomock_ng
from bson.datetime_ms import DatetimeMS
from bson.regex import Regex
from mongomock_ng.filtering import filter_applies
from montydb.engine import queries as monty_queries
from montydb.engine.queries import QueryFilter
from montydb.errors import OperationFailure
from montydb.types import bson as monty_bson

from laura_fast.domain.documents.filters import compile_filter
from laura_fast.errors import InvalidArgumentError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from laura_fast.domain.documents.codec import Document

Answer: TypeAlias = 'bool | Literal["refused", "failed"]'
"""Failed: an exception that is none of the implementation's refusals, or an operator that it says it lacks."""

monty_bson.init(use_bson=True)

_VERSIONED: Final = {
    name: getattr(monty_queries, name)
    for name in ("_is_comparable", "_regex_options_check", "_mod_remainder_not_num", "_not_subspec_op_check")
}
"""What montydb replaces, for the whole process, when a client is made: the version of MongoDB that it imitates."""

MISSING: Final = object()


@dataclass(frozen=True)
class Condition:
    """One operator on one path of a query, wherever it stands.

    Attributes:
        path: Dotted, from the document or, inside `$elemMatch`, from the element.
        operator: `$eq` for a plain value, `$regex` for a plain pattern.
        operand: As in the query.
        reached: What the path reaches, arrays whole.
        crossed: Arrays and scalars that the path meets before its end.
        plain: Written without an operator.
    """

    path: str
    operator: str
    operand: Any
    reached: tuple[Any, ...] = ()
    crossed: tuple[Any, ...] = ()
    plain: bool = False

    def values(self) -> Iterator[Any]:
        """What is reached, and the elements of arrays."""
        for value in self.reached:
            yield value
            yield from value if isinstance(value, list) else ()


def ours(query: Document, document: Document) -> Answer:
    try:
        return compile_filter(query).matches(document)
    except InvalidArgumentError:
        return "refused"


def mongomock(query: Document, document: Document) -> Answer:
    try:
        return bool(filter_applies(_native(query), _native(document)))  # type: ignore[no-untyped-call]  # it has no types
    except mongomock_ng.OperationFailure:
        return "refused"
    except Exception:  # noqa: BLE001 - its faults are of every kind
        return "failed"


def montydb(query: Document, document: Document) -> Answer:
    for name, function in _VERSIONED.items():
        setattr(monty_queries, name, function)
    try:
        return bool(QueryFilter(_native(query))(_native(document)))
    except OperationFailure:
        return "refused"
    except Exception:  # noqa: BLE001 - as above
        return "failed"


def _native(value: Any) -> Any:
    """With `datetime` for dates, which both expect."""
    if isinstance(value, dict):
        return {name: _native(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_native(inner) for inner in value]
    return value.as_datetime() if isinstance(value, DatetimeMS) else value


# --- conditions of a query --------------------------------------------------------------------------------------------


def conditions(query: Document, roots: list[Any]) -> Iterator[Condition]:
    """All conditions of a query with what they reach from documents, or from elements."""
    for name, operand in query.items():
        if name in {"$and", "$or", "$nor"}:
            for each in operand:
                yield from conditions(each, roots)
            continue
        crossed: list[Any] = []
        reached = [value for root in roots for value in _reach(root, name.split("."), crossed)]
        here = Condition(name, "", None, tuple(reached), tuple(crossed))
        if holds_operators(operand):
            yield from _operators(here, operand)
        else:
            yield replace(here, operator="$regex" if isinstance(operand, Regex) else "$eq", operand=operand, plain=True)


def _operators(base: Condition, operators: Document) -> Iterator[Condition]:
    for name, operand in operators.items():
        yield replace(base, operator=name, operand=operand)
        if name == "$not" and isinstance(operand, dict):
            yield from _operators(base, operand)
        for each in operand if name == "$all" else [{name: operand}]:
            if isinstance(each, dict) and "$elemMatch" in each:
                yield from _inside(base, each["$elemMatch"])


def _inside(base: Condition, operand: Document) -> Iterator[Condition]:
    elements = [element for value in base.reached if isinstance(value, list) for element in value]
    if of_values(operand):
        yield from _operators(replace(base, path="", reached=tuple(elements), crossed=()), operand)
    else:
        yield from conditions(operand, elements)


def holds_operators(operand: Any) -> bool:
    return isinstance(operand, dict) and next(iter(operand), "").startswith("$")


def of_values(operand: Document) -> bool:
    """Whether an `$elemMatch` is on values, not on documents."""
    return holds_operators(operand) and next(iter(operand)) not in {"$and", "$or", "$nor"}


def _reach(value: Any, parts: list[str], crossed: list[Any]) -> Iterator[Any]:
    if not parts:
        yield value
        return
    if isinstance(value, dict):
        if parts[0] in value:
            yield from _reach(value[parts[0]], parts[1:], crossed)
        else:
            yield MISSING
        return
    crossed.append(value)
    if isinstance(value, list):
        for element in value:
            if isinstance(element, dict):
                yield from _reach(element, parts, crossed)
        if parts[0].isdecimal() and int(parts[0]) < len(value):
            yield from _reach(value[int(parts[0])], parts[1:], crossed)
    else:
        yield MISSING
