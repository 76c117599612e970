"""Sets of keys: union, intersection and complement, and their image in a descending field."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

from bson.max_key import MaxKey
from bson.min_key import MinKey
from bson.objectid import ObjectId
from hypothesis import given
from hypothesis import strategies as st

from laura_fast.domain.documents.keys import encode_value, invert
from laura_fast.domain.documents.planning.intervals import (
    ALL,
    NONE,
    after,
    before,
    complement,
    contains,
    descending,
    intersection,
    interval,
    is_within,
    point,
    union,
)

if TYPE_CHECKING:
    from laura_fast.domain.documents.planning.intervals import Intervals

VALUES: list[Any] = [
    MinKey(),
    None,
    -1,
    0,
    1,
    1.5,
    "",
    "a",
    "a\0",
    "b",
    {},
    [],
    b"",
    ObjectId(b"\xff" * 12),
    False,
    True,
    MaxKey(),
]
KEYS = [encode_value(value) for value in VALUES]
PLACES = [place(value) for value in VALUES for place in (before, after)]

INTERVALS = st.one_of(
    st.sampled_from(VALUES).map(lambda value: (point(value),)),
    st.tuples(st.sampled_from(PLACES), st.sampled_from(PLACES)).map(lambda ends: interval(*ends)),
)
SETS = st.lists(INTERVALS, max_size=4).map(lambda found: union(each for intervals in found for each in intervals))


def members(intervals: Intervals) -> set[int]:
    return {at for at, key in enumerate(KEYS) if contains(intervals, key)}


def test_the_values_are_in_order() -> None:
    assert all(low < high for low, high in pairwise(KEYS))


@given(SETS, SETS)
def test_sets_of_keys_are_sets(first: Intervals, second: Intervals) -> None:
    everything = members(ALL)
    assert members(union((*first, *second))) == members(first) | members(second)
    assert members(intersection(first, second)) == members(first) & members(second)
    assert members(complement(first)) == everything - members(first)
    if is_within(first, second):
        assert members(first) <= members(second)


@given(SETS)
def test_a_descending_field_has_the_inverted_keys(intervals: Intervals) -> None:
    turned = descending(intervals)
    assert {at for at, key in enumerate(KEYS) if contains(turned, invert(key))} == members(intervals)
    assert all(one.high.key <= other.low.key for one, other in pairwise(turned))
    assert {each.point for each in turned} == {invert(each.point) for each in intervals}


@given(SETS, st.sampled_from(KEYS), st.sampled_from(KEYS))
def test_what_follows_a_value_in_a_compound_key_changes_nothing(intervals: Intervals, key: bytes, more: bytes) -> None:
    assert contains(intervals, key + more) == contains(intervals, key)
    assert contains(descending(intervals), invert(key) + more) == contains(intervals, key)


def test_a_point_stays_one() -> None:
    assert intersection(interval(before(1), after("z")), (point("a"),))[0].point == encode_value("a")
    assert intersection(interval(before(1), after(5)), interval(before(-5), after(1)))[0].point == encode_value(1)
    both = union((point(True), point(False), point(False)))
    assert [each.point for each in both] == [encode_value(False), encode_value(True)]


def test_the_wrong_way_round_is_nothing() -> None:
    assert interval(after(1), before(1)) == NONE
    assert interval(after(1), before(2)) != NONE
    assert complement(ALL) == NONE
    assert complement(NONE) == ALL
