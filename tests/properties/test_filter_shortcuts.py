"""The fast ways of a filter say what the slow ones say, on random documents and queries."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from bson.code import Code
from bson.decimal128 import Decimal128
from bson.int64 import Int64
from bson.objectid import ObjectId
from bson.regex import Regex
from hypothesis import given, settings
from hypothesis import strategies as st

from laura_fast.domain.documents import codec, paths
from laura_fast.domain.documents.filters import compile_filter
from laura_fast.domain.documents.kinds import MISSING
from tests.properties import document_dice as dice
from tests.properties.documents import DOCUMENTS, VALUES
from tests.properties.filter_rivals import holds_operators

OPERATORS = st.sampled_from(["$eq", "$ne", "$gt", "$gte", "$lt", "$lte", "$in"])
NAN = float("nan")
NEAR: list[Any] = [0, 1, 1.0, -0.0, NAN, True, False, None, "a", "", Decimal128("1"), Decimal128("NaN"), Code("a")]


def general(operator: str, operand: Any, document: dict[str, Any]) -> bool:
    """The same, with a path that has no short cut: the document lies one level deeper, in an array."""
    condition = {operator: [operand] if operator == "$in" else operand}
    return compile_filter({"outer.a": condition}).matches({"outer": [document]})


def short(operator: str, operand: Any, document: dict[str, Any]) -> bool:
    condition = {operator: [operand] if operator == "$in" else operand}
    return compile_filter({"a": condition}).matches(document)


@given(OPERATORS, VALUES, DOCUMENTS)
def test_short_cuts(operator: str, operand: Any, document: dict[str, Any]) -> None:
    refused = isinstance(operand, Regex) or (operator == "$in" and holds_operators(operand))
    if operator == "$eq" or not refused:
        assert short(operator, operand, document) == general(operator, operand, document)


@pytest.mark.parametrize("operator", ["$eq", "$gt", "$gte", "$lt", "$lte"])
def test_short_cuts_on_near_values(operator: str) -> None:
    for operand in NEAR:
        for value in [*NEAR, *([value] for value in NEAR), [NEAR], [1, "a"], ObjectId(bytes(12))]:
            for document in ({"a": value}, {}):
                assert short(operator, operand, document) == general(operator, operand, document), (operand, document)


@given(st.sampled_from(["a", "a.b", "a.b.c", "b.0.a"]), VALUES, DOCUMENTS)
def test_paths_through_documents(path: str, operand: Any, document: dict[str, Any]) -> None:
    query = {path: {"$eq": operand}}
    deeper = {f"outer.{path}": {"$eq": operand}}
    assert compile_filter(query).matches(document) == compile_filter(deeper).matches({"outer": [document]})


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_no_match_is_ruled_out_by_its_bytes(seed: int) -> None:
    rng = Random(seed)  # noqa: S311 - test cases, no secrets
    for _ in range(30):
        compiled, document = compile_filter(dice.query(rng)), dice.document(rng)
        found = compiled.find(codec.encode(document))
        assert (found is not None) == compiled.matches(document)
        assert found is None or repr(found) == repr(document)


@pytest.mark.parametrize("filling", range(120))
def test_a_length_that_looks_like_the_name_rules_nothing_out(filling: int) -> None:
    document = {"z": "x" * filling, "b": 1.5}  # for one of them the length is ord("b")
    assert compile_filter({"b": 1.5}).find(codec.encode(document))


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_a_match_is_found(seed: int) -> None:
    """Conditions made of what is in the document; few random ones match."""
    rng = Random(seed)  # noqa: S311 - test cases, no secrets
    for _ in range(30):
        document, path = dice.document(rng), dice.path(rng)
        values = [value for value in paths.reached(document, paths.split(path)) if value is not MISSING]
        if not values:
            continue
        value, other = rng.choice(values), dice.scalar(rng)
        condition: Any = rng.choice(
            [{"$eq": value}, {"$in": [other, value]}, {"$all": [value]}, {"$exists": True}, {"$not": {"$in": []}}]
        )
        query: Any = rng.choice(
            [{path: condition}, {"$or": [{"a": other}, {path: condition}]}, {"$and": [{path: condition}, {}]}]
        )
        if rng.random() < 0.5:
            document = {"a": [other, {"b": document}]}
            query = {"a": {"$elemMatch": {f"b.{path}": condition}}}
        elif rng.random() < 0.5:
            document, query = {"a": [other, value]}, {"a": {"$elemMatch": condition}}
        assert compile_filter(query).find(codec.encode(document)), (query, document)


RULED_OUT: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"a": "x"}, {"a": "y"}),
    ({"a": "x"}, {"a": "xx"}),
    ({"a": 1}, {"a": 2, "b": 1}),
    ({"a.b": 2**40}, {"a": {"b": 2**41}}),
    ({"a": 1.5}, {"a": 1}),
    ({"a": ObjectId(bytes(12))}, {"a": ObjectId(b"x" * 12)}),
    ({"a": {"$in": ["x", "y"]}}, {"a": "z"}),
    ({"a": {"$gt": 1}, "b": "x"}, {"a": 2}),
    ({"a": "x", "b": "yy", "c": "z"}, {"a": "x", "b": "yy"}),
    ({"$or": [{"a": "x"}, {"b": "y"}]}, {"a": "y?"}),
    ({"a": {"$regex": "^abc"}}, {"a": "xyz"}),
    ({"a": {"$regex": "abc"}}, {"a": "xyz"}),
    ({"a.b": {"$exists": True}}, {"a": 1}),
    ({"a": {"$all": ["x"]}}, {"a": ["y"]}),
    ({"a": {"$elemMatch": {"b": "x"}}}, {"a": [{"b": "y"}]}),
]


@pytest.mark.parametrize(("query", "document"), RULED_OUT, ids=map(str, RULED_OUT))
def test_ruled_out(query: dict[str, Any], document: dict[str, Any]) -> None:
    ruled_out = compile_filter(query).ruled_out
    assert ruled_out is not None
    assert ruled_out(codec.encode(document))


FOUND: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"$or": [{"a": "x"}, {"b": "y"}]}, {"a": "x"}),
    ({"$or": [{"a": "x"}, {"b": "y"}]}, {"b": ["z", "y"]}),
    ({"$or": [{"a": "x", "c": 7}, {"b": "y"}]}, {"b": "y"}),
    ({"a": {"$in": ["x", "y"]}}, {"a": "y"}),
    ({"a": {"$regex": "b"}}, {"a": ["abc"]}),
    ({"a.0": {"$exists": True}}, {"a": [1]}),
    ({"a.0": 7}, {"a": [7.0]}),
    ({"a": {"$elemMatch": {"b": 7}}}, {"a": [{"b": Int64(7)}]}),
    ({"a": {"$elemMatch": {"$eq": "x"}}}, {"a": ["x"]}),
]


@pytest.mark.parametrize(("query", "document"), FOUND, ids=map(str, FOUND))
def test_found(query: dict[str, Any], document: dict[str, Any]) -> None:
    compiled = compile_filter(query)
    assert compiled.ruled_out is not None
    assert compiled.find(codec.encode(document)) == document


@pytest.mark.parametrize(
    "query",
    [
        {"a": 0},
        {"a": NAN},
        {"a": True},
        {"a": {"$gt": 1}},
        {"a": {"$elemMatch": {"$eq": 7}}},
        {"a": None},
        {"a": {"$in": ["x", 1]}},
        {"a": {"$in": list("abcde")}},
        {"a": {"$in": [Regex("x")]}},
        {"a": {"$ne": "x"}},
        {"a": {"$regex": "ABC", "$options": "i"}},
        {"a": {"$regex": r"^a\.b"}},
        {"$or": [{"a": "x"}, {"b": {"$gt": 1}}]},
        {"$nor": [{"a": "x"}]},
        {"$expr": {"$eq": ["$a", "x"]}},
        {},
    ],
    ids=str,
)
def test_what_bytes_can_not_tell(query: dict[str, Any]) -> None:
    assert compile_filter(query).ruled_out is None


@pytest.mark.parametrize("value", [1, 1.0, Int64(1), Decimal128("1.0"), [1], [Int64(1)], [[1], 1.0]])
@pytest.mark.parametrize("operand", [1, 1.0, Int64(1), Decimal128("1")])
def test_numbers_of_every_type_are_found(value: Any, operand: Any) -> None:
    assert compile_filter({"a": operand}).find(codec.encode({"a": value}))
    assert compile_filter({"b.a": operand}).find(codec.encode({"b": [{"c": 1}, {"a": value}]}))


def test_a_regex_value_is_not_ruled_out() -> None:
    for source in (r"^a\.b", "^ab", "ab"):
        compiled = compile_filter({"a": Regex(source)})
        assert compiled.find(codec.encode({"a": Regex(source)}))
