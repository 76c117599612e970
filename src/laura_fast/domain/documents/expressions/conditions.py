"""Boolean operators and choices: they evaluate no more than they need."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from laura_fast.domain.documents.expressions.part import (
    Eager,
    Evaluate,
    Part,
    Scope,
    arguments,
    carrying,
    folded,
    operands,
)
from laura_fast.domain.documents.expressions.values import failed, is_true, malformed
from laura_fast.domain.documents.kinds import MISSING

if TYPE_CHECKING:
    from laura_fast.domain.documents.expressions.part import Lazy

_COND: Final = ("if", "then", "else")


def _and(name: str, spec: Any, scope: Scope) -> Part:
    parts = scope.compile_all(operands(name, spec, 0, None))
    evaluates = [part.evaluate for part in parts]

    def evaluate(document: Any) -> bool:
        for operand in evaluates:  # noqa: SIM110 - all() with a generator takes twice as long
            if not is_true(operand(document)):
                return False
        return True

    return folded(parts, evaluate)


def _or(name: str, spec: Any, scope: Scope) -> Part:
    parts = scope.compile_all(operands(name, spec, 0, None))
    evaluates = [part.evaluate for part in parts]

    def evaluate(document: Any) -> bool:
        for operand in evaluates:  # noqa: SIM110 - as above
            if is_true(operand(document)):
                return True
        return False

    return folded(parts, evaluate)


def _cond(name: str, spec: Any, scope: Scope) -> Part:
    if type(spec) is dict:
        given = arguments(name, spec, frozenset(_COND))
        spec = [given[argument] for argument in _COND]
    parts = scope.compile_all(operands(name, spec, 3, 3))
    test, then, otherwise = (part.evaluate for part in parts)
    if parts[0].constant:
        return parts[1] if is_true(test(())) else parts[2]
    return carrying(parts, lambda document: then(document) if is_true(test(document)) else otherwise(document))


def _if_null(name: str, spec: Any, scope: Scope) -> Part:
    parts = scope.compile_all(operands(name, spec, 2, None))
    *first, last = (part.evaluate for part in parts)
    return carrying(parts, lambda document: _first_value(first, last, document))


def _first_value(evaluates: list[Evaluate], last: Evaluate, document: Any) -> Any:
    for evaluate in evaluates:
        value = evaluate(document)
        if value is not None and value is not MISSING:
            return value
    return last(document)


def _switch(name: str, spec: Any, scope: Scope) -> Part:
    given = arguments(name, spec, frozenset({"branches"}), frozenset({"default"}))
    branches = given["branches"]
    if type(branches) is not list or not branches:
        raise malformed("$switch takes a list of branches, one at least")
    pairs = [arguments("a branch of $switch", branch, frozenset({"case", "then"})) for branch in branches]
    cases = scope.compile_all([pair["case"] for pair in pairs])
    thens = scope.compile_all([pair["then"] for pair in pairs])
    default = [scope.compile(given["default"])] if "default" in given else []
    otherwise = default[0].evaluate if default else _no_branch
    choices = [(case.evaluate, then.evaluate) for case, then in zip(cases, thens, strict=True)]
    parts = [*cases, *thens, *default]
    return carrying(parts, lambda document: _chosen(choices, otherwise, document))


def _chosen(choices: list[tuple[Evaluate, Evaluate]], otherwise: Evaluate, document: Any) -> Any:
    for case, then in choices:
        if is_true(case(document)):
            return then(document)
    return otherwise(document)


def _no_branch(_: Any) -> Any:
    raise failed("no branch of $switch holds, and it has no default")


CONDITIONS: Final[dict[str, Eager | Lazy]] = {
    "$and": _and,
    "$or": _or,
    "$not": Eager(lambda value: not is_true(value)),
    "$cond": _cond,
    "$ifNull": _if_null,
    "$switch": _switch,
}
