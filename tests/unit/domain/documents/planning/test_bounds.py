"""Bounds: what each condition asks of an index, of one field and of several, with arrays and without."""

from __future__ import annotations

from typing import Any

import pytest

from laura_fast.domain.documents.planning.plan import Kind
from tests.unit.domain.documents.planning.planning_kit import Counted, bounds, index, planned

A, AB = index("a", "a"), index("ab", "a", "b")


@pytest.mark.parametrize(
    ("spec", "shown"),
    [
        ({"a": 5}, ["[5]"]),
        ({"a": None}, ["[null]"]),
        ({"a": "x"}, ["['x']"]),
        ({"a": {"$gt": 5}}, ["(5, inf]"]),
        ({"a": {"$lte": 5}}, ["[-inf, 5]"]),
        ({"a": {"$gte": "x"}}, ["['x', last string]"]),
        ({"a": {"$lt": True}}, ["[first bool, true)"]),
        ({"a": {"$gt": 1, "$lt": 5}}, ["(1, 5)"]),
        ({"a": {"$gte": 5, "$lte": 5}}, ["[5]"]),
        ({"a": {"$in": [3, 1, 1.0]}}, ["[1]", "[3]"]),
        ({"a": {"$ne": 5}}, ["[first, 5)", "(5, last]"]),
        ({"a": {"$not": {"$gt": 5}}}, ["[first, 5]", "(inf, last]"]),
        ({"a": {"$exists": False}}, ["[null]"]),
        ({"a": {"$regex": "^ab"}}, ["['ab', 'ab'…)", "[Regex('^ab', 0)]"]),
        ({"a": {"$type": "bool"}}, ["[first bool, last bool]"]),
        ({"$or": [{"a": 1}, {"a": {"$gt": 5}}]}, ["[1]", "(5, inf]"]),
        ({"a": [7, 8]}, ["[7]", "[[7, 8]]"]),
        ({"a": {"$elemMatch": {"$gt": 1, "$lt": 5}}}, ["(1, 5)"]),
        ({"a": {"$all": [5]}}, ["[5]"]),
    ],
)
def test_bounds_of_one_field(spec: dict[str, Any], shown: list[str]) -> None:
    assert bounds(planned(spec, A, hint="a")) == {"a": shown}


@pytest.mark.parametrize(
    "spec",
    [
        {"a": {"$gt": [1]}},
        {"a": {"$exists": True}},
        {"a": {"$size": 2}},
        {"a": {"$not": {"$size": 2}}},
        {"a": {"$type": "array"}},
        {"a": {"$nin": [[1]]}},
        {"$or": [{"a": 1}, {"b": 1}]},
        {"$expr": {"$eq": ["$a", 1]}},
    ],
)
def test_what_keys_can_not_tell_bounds_nothing(spec: dict[str, Any]) -> None:
    found = planned(spec, A)
    assert found.kind is Kind.COLLECTION_SCAN
    assert [each.index for each in found.rejected] == ["a"]
    assert 'no condition bounds its first field "a"' in found.rejected[0].why


def test_equal_fields_make_a_prefix_and_the_next_one_ends_it() -> None:
    abc = index("abc", "a", "-b", "c")
    assert bounds(planned({"a": 1, "b": {"$gt": 2}, "c": 3}, abc)) == {"a": ["[1]"], "b": ["[inf, 2)"]}
    assert bounds(planned({"a": {"$in": [1, 2]}, "b": {"$in": [3, 4]}}, abc, hint="abc"))["b"] == ["[4]", "[3]"]
    assert len(planned({"a": {"$in": [1, 2]}, "b": {"$in": [3, 4]}}, abc, hint="abc").scans[0].ranges) == 4
    assert bounds(planned({"a": {"$gt": 1}, "b": 2}, abc, hint="abc")) == {"a": ["(1, inf]"]}


def test_ranges_that_multiply_too_far_stay_those_of_the_first_fields() -> None:
    many = {"$in": list(range(100))}
    assert len(planned({"a": many, "b": many}, AB, hint="ab").scans[0].ranges) == 100


def test_an_answer_by_the_keys_alone() -> None:
    few = Counted(a=1)
    assert planned({"a": 5}, A).exact
    assert planned({"a": 5, "b": {"$gt": 1}}, AB).exact
    assert not planned({"a": 5, "c": 1}, A).exact
    assert not planned({"a": {"$regex": "^a.b"}}, A, counted=few).exact
    assert planned({"a": {"$regex": "^a"}}, A, counted=few).exact
    assert not planned({"a": {"$gt": "x"}}, index("a", "a", long_keys=True), counted=few).exact


def test_arrays_make_two_conditions_two_elements() -> None:
    arrays = index("a", "a", multikey=1)
    found = planned({"a": {"$gt": 1, "$lt": 5}}, arrays, hint="a")
    assert bounds(found) in ({"a": ["(1, inf]"]}, {"a": ["[-inf, 5)"]})
    assert not found.exact
    assert bounds(planned({"a": {"$elemMatch": {"$gt": 1, "$lt": 5}}}, arrays, hint="a")) == {"a": ["(1, 5)"]}


def test_fields_below_one_array_are_bounded_together_by_one_element_only() -> None:
    below = index("x", "a.b", "a.c", multikey=0b11)
    assert bounds(planned({"a.b": 1, "a.c": 2}, below)) == {"a.b": ["[1]"]}
    one = {"a": {"$elemMatch": {"b": 1, "c": 2}}}
    assert bounds(planned(one, below)) == {"a.b": ["[1]"], "a.c": ["[2]"]}
    beside = index("y", "a", "b", multikey=0b11)
    assert bounds(planned({"a": 1, "b": 2}, beside)) == {"a": ["[1]"], "b": ["[2]"]}


def test_documents_repeat_in_an_index_of_arrays_but_not_at_one_key() -> None:
    arrays = index("a", "a", multikey=1)
    assert planned({"a": {"$in": [1, 2]}}, arrays).repeats
    assert not planned({"a": 1}, arrays).repeats
    assert not planned({"a": {"$in": [1, 2]}}, A).repeats


@pytest.mark.parametrize(
    ("spec", "serves"),
    [
        ({"a": 1}, True),
        ({"a": {"$exists": True}}, True),
        ({"a": {"$ne": None}}, True),
        ({"a": {"$ne": 1}}, False),
        ({"a": None}, False),
        ({"a": {"$in": [None, 1]}}, False),
        ({"a": {"$exists": False}}, False),
    ],
)
def test_a_sparse_index_serves_where_the_field_must_be_there(spec: dict[str, Any], serves: bool) -> None:
    found = planned(spec, index("a", "a", sparse=True), counted=Counted(a=1))
    assert (found.index == "a") is serves
    if not serves:
        assert "sparse" in found.rejected[0].why


@pytest.mark.parametrize(
    ("partial", "spec", "serves"),
    [
        ({"b": {"$gt": 5}}, {"b": {"$gt": 5}}, True),
        ({"b": {"$gt": 5}}, {"b": {"$gte": 5}}, False),
        ({"b": {"$gt": 5}}, {"b": 7}, True),
        ({"b": {"$gt": 5}}, {"b": {"$in": [6, 7]}}, True),
        ({"b": {"$gt": 5}}, {"b": {"$in": [5, 7]}}, False),
        ({"b": {"$gt": 5}}, {}, False),
        ({"b": {"$exists": True}}, {"b": 1}, True),
        ({"b": {"$exists": True}}, {"b": None}, False),
        ({"b": True}, {"b": 1}, False),
        ({"b": {"$ne": "x"}}, {"b": {"$ne": "x"}}, True),
        ({"b": {"$ne": "x"}}, {"b": "y"}, False),
        ({"b": 1, "c": 2}, {"b": 1, "c": 2}, True),
        ({"b": 1, "c": 2}, {"b": 1}, False),
        ({"$or": [{"b": 1}, {"c": 1}]}, {"c": 1}, True),
        ({"b": {"$gt": 0}}, {"$or": [{"b": 1}, {"b": 2}]}, True),
        ({"b": {"$gt": 0}}, {"$or": [{"b": 1}, {"c": 2}]}, False),
    ],
)
def test_a_partial_index_serves_where_its_filter_follows(
    partial: dict[str, Any], spec: dict[str, Any], serves: bool
) -> None:
    found = planned({"a": 1, **spec}, index("p", "a", partialFilterExpression=partial))
    assert (found.index == "p") is serves
    if serves and spec == partial:
        assert found.exact, "the partial filter has answered its own condition"


def test_a_partial_index_serves_without_a_bound() -> None:
    active = index("p", "name", partialFilterExpression={"active": True})
    assert planned({"active": True}, active, counted=Counted(p=10)).index == "p"
