"""Operators on arrays."""

from __future__ import annotations

from typing import Any

import pytest
from bson.regex import Regex

from tests.unit.domain.documents.updates.applying import after, is_invalid, refuses


@pytest.mark.parametrize(
    ("old", "operand", "new"),
    [
        ([1], 2, [1, 2]),
        ([1], [2], [1, [2]]),
        ([1], {"b": 1}, [1, {"b": 1}]),
        ([1], {"$each": [2, 3]}, [1, 2, 3]),
        ([1, 2], {"$each": [9], "$position": 0}, [9, 1, 2]),
        ([1, 2], {"$each": [9], "$position": 1}, [1, 9, 2]),
        ([1, 2], {"$each": [9], "$position": 7}, [1, 2, 9]),
        ([1, 2], {"$each": [9], "$position": -1}, [1, 9, 2]),
        ([1, 2], {"$each": [9], "$position": -7}, [9, 1, 2]),
        ([1, 2, 3], {"$each": [4], "$slice": 2}, [1, 2]),
        ([1, 2, 3], {"$each": [4], "$slice": -2}, [3, 4]),
        ([1, 2, 3], {"$each": [4], "$slice": 0}, []),
        ([1, 2, 3], {"$each": [4], "$slice": 2.0}, [1, 2]),
        ([3, 1], {"$each": [2], "$sort": 1}, [1, 2, 3]),
        ([3, 1], {"$each": [2], "$sort": -1}, [3, 2, 1]),
        ([3, 1], {"$slice": -2, "$sort": 1, "$position": 0, "$each": [2]}, [2, 3]),
        (
            [{"s": 2, "t": 1}, {"s": 1}],
            {"$each": [{"s": 2}], "$sort": {"s": -1, "t": 1}},
            [{"s": 2}, {"s": 2, "t": 1}, {"s": 1}],
        ),
        (["b", 1, None], {"$each": [{}], "$sort": 1}, [None, 1, "b", {}]),
    ],
)
def test_push(old: Any, operand: Any, new: Any) -> None:
    assert after({"a": old}, {"$push": {"a": operand}})["a"] == new


def test_push_sorts_elements_without_the_field_like_null() -> None:
    operand = {"$each": [{"s": 1}, 5, {"s": None}], "$sort": {"s.t": 1, "s": 1}}
    result = after({"a": [{"s": {"t": 0}}]}, {"$push": {"a": operand}})["a"]
    assert result == [5, {"s": None}, {"s": 1}, {"s": {"t": 0}}]


def test_push_sorts_by_positions_in_arrays_and_takes_arrays_whole() -> None:
    first, second, third = {"s": [1, 9], "t": [2]}, {"s": [2, 7], "t": [1, 5]}, {"s": [3], "t": 0}
    for order, result in (
        ({"s.1": 1}, [third, second, first]),
        ({"s.0": -1}, [third, second, first]),
        ({"t": 1}, [third, second, first]),
        ({"s." + "1" * 5_000: 1, "s.0": 1}, [first, second, third]),
    ):
        assert after({"a": [first]}, {"$push": {"a": {"$each": [second, third], "$sort": order}}})["a"] == result


@pytest.mark.parametrize("operand", [{"$each": []}, {"$each": [1, 2]}, {"$each": [1], "$slice": 0}])
def test_push_makes_an_array_where_there_is_none(operand: Any) -> None:
    expected = operand["$each"] if "$slice" not in operand else []
    assert after({}, {"$push": {"a": operand}})["a"] == expected


@pytest.mark.parametrize(
    "operand",
    [
        {"$each": 1},
        {"$each": [1], "$slize": 1},
        {"$each": [1], "$slice": "1"},
        {"$each": [1], "$slice": 1.5},
        {"$each": [1], "$slice": True},
        {"$each": [1], "$position": None},
        {"$each": [1], "$position": float("nan")},
        {"$each": [1], "$position": float("inf")},
        {"$each": [1], "$sort": 0},
        {"$each": [1], "$sort": {}},
        {"$each": [1], "$sort": True},
        {"$slice": 1},
        {"x": 1, "$position": 1},
    ],
)
def test_push_knows_its_modifiers(operand: Any) -> None:
    is_invalid({"$push": {"a": operand}}, "$push", "'a'")


def test_push_names_the_field_of_a_bad_sort() -> None:
    is_invalid({"$push": {"a": {"$each": [], "$sort": {"b": 2}}}}, "'b'", reason="SORT_INVALID")


@pytest.mark.parametrize(
    ("old", "operand", "new"),
    [
        ([1], 2, [1, 2]),
        ([1], [1], [1, [1]]),
        ([{"x": 1, "y": 2}], {"y": 2, "x": 1}, [{"x": 1, "y": 2}, {"y": 2, "x": 1}]),
        ([1, 1], {"$each": [1.0, 2, 2, 3]}, [1, 1, 2, 3]),
    ],
)
def test_add_to_set(old: Any, operand: Any, new: Any) -> None:
    assert after({"a": old}, {"$addToSet": {"a": operand}})["a"] == new


def test_add_to_set_makes_an_array_where_there_is_none() -> None:
    update = {"$addToSet": {"a": 1, "b": {"$each": [1, 1]}, "c": {"$each": []}}}
    assert after({}, update) == {"_id": 1, "a": [1], "b": [1], "c": []}


@pytest.mark.parametrize("operand", [{"$each": 1}, {"$each": [1], "$slice": 1}])
def test_add_to_set_knows_each_only(operand: Any) -> None:
    is_invalid({"$addToSet": {"a": operand}}, "$addToSet", "'a'")


@pytest.mark.parametrize(("operand", "new"), [(1, [1, 2]), (-1, [2, 3]), (1.0, [1, 2])])
def test_pop(operand: Any, new: Any) -> None:
    assert after({"a": [1, 2, 3]}, {"$pop": {"a": operand}})["a"] == new


@pytest.mark.parametrize("operand", [0, 2, True, "1", None])
def test_pop_takes_one_or_minus_one(operand: Any) -> None:
    is_invalid({"$pop": {"a": operand}}, "$pop", "'a'")


@pytest.mark.parametrize(
    ("old", "operand", "new"),
    [
        ([1, 2, 1.0, [1]], 1, [2, [1]]),
        ([1, 5, 9], {"$gte": 5}, [1]),
        ([1, 5, 9], {"$in": [1, 9]}, [5]),
        (["ab", "ba", 1], Regex("^a"), ["ba", 1]),
        ([{"x": 1, "y": 1}, {"x": 2}, 1], {"x": 1}, [{"x": 2}, 1]),
        ([{"x": 1}, {"x": 7}], {"x": {"$gt": 3}}, [{"x": 1}]),
        ([{"x": 1}, {"x": 7}], {"$or": [{"x": 1}, {"x": 2}]}, [{"x": 7}]),
        ([{"r": [1, 2]}, {"r": [3]}], {"r": {"$elemMatch": {"$gt": 2}}}, [{"r": [1, 2]}]),
        ([[1, 2], [2, 1]], [1, 2], [[2, 1]]),
        ([None, 1], None, [1]),
        ([{}, 1], {}, [1]),
    ],
)
def test_pull(old: Any, operand: Any, new: Any) -> None:
    assert after({"a": old}, {"$pull": {"a": operand}})["a"] == new


def test_pull_all_removes_equal_elements() -> None:
    update = {"$pullAll": {"a": [1, {"x": 1}]}}
    assert after({"a": [1, 1.0, 2, {"x": 1}, {"x": 1, "y": 2}]}, update)["a"] == [2, {"x": 1, "y": 2}]


def test_pull_all_takes_an_array() -> None:
    is_invalid({"$pullAll": {"a": 1}}, "$pullAll", "'a'")


@pytest.mark.parametrize(
    "update",
    [
        {"$push": {"a.b": 1}},
        {"$addToSet": {"a.b": 1}},
        {"$pop": {"a.b": 1}},
        {"$pull": {"a.b": 1}},
        {"$pullAll": {"a.b": [1]}},
    ],
)
@pytest.mark.parametrize("value", [1, "x", None, {}])
def test_they_are_for_arrays(update: dict[str, Any], value: Any) -> None:
    refuses({"a": {"b": value}}, update, next(iter(update)), "'a.b'", "array")
