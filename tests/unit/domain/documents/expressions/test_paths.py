"""Field paths, variables, literals, documents and lists."""

from __future__ import annotations

from typing import Any

import pytest

from laura_fast.domain.documents.expressions import MISSING, compile_expression, compile_part
from laura_fast.errors import InvalidArgumentError
from tests.unit.domain.documents.expressions.evaluating import evaluate, same

DOCUMENT = {
    "a": {"b": {"c": 1}},
    "list": [{"x": 1}, {"x": 2}, {"y": 3}, 4, [{"x": 5}]],
    "deep": [{"in": [{"x": 1}, {"x": 2}]}, {"in": {"x": 3}}],
    "null": None,
    "0": "zero",
}


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ("$a.b.c", 1),
        ("$a.b", {"c": 1}),
        ("$a.x.c", MISSING),
        ("$null", None),
        ("$null.x", MISSING),
        ("$list.x", [1, 2]),
        ("$list.0", []),
        ("$deep.in.x", [[1, 2], 3]),
        ("$0", "zero"),
        ("$$ROOT", DOCUMENT),
        ("$$CURRENT.a.b.c", 1),
        ("$$ROOT.list.y", [3]),
        ("$$REMOVE", MISSING),
        ("plain", "plain"),
        ({"$literal": "$a"}, "$a"),
        ({"$literal": {"$add": 1}}, {"$add": 1}),
        ({"one": "$a.b.c", "gone": "$x", "deep": {"two": ["$x", 2]}}, {"one": 1, "deep": {"two": [None, 2]}}),
        ([], []),
        ({}, {}),
    ],
)
def test_value(spec: Any, expected: Any) -> None:
    assert same(evaluate(spec, DOCUMENT), expected)


@pytest.mark.parametrize(
    ("spec", "named"),
    [
        ("$", "$"),
        ("$a..b", "a..b"),
        ("$a.", "a."),
        ("$a.$b", "a.$b"),
        ("$$", "undefined variable"),
        ("$$nobody", "nobody"),
        ("$$NOW", "NOW"),
        ({"$nothing": 1}, "$nothing"),
        ({"$add": 1, "x": 2}, "$add"),
        ({"x": 2, "$add": 1}, "$add"),
        ({"a.b": 1}, "a.b"),
        ({"": 1}, "field name"),
    ],
)
def test_what_means_nothing_is_refused_by_name(spec: Any, named: str) -> None:
    with pytest.raises(InvalidArgumentError) as refused:
        compile_expression(spec)
    assert named in refused.value.message
    assert refused.value.reason == "BAD_EXPRESSION"


def test_a_constant_of_the_request_is_a_variable() -> None:
    assert compile_expression({"$add": ["$$NOW", "$x"]}, {"NOW": 40})({"x": 2}) == 42


def test_what_is_constant_is_evaluated_once() -> None:
    part = compile_part([1, {"$add": [1, 2]}])
    assert part.constant
    assert part.evaluate({}) is part.evaluate({})


@pytest.mark.parametrize(
    ("spec", "fields"),
    [
        (1, frozenset()),
        ("$a.b", {"a"}),
        ({"$add": ["$a", {"$multiply": ["$b.c", "$d"]}]}, {"a", "b", "d"}),
        ({"$map": {"input": "$a", "in": {"$add": ["$$this.x", "$b"]}}}, {"a", "b"}),
        ({"x": "$$ROOT"}, None),
        ("$$ROOT.a.b", {"a"}),
    ],
)
def test_it_is_known_which_fields_are_read(spec: Any, fields: Any) -> None:
    assert compile_part(spec).fields == fields


def test_an_expression_too_deep_is_refused() -> None:
    spec: Any = "$x"
    for _ in range(99):
        spec = {"$not": spec}
    assert evaluate(spec, {"x": 1}) is False
    with pytest.raises(InvalidArgumentError, match="deeper"):
        evaluate({"$not": spec})


def test_an_expression_too_large_is_refused() -> None:
    with pytest.raises(InvalidArgumentError, match="parts"):
        evaluate({"$add": [1] * 100_000})
