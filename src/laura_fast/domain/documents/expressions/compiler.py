"""From an expression to a closure: field paths, variables, literals, documents, lists and the table of operators."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from laura_fast.domain.documents.expressions.accumulators import OVER_ARRAYS
from laura_fast.domain.documents.expressions.arithmetic import ARITHMETIC
from laura_fast.domain.documents.expressions.arrays import ARRAYS
from laura_fast.domain.documents.expressions.comparison import COMPARISON
from laura_fast.domain.documents.expressions.conditions import CONDITIONS
from laura_fast.domain.documents.expressions.conversions import CONVERSIONS
from laura_fast.domain.documents.expressions.dates import DATES
from laura_fast.domain.documents.expressions.objects import OBJECTS
from laura_fast.domain.documents.expressions.part import Eager, Evaluate, Part, Scope, carrying, constant
from laura_fast.domain.documents.expressions.paths import field_path, variable
from laura_fast.domain.documents.expressions.powers import POWERS
from laura_fast.domain.documents.expressions.regexes import REGEXES
from laura_fast.domain.documents.expressions.rounding import ROUNDING
from laura_fast.domain.documents.expressions.strings import STRINGS
from laura_fast.domain.documents.expressions.values import malformed
from laura_fast.domain.documents.expressions.variables import VARIABLES
from laura_fast.domain.documents.kinds import MISSING
from laura_fast.limits import queries as limits

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from laura_fast.domain.documents.expressions.part import Lazy


def compile_expression(spec: Any, constants: Mapping[str, Any] | None = None) -> Callable[[dict[str, Any]], Any]:
    """Checks and compiles an expression into a function of the document.

    Args:
        spec: The expression.
        constants: Values of `$$NOW` and other variables that are the same for the whole request, by name without `$$`.

    Returns:
        The value of the expression for a document; `MISSING` where there is none. It raises InvalidArgumentError,
        reason EXPRESSION_FAILED, for a document that the expression has no meaning for (a string to add).

    Raises:
        InvalidArgumentError: Reason BAD_EXPRESSION: an unknown operator or variable, a wrong number of operands, or an
            expression deeper or larger than `limits` allow. EXPRESSION_FAILED: a constant part of it has no value.
    """
    return compile_part(spec, constants).evaluate


def compile_part(spec: Any, constants: Mapping[str, Any] | None = None) -> Part:
    """The same, with what the expression reads. Raises what `compile_expression` does."""
    _check_size(spec)
    return _parse(spec, Scope(_parse, constants or {}))


def _check_size(spec: Any) -> None:
    waiting, seen = [(spec, 1)], 0
    while waiting:
        value, depth = waiting.pop()
        seen += 1
        if depth > limits.MAX_EXPRESSION_DEPTH or seen > limits.MAX_EXPRESSION_NODES:
            raise malformed(
                f"an expression is deeper than {limits.MAX_EXPRESSION_DEPTH} levels"
                f" or has more than {limits.MAX_EXPRESSION_NODES} parts"
            )
        if type(value) is dict:
            waiting.extend((part, depth + 1) for part in value.values())
        elif type(value) is list:
            waiting.extend((part, depth + 1) for part in value)


def _parse(spec: Any, scope: Scope) -> Part:
    kind = type(spec)
    if kind is str and spec.startswith("$"):
        return variable(spec[2:], scope) if spec.startswith("$$") else field_path(spec[1:], scope)
    if kind is dict:
        return _document(spec, scope)
    if kind is list:
        return _list(spec, scope)
    return constant(spec)


def _document(spec: dict[str, Any], scope: Scope) -> Part:
    for name, operand in spec.items():
        if name.startswith("$"):
            if len(spec) > 1:
                raise malformed(f"an expression has exactly one operator; {name} stands beside other fields")
            return _operator(name, operand, scope)
        if "." in name or not name or "\0" in name:
            raise malformed(f"a field name in an expression is not empty and has no dot: {name!r}")
    parts = scope.compile_all(list(spec.values()))
    pairs = [(name, part.evaluate) for name, part in zip(spec, parts, strict=True)]
    return carrying(parts, _build_document(pairs), levels=1)


def _operator(name: str, spec: Any, scope: Scope) -> Part:
    known = OPERATORS.get(name)
    if known is None:
        raise malformed(f"unknown expression {name}")
    return known.compile(name, spec, scope) if isinstance(known, Eager) else known(name, spec, scope)


def _build_document(pairs: list[tuple[str, Evaluate]]) -> Evaluate:
    def evaluate(document: Any) -> dict[str, Any]:
        built = {}
        for name, part in pairs:
            value = part(document)
            if value is not MISSING:
                built[name] = value
        return built

    return evaluate


def _list(spec: list[Any], scope: Scope) -> Part:
    parts = scope.compile_all(spec)
    evaluates = [part.evaluate for part in parts]

    def evaluate(document: Any) -> list[Any]:
        values = [part(document) for part in evaluates]
        return [None if value is MISSING else value for value in values]

    return carrying(parts, evaluate, levels=1)


def _literal(_: str, spec: Any, __: Scope) -> Part:
    return constant(spec)


OPERATORS: Final[dict[str, Eager | Lazy]] = {
    "$literal": _literal,
    "$const": _literal,
    **ARITHMETIC,
    **POWERS,
    **ROUNDING,
    **COMPARISON,
    **CONDITIONS,
    **STRINGS,
    **REGEXES,
    **ARRAYS,
    **OBJECTS,
    **VARIABLES,
    **DATES,
    **CONVERSIONS,
    **OVER_ARRAYS,
}
"""Every operator by name. One more is a line here and nothing elsewhere."""
