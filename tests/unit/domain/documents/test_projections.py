"""What each form of a projection returns, and what is refused."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from bson.decimal128 import Decimal128
from bson.int64 import Int64

from laura_fast.domain.documents.projections import compile_projection
from laura_fast.errors import InvalidArgumentError
from laura_fast.limits import documents as limits

DOCUMENT = {
    "_id": 1,
    "a": 1,
    "b": {"x": 1, "y": {"z": 2, "w": 3}},
    "c": [{"x": 1, "y": 2}, 5, [{"x": 3}, 4], {"y": 6}],
    "d": [1, 2, 3, 4],
    "e": None,
}


def projected(projection: dict[str, Any], document: dict[str, Any] | None = None) -> list[tuple[str, Any]]:
    """The fields in their order."""
    given = DOCUMENT if document is None else document
    before = copy.deepcopy(given)
    result = compile_projection(projection).apply(given)
    assert given == before
    return list(result.items())


@pytest.mark.parametrize(
    ("projection", "fields"),
    [
        ({}, list(DOCUMENT.items())),
        ({"a": 1}, [("_id", 1), ("a", 1)]),
        ({"e": True, "a": 1.0}, [("_id", 1), ("a", 1), ("e", None)]),
        ({"a": Int64(3), "_id": 0}, [("a", 1)]),
        ({"a": Decimal128("2"), "_id": False}, [("a", 1)]),
        ({"_id": 1}, [("_id", 1)]),
        ({"nothing": 1}, [("_id", 1)]),
        ({"b.x": 1}, [("_id", 1), ("b", {"x": 1})]),
        ({"b.y.w": 1, "b.x": 1}, [("_id", 1), ("b", {"x": 1, "y": {"w": 3}})]),
        ({"b": {"y": {"w": 1}, "x": 1}}, [("_id", 1), ("b", {"x": 1, "y": {"w": 3}})]),
        ({"b": {"y.w": 1}}, [("_id", 1), ("b", {"y": {"w": 3}})]),
        ({"b.nothing": 1}, [("_id", 1), ("b", {})]),
        ({"a.x": 1}, [("_id", 1)]),
        ({"e.x": 1}, [("_id", 1)]),
        ({"c.x": 1}, [("_id", 1), ("c", [{"x": 1}, [{"x": 3}], {}])]),
        ({"d.x": 1}, [("_id", 1), ("d", [])]),
        ({"d.0": 1}, [("_id", 1), ("d", [])]),
    ],
)
def test_inclusion(projection: dict[str, Any], fields: list[Any]) -> None:
    assert projected(projection) == fields


@pytest.mark.parametrize(
    ("projection", "changed"),
    [
        ({"a": 0}, {"a": None}),
        ({"_id": 0}, {"_id": None}),
        ({"a": 0.0, "_id": 1}, {"a": None}),
        ({"a": 0, "_id": 0}, {"a": None, "_id": None}),
        ({"b.x": 0}, {"b": {"y": {"z": 2, "w": 3}}}),
        ({"b": {"y": {"z": False}}}, {"b": {"x": 1, "y": {"w": 3}}}),
        ({"a.x": 0, "e.x": 0, "nothing": 0}, {}),
        ({"c.x": 0}, {"c": [{"y": 2}, 5, [{}, 4], {"y": 6}]}),
        ({"d.0": 0}, {}),
    ],
)
def test_exclusion(projection: dict[str, Any], changed: dict[str, Any]) -> None:
    expected = {**DOCUMENT, **changed}
    gone = {name for name, value in changed.items() if value is None}
    assert projected(projection) == [pair for pair in expected.items() if pair[0] not in gone]


@pytest.mark.parametrize(
    ("operand", "kept"),
    [
        (2, [1, 2]),
        (0, []),
        (-1, [4]),
        (9, [1, 2, 3, 4]),
        (-9, [1, 2, 3, 4]),
        (2.0, [1, 2]),
        ([1, 2], [2, 3]),
        ([-3, 2], [2, 3]),
        ([-9, 2], [1, 2]),
        ([9, 2], []),
    ],
)
def test_slice(operand: Any, kept: list[int]) -> None:
    assert projected({"d": {"$slice": operand}}) == list({**DOCUMENT, "d": kept}.items())


def test_slice_beside_inclusion_includes_and_beside_exclusion_keeps() -> None:
    assert projected({"a": 1, "d": {"$slice": 1}}) == [("_id", 1), ("a", 1), ("d", [1])]
    assert projected({"d": {"$slice": 1}, "_id": 0, "b": 0, "c": 0, "e": 0}) == [("a", 1), ("d", [1])]


def test_slice_goes_through_arrays_and_leaves_other_values() -> None:
    document = {"_id": 1, "a": [{"b": [1, 2]}, {"b": 5}, 6], "c": 1}
    assert projected({"a.b": {"$slice": 1}}, document) == [("_id", 1), ("a", [{"b": [1]}, {"b": 5}, 6]), ("c", 1)]


@pytest.mark.parametrize(
    ("projection", "fields"),
    [
        ({"d": {"$elemMatch": {"$gt": 1}}}, [("_id", 1), ("d", [2])]),
        ({"c": {"$elemMatch": {"y": 6}}}, [("_id", 1), ("c", [{"y": 6}])]),
        ({"d": {"$elemMatch": {"$gt": 9}}}, [("_id", 1)]),
        ({"a": {"$elemMatch": {"$gt": 0}}}, [("_id", 1)]),
        ({"d": {"$elemMatch": {"$gt": 1}}, "e": 1, "_id": 0}, [("e", None), ("d", [2])]),
        ({"d": {"$elemMatch": {"$gt": 1}}, "_id": 0}, [("d", [2])]),
        ({"d": {"$elemMatch": {"$gt": 1}}, "b": 0, "c": 0}, [("_id", 1), ("a", 1), ("d", [2]), ("e", None)]),
    ],
)
def test_element_match(projection: dict[str, Any], fields: list[Any]) -> None:
    assert projected(projection) == fields


@pytest.mark.parametrize(
    ("projection", "included"),
    [
        ({}, None),
        ({"a": 0}, None),
        ({"_id": 0}, None),
        ({"_id": 1}, {"_id"}),
        ({"a": 1, "b.c": 1}, {"_id", "a", "b.c"}),
        ({"a": 1, "_id": 0}, {"a"}),
        ({"_id.x": 1}, {"_id.x"}),
        ({"a": 1, "d": {"$slice": 1}}, None),
        ({"a": 1, "d": {"$elemMatch": {"x": 1}}}, None),
    ],
)
def test_covered_queries_learn_what_is_returned(projection: dict[str, Any], included: set[str] | None) -> None:
    assert compile_projection(projection).included == included


@pytest.mark.parametrize(
    ("projection", "word"),
    [
        ({"a": 1, "b": 0}, "'b'"),
        ({"a": 0, "b": 1}, "'b'"),
        ({"_id.x": 1, "b": 0}, "'b'"),
        ({"a": {"x": 0}, "b": 1}, "'b'"),
        ({"a": 1, "a.b": 1}, "'a.b'"),
        ({"a.b.c": 0, "a": 0}, "'a.b.c'"),
        ({"a": {"b": 1}, "a.b": 1}, "'a.b'"),
        ({"": 1}, "''"),
        ({"a..b": 1}, "'a..b'"),
        ({"$a": 1}, "'$a'"),
        ({"a.$b": 1}, "'a.$b'"),
        ({"a": {}}, "'a'"),
        ({"a": {"$slice": "1"}}, "'a'"),
        ({"a": {"$slice": [1]}}, "'a'"),
        ({"a": {"$slice": [1, 0]}}, "'a'"),
        ({"a": {"$slice": [1, 2, 3]}}, "'a'"),
        ({"a": {"$slice": True}}, "'a'"),
        ({"a": {"$slice": 1.5}}, "'a'"),
        ({"a": {"$slice": 1, "x": 1}}, "'a'"),
        ({"a": {"$elemMatch": 1}}, "'a'"),
        ({"a.b": {"$elemMatch": {"x": 1}}}, "'a.b'"),
        ({"a" + ".b" * 100: 1}, "101 parts"),
        ({f"a{number}": 1 for number in range(limits.MAX_PATHS + 1)}, "10,000"),
    ],
)
def test_what_means_nothing_is_refused_by_name(projection: dict[str, Any], word: str) -> None:
    with pytest.raises(InvalidArgumentError, match=r"^projection: ") as caught:
        compile_projection(projection)
    assert word in caught.value.message
    assert caught.value.reason == "PROJECTION_INVALID"


@pytest.mark.parametrize("projection", [{"a.$": 1}, {"a": "x"}, {"a": None}, {"a": [1]}, {"a": {"$add": [1, 2]}}])
def test_what_mongodb_has_and_we_have_not_says_so(projection: dict[str, Any]) -> None:
    with pytest.raises(InvalidArgumentError, match="'a") as caught:
        compile_projection(projection)
    assert caught.value.reason == "PROJECTION_UNSUPPORTED"
