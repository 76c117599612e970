"""What compiling an expression gives, and what it needs to know while it does."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

from laura_fast.domain.documents.expressions.sizes import checked, least_bytes
from laura_fast.domain.documents.expressions.values import malformed
from laura_fast.limits import queries as limits

Evaluate: TypeAlias = Callable[[Any], Any]
"""From the document to the value. Inside an operator that binds variables (`$map`), from a frame: the document and the
values bound so far, outermost first. So nothing is shared between two runs of a compiled expression."""


@dataclass(frozen=True, slots=True)
class Part:
    """A compiled expression.

    Attributes:
        evaluate: Runs it.
        fields: Top-level fields of the document that it reads; None = possibly all.
        constant: Reads nothing: its value is always the same.
        growth: A bound of how many times larger, or levels deeper, the value may be than what is read; 0 = a number, a
            date or the like. Kept low by `carrying`.
    """

    evaluate: Evaluate
    fields: frozenset[str] | None = frozenset()
    constant: bool = False
    growth: int = 0


class Cell:
    """A variable that gets a value for each run of an expression, from outside of it."""

    __slots__ = ("value",)

    def __init__(self) -> None:
        self.value: Any = None


@dataclass(frozen=True, slots=True)
class Scope:
    """Where an expression stands.

    Attributes:
        parse: Compiles an expression that stands in a scope.
        constants: System variables with one value for the whole request (NOW), by name; or cells, whose value changes.
        variables: Names bound around it, outermost first: their places in the frame, which begin behind the document.
        growths: The growth of the variables' values.
    """

    parse: Callable[[Any, Scope], Part]
    constants: Mapping[str, Any] = field(default_factory=dict)
    variables: tuple[str, ...] = ()
    growths: tuple[int, ...] = ()

    def compile(self, spec: Any) -> Part:
        return self.parse(spec, self)

    def compile_all(self, specs: Sequence[Any]) -> list[Part]:
        return [self.parse(spec, self) for spec in specs]

    def binding(self, names: Sequence[str], growths: Sequence[int]) -> Scope:
        """The scope of an expression for which these variables are bound, too."""
        return replace(self, variables=(*self.variables, *names), growths=(*self.growths, *growths))

    def extender(self) -> Callable[[Any, tuple[Any, ...]], tuple[Any, ...]]:
        """From what an expression of this scope gets, and values bound in `binding`, to the frame inside."""
        if self.variables:
            return lambda frame, bound: frame + bound
        return lambda document, bound: (document, *bound)


def reads(parts: Sequence[Part]) -> frozenset[str] | None:
    """The fields that any of the parts reads; None = possibly all."""
    found: frozenset[str] = frozenset()
    for part in parts:
        if part.fields is None:
            return None
        found |= part.fields
    return found


def folded(parts: Sequence[Part], evaluate: Evaluate) -> Part:
    """An expression made of parts, whose value is a number, a date or the like; evaluated now if nothing is read."""
    if all(part.constant for part in parts):
        return constant(evaluate(()))
    return Part(evaluate, reads(parts))


def carrying(parts: Sequence[Part], evaluate: Evaluate, *, levels: int = 0, makes: bool = False) -> Part:
    """An expression whose value may hold what its parts give, once each.

    Args:
        parts: What it is made of.
        evaluate: Runs it.
        levels: How much deeper than its parts it is.
        makes: Whether it is large even if its parts are not.

    Returns:
        The expression. Where its values may have grown too much, each one is measured.
    """
    part = folded(parts, evaluate)
    growth = max(sum(inner.growth for inner in parts), int(makes))
    if part.constant or not growth:
        return part
    if growth + levels > limits.MAX_UNMEASURED_GROWTH:
        return replace(part, evaluate=measured(evaluate), growth=1)
    return replace(part, growth=growth + levels)


def measured(evaluate: Evaluate) -> Evaluate:
    """The same, but a value that no document could hold is an error."""
    return lambda document: checked(evaluate(document))


def constant(value: Any) -> Part:
    """An expression that always has this value. It is shared by all who evaluate it: nobody changes values."""
    return Part(lambda _: value, constant=True, growth=int(least_bytes(value) > limits.SMALL_CONSTANT_BYTES))


@dataclass(frozen=True, slots=True)
class Eager:
    """An operator that evaluates all its operands and hands them to a function.

    Attributes:
        apply: The function.
        least: Operands it must have.
        most: Operands it may have; None = any number.
        carries: Whether the value may hold the operands or parts of them.
        levels: How much deeper than the operands it is then.
        makes: Whether it makes something large out of numbers.
    """

    apply: Callable[..., Any]
    least: int = 1
    most: int | None = 1
    carries: bool = False
    levels: int = 0
    makes: bool = False

    def compile(self, name: str, spec: Any, scope: Scope) -> Part:
        parts = scope.compile_all(operands(name, spec, self.least, self.most))
        evaluate = _call(self.apply, [part.evaluate for part in parts])
        if not self.carries:
            return folded(parts, evaluate)
        return carrying(parts, evaluate, levels=self.levels, makes=self.makes)


Lazy: TypeAlias = Callable[[str, Any, Scope], Part]
"""Compiles an operator that decides itself what of its operand is evaluated, and when."""


def operands(name: str, spec: Any, least: int, most: int | None) -> list[Any]:
    """The operands of an operator: a list of them, or a single one without the list."""
    given = spec if type(spec) is list else [spec]
    if len(given) < least or (most is not None and len(given) > most):
        wanted = f"{least}" if least == most else f"at least {least}" if most is None else f"{least} to {most}"
        raise malformed(f"{name} takes {wanted} operands, not {len(given)}")
    return given


def arguments(name: str, spec: Any, required: frozenset[str], optional: frozenset[str] = frozenset()) -> dict[str, Any]:
    """The named arguments of an operator."""
    if type(spec) is not dict:
        raise malformed(f"{name} takes a document of arguments")
    if unknown := spec.keys() - required - optional:
        raise malformed(f"{name} has no argument {min(unknown)!r}")
    if absent := required - spec.keys():
        raise malformed(f"{name} needs the argument {min(absent)!r}")
    return spec


def _call(apply: Callable[..., Any], evaluates: Sequence[Evaluate]) -> Evaluate:
    match evaluates:
        case [first]:
            return lambda document: apply(first(document))
        case [first, second]:
            return lambda document: apply(first(document), second(document))
        case _:
            return lambda document: apply(*[evaluate(document) for evaluate in evaluates])
