"""Sort keys."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from laura_fast.domain.documents.keys import encode_value
from laura_fast.domain.documents.sorting import compile_sort, stable_key
from laura_fast.errors import InvalidArgumentError
from laura_fast.limits import documents as limits
from tests.properties.documents import DOCUMENTS

NULL = encode_value(None)


def in_order(order: dict[str, Any], *values: Any) -> None:
    """The values of `a` stand in the order that the sort asks for, without ties."""
    key = compile_sort(order).key
    keys = [key({"a": value}) for value in values]
    assert keys == sorted(keys)
    assert len(set(keys)) == len(keys)


def test_types_have_an_order_and_missing_is_null() -> None:
    in_order({"a": 1}, [], None, 1, 2.5, "x", {"b": 1}, b"x", False)
    in_order({"a": -1}, False, b"x", {"b": 1}, "x", 2.5, 1, None, [])
    key = compile_sort({"a": 1, "b.c": -1}).key
    assert key({"a": None, "b": {"c": None}}) == key({}) == key({"b": 5})


def test_of_an_array_the_element_that_comes_first_counts() -> None:
    in_order({"a": 1}, [5, 1, 9], 2, [3, 4])
    in_order({"a": -1}, [5, 1, 9], 6, [3, 4])
    key = compile_sort({"a.b": 1}).key
    assert key({"a": [{"b": 5}, {"b": [7, 3]}]}) == key({"a": {"b": 3}})
    assert key({"a": [{"b": 5}, {}]}) == key({})


def test_fields_below_one_array_belong_together() -> None:
    key = compile_sort({"a.b": 1, "a.c": 1}).key
    assert key({"a": [{"b": 1, "c": 9}, {"b": 2, "c": 1}]}) == key({"a": {"b": 1, "c": 9}})


def test_arrays_side_by_side_have_no_order() -> None:
    with pytest.raises(InvalidArgumentError, match=r'^sort: .* "a" and "b"') as caught:
        compile_sort({"a": 1, "b": 1}).key({"a": [1, 2], "b": [1, 2]})
    assert caught.value.reason == "SORT_INVALID"


def test_ties_are_in_the_order_of_their_ids() -> None:
    documents = [{"_id": number, "a": number % 3} for number in (8, 1, 5, 2, 7, 4)]
    key = stable_key(compile_sort({"a": -1}))
    assert [document["_id"] for document in sorted(documents, key=key)] == [2, 5, 8, 1, 4, 7]
    assert [document["_id"] for document in sorted(documents, key=stable_key(compile_sort({})))] == [1, 2, 4, 5, 7, 8]


def test_fields_are_told_in_their_order() -> None:
    assert compile_sort({"b.c": -1.0, "a": 1}).fields == (("b.c", True), ("a", False))


@pytest.mark.parametrize(
    ("order", "word"),
    [
        ({"a": 0}, "'a'"),
        ({"a": 1, "b": 2}, "'b'"),
        ({"a": True}, "'a'"),
        ({"a": "asc"}, "'a'"),
        ({"a": {"$meta": "textScore"}}, "'a'"),
        ({"": 1}, "''"),
        ({"a..b": 1}, "'a..b'"),
        ({"$a": 1}, "'$a'"),
        ({f"f{number}": 1 for number in range(limits.MAX_SORT_FIELDS + 1)}, "33"),
    ],
)
def test_what_is_no_sort_is_refused_by_name(order: dict[str, Any], word: str) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        compile_sort(order)
    assert word in caught.value.message
    assert caught.value.reason == "SORT_INVALID"


@given(DOCUMENTS, st.booleans())
def test_the_short_cut_for_one_field_gives_the_keys_of_the_long_way(document: dict[str, Any], descending: bool) -> None:
    """Beside a second field that no document has."""
    order = -1 if descending else 1
    assert compile_sort({"a": order, "nothing": 1}).key(document) == compile_sort({"a": order}).key(document) + NULL
