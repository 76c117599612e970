"""From a filter's tree to one closure over documents: decided once, run on each."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any, Final

from laura_fast.domain.documents.expressions import is_true
from laura_fast.domain.documents.filters import values
from laura_fast.domain.documents.filters.shortcuts import shortened
from laura_fast.domain.documents.filters.tree import (
    All,
    And,
    Compare,
    ElementMatch,
    Exists,
    Expression,
    In,
    Matches,
    Mod,
    Node,
    Not,
    Or,
    Size,
    TypeIs,
)
from laura_fast.domain.documents.kinds import MISSING
from laura_fast.domain.documents.paths import reaches

if TYPE_CHECKING:
    from collections.abc import Callable

    from laura_fast.domain.documents.codec import Document
    from laura_fast.domain.documents.paths import Test


def compile_node(node: Node) -> Callable[[Document], bool]:
    """Whether a document satisfies the tree."""
    match node:
        case Expression(evaluate):
            return lambda document: is_true(evaluate(document))
        case And() | Or() | Not():
            return _combined(node, compile_node)
        case All(path, nodes):
            return _every([compile_node(each) for each in nodes]) if nodes else values.never
        case Exists(path, wanted=False):
            return _negated(reaches(path, _is_there, _is_there))
        case _:
            test = _LEAVES[type(node)](node)
            whole = _with_elements(test) if isinstance(node, _OF_ELEMENTS) else test
            return shortened(node, reaches(node.path, whole, test))


def compile_value(node: Node) -> Test:
    """Whether one element satisfies a tree whose paths are empty, as `$elemMatch` on values asks."""
    match node:
        case And() | Or() | Not():
            return _combined(node, compile_value)
        case All(nodes=nodes):
            return _every([compile_value(each) for each in nodes]) if nodes else values.never
        case Exists(wanted=wanted):
            return lambda _element: wanted
        case Expression():
            raise AssertionError("the parser allows no expression on elements")
        case _:
            return _LEAVES[type(node)](node)


_OF_ELEMENTS = (Compare, In, Matches, Mod, TypeIs)
"""Conditions that hold for an array if they hold for one of its elements."""


def _sized(node: Size) -> Test:
    length = node.count
    return lambda value: type(value) is list and len(value) == length


def _with_elements(test: Test) -> Test:
    def expanded(value: Any) -> bool:
        return test(value) or (type(value) is list and any(map(test, value)))

    return expanded


def _anything(_value: Any) -> bool:
    return True


def _is_there(value: Any) -> bool:
    return value is not MISSING


def _some_element(node: ElementMatch) -> Test:
    if node.of_values:
        test = compile_value(node.inner)
        return lambda value: type(value) is list and any(map(test, value))
    matches = compile_node(node.inner)

    def some(value: Any) -> bool:
        if type(value) is not list:
            return False
        for element in value:
            if type(element) is dict:
                if matches(element):
                    return True
            elif type(element) is list and matches(_by_position(element)):
                return True
        return False

    return some


def _by_position(array: list[Any]) -> Document:
    """MongoDB takes an array inside an array for a document whose names are positions."""
    return dict(zip(map(str, count()), array, strict=False))


def _combined(node: And | Or | Not, compile_one: Callable[[Node], Test]) -> Test:
    if isinstance(node, Not):
        return _negated(compile_one(node.node))
    tests = [compile_one(each) for each in node.nodes]
    return _every(tests) if isinstance(node, And) else _some(tests)


def _negated(test: Test) -> Test:
    return lambda value: not test(value)


def _every(tests: list[Test]) -> Test:
    if len(tests) <= 1:
        return tests[0] if tests else _anything

    def every(value: Any) -> bool:
        for test in tests:  # noqa: SIM110 - all() with a generator takes twice as long (bench/test_documents.py)
            if not test(value):
                return False
        return True

    return every


def _some(tests: list[Test]) -> Test:
    def some(value: Any) -> bool:
        for test in tests:  # noqa: SIM110 - as above
            if test(value):
                return True
        return False

    return some


_LEAVES: Final[dict[type[Node], Callable[[Any], Test]]] = {
    Compare: values.compare,
    In: values.contained,
    Matches: lambda node: values.matched(node.pattern),
    Mod: values.remainder,
    TypeIs: values.typed,
    Exists: lambda _node: _is_there,
    Size: _sized,
    ElementMatch: _some_element,
}
"""How the test of a value itself, not of its elements, is made."""
