"""Operators that bind variables: `$let`, `$map`, `$filter`, `$reduce`."""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from laura_fast.domain.documents.expressions.numbers import to_double
from laura_fast.domain.documents.expressions.part import Part, Scope, arguments, reads
from laura_fast.domain.documents.expressions.sizes import collected
from laura_fast.domain.documents.expressions.values import failed, is_nullish, is_true, malformed
from laura_fast.domain.documents.expressions.watching import steps
from laura_fast.domain.documents.kinds import MISSING, NUMBERS, type_name
from laura_fast.limits import queries as limits

if TYPE_CHECKING:
    from laura_fast.domain.documents.expressions.part import Lazy

_NAME: Final = re.compile(r"[a-z\u0080-\U0010ffff][A-Za-z0-9_\u0080-\U0010ffff]*")
"""Variables of users begin with a small letter; capitals are the system's."""


def _let(name: str, spec: Any, scope: Scope) -> Part:
    given = arguments(name, spec, frozenset({"vars", "in"}))
    if type(given["vars"]) is not dict:
        raise malformed("$let takes a document of vars")
    bound = scope.compile_all(list(given["vars"].values()))
    names = [checked_variable(variable) for variable in given["vars"]]
    inner = scope.binding(names, [part.growth for part in bound]).compile(given["in"])
    extend, evaluates, inside = scope.extender(), [part.evaluate for part in bound], inner.evaluate

    def evaluate(outer: Any) -> Any:
        return inside(extend(outer, tuple([part(outer) for part in evaluates])))

    return Part(evaluate, reads([*bound, inner]), growth=inner.growth)


def _map(name: str, spec: Any, scope: Scope) -> Part:
    given = arguments(name, spec, frozenset({"input", "in"}), frozenset({"as"}))
    source = scope.compile(given["input"])
    inner = scope.binding([checked_variable(given.get("as", "this"))], [source.growth]).compile(given["in"])
    extend, elements, inside = scope.extender(), source.evaluate, inner.evaluate

    def evaluate(outer: Any) -> list[Any] | None:
        array = _array(name, elements(outer))
        if array is None:
            return None
        values = (inside(extend(outer, (element,))) for element in steps(array))
        return collect(None if value is MISSING else value for value in values)

    collect = collected if inner.growth else list
    return Part(evaluate, reads([source, inner]), growth=1)


def _filter(name: str, spec: Any, scope: Scope) -> Part:
    given = arguments(name, spec, frozenset({"input", "cond"}), frozenset({"as", "limit"}))
    source, limit = scope.compile_all([given["input"], given.get("limit")])
    inner = scope.binding([checked_variable(given.get("as", "this"))], [source.growth]).compile(given["cond"])
    extend, elements, most, holds = scope.extender(), source.evaluate, limit.evaluate, inner.evaluate

    def evaluate(outer: Any) -> list[Any] | None:
        array, count = _array(name, elements(outer)), _limit(most(outer))
        if array is None:
            return None
        kept = (element for element in steps(array) if is_true(holds(extend(outer, (element,)))))
        return list(islice(kept, count))

    return Part(evaluate, reads([source, limit, inner]), growth=source.growth)


def _limit(count: Any) -> int | None:
    if is_nullish(count):
        return None
    number = to_double(count) if type(count) in NUMBERS else 0.0
    if not number.is_integer() or number < 1:
        raise failed("$filter takes a limit that is a whole number above 0")
    return int(number)


def _reduce(name: str, spec: Any, scope: Scope) -> Part:
    given = arguments(name, spec, frozenset({"input", "initialValue", "in"}))
    source, initial = scope.compile_all([given["input"], given["initialValue"]])
    growths = [source.growth, limits.MAX_UNMEASURED_GROWTH]
    inner = scope.binding(["this", "value"], growths).compile(given["in"])
    extend, elements, begin, inside = scope.extender(), source.evaluate, initial.evaluate, inner.evaluate

    def evaluate(outer: Any) -> Any:
        array = _array(name, elements(outer))
        if array is None:
            return None
        value = begin(outer)
        for element in steps(array):
            value = inside(extend(outer, (element, value)))
        return value

    return Part(evaluate, reads([source, initial, inner]), growth=limits.MAX_UNMEASURED_GROWTH)


def _array(name: str, value: Any) -> list[Any] | None:
    if is_nullish(value):
        return None
    if type(value) is not list:
        raise failed(f"{name} takes an array, not {type_name(value)}")
    return value


def checked_variable(variable: Any) -> str:
    """A name that users may give to a variable."""
    if type(variable) is not str or not _NAME.fullmatch(variable):
        raise malformed(f"{variable!r} can't name a variable: it begins with a small letter")
    return variable


VARIABLES: Final[dict[str, Lazy]] = {"$let": _let, "$map": _map, "$filter": _filter, "$reduce": _reduce}
