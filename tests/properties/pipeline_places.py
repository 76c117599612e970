"""Where another implementation may differ: a stage, and the documents that come to it.

Predicates are as narrow as the cause of a difference allows: what they do not name is compared.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from laura_fast.domain.documents.expressions import MISSING, compile_expression
from laura_fast.errors import RpcError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.properties.pipeline_rivals import Answer, Document, Stages


@dataclass(frozen=True)
class Difference:
    """Where mongomock-ng is known to differ, with an example of it.

    Attributes:
        rule: MongoDB's, which decides.
        applies: Whether a stage, by name, specification and the documents that come to it, is such a place.
        stages: Of the example.
        documents: Of the example.
        expected: By the rule; mongomock-ng says something else.
    """

    rule: str
    applies: Callable[[str, Any, list[Document]], bool]
    stages: Stages
    documents: list[Document]
    expected: Answer


def values(spec: Any, documents: list[Document]) -> list[Any]:
    """The values of an expression; without those that it has none for."""
    found: list[Any] = []
    for document in documents:
        with contextlib.suppress(RpcError):
            found.append(compile_expression(spec)(document))
    return found


def operands(spec: Any, operators: frozenset[str]) -> Iterator[Any]:
    """The operands of these operators, wherever they stand."""
    if isinstance(spec, list):
        for inner in spec:
            yield from operands(inner, operators)
    elif isinstance(spec, dict):
        for name, inner in spec.items():
            if name in operators:
                yield from inner if isinstance(inner, list) else [inner]
            yield from operands(inner, operators)


def gets(operators: frozenset[str], test: Callable[[Any], bool]) -> Callable[[str, Any, list[Document]], bool]:
    """Whether one of these operators has an operand with such a value for one of the documents."""
    return lambda _name, spec, documents: any(
        test(value) for operand in operands(spec, operators) for value in values(operand, documents)
    )


def lacks_array(path: str, documents: list[Document]) -> bool:
    """Whether a path leads to no element in one of the documents."""
    return any(not isinstance(value, list) or not value for value in values(path, documents))


def sets_missing(name: str, spec: Any, documents: list[Document]) -> bool:
    """Whether a stage sets a field to a missing value."""
    if name not in {"$set", "$addFields"}:
        return False
    inside = [inner for value in spec.values() if is_document(value) for inner in value.values()]
    return any(MISSING in values(value, documents) for value in [*spec.values(), *inside])


def sets_inside(name: str, spec: Any, documents: list[Document]) -> bool:
    """Whether a stage sets a field inside what is no document."""
    if name not in {"$set", "$addFields"}:
        return False
    tops = {path.partition(".")[0] for path, value in spec.items() if "." in path or is_document(value)}
    return any(not isinstance(document.get(top, {}), dict) for document in documents for top in tops)


def groups_bools(name: str, spec: Any, documents: list[Document]) -> bool:
    """Whether a stage groups by what is, or holds, a bool."""
    if name not in {"$group", "$sortByCount"}:
        return False
    return any(map(_holds_bool, values(spec["_id"] if name == "$group" else spec, documents)))


def _holds_bool(value: Any) -> bool:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return isinstance(value, bool) or any(map(_holds_bool, inner))


def sets_shared(name: str, spec: Any, documents: list[Document]) -> bool:
    """Whether a stage changes something inside a document that is in two fields."""
    if name not in {"$set", "$addFields", "$unset"}:
        return False
    tops = {path.partition(".")[0] for path in ([spec] if name == "$unset" else spec) if "." in path}
    return any(
        document[top] is value
        for document in documents
        for top in tops & document.keys()
        for field, value in document.items()
        if field != top
    )


def is_document(spec: Any) -> bool:
    """Whether an expression is a document of expressions."""
    return isinstance(spec, dict) and not next(iter(spec), "").startswith("$")


def orders_arrays(name: str, spec: Any, documents: list[Document]) -> bool:
    """Whether a stage sorts by arrays."""
    return name == "$sort" and any(isinstance(document.get(path), list) for document in documents for path in spec)


def orders_bools_inside(name: str, spec: Any, documents: list[Document]) -> bool:
    """Whether a stage sorts by documents that hold a bool."""
    return name == "$sort" and any(
        isinstance(value, dict) and _holds_bool(value) for path in spec for value in values(f"${path}", documents)
    )


def accumulates(operators: set[str], test: Callable[[Any], bool]) -> Callable[[str, Any, list[Document]], bool]:
    """Whether one of these accumulators of a `$group` has such a value for one of the documents."""
    found = gets(frozenset(operators), test)
    return lambda name, spec, documents: name == "$group" and found(name, spec, documents)


def has_array_inside(name: str, spec: Any, documents: list[Document]) -> bool:
    """Whether a stage leaves something out inside an array."""
    if name not in {"$unset", "$project"}:
        return False
    paths = [spec] if name == "$unset" else [path for path, kept in spec.items() if kept == 0]
    tops = {path.partition(".")[0] for path in paths if "." in path}
    return any(isinstance(document.get(top), list) for document in documents for top in tops)
