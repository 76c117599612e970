"""The choice: which index is taken for which query, in which order documents come, and what is said about it."""

from __future__ import annotations

from typing import Any

import pytest

from laura_fast.domain.documents.planning import implication
from laura_fast.domain.documents.planning.ordering import Order
from laura_fast.domain.documents.planning.plan import Kind
from laura_fast.errors import InvalidArgumentError
from tests.unit.domain.documents.planning.planning_kit import DOWN, UP, Counted, Spread, index, planned

A, B, AB = index("a", "a"), index("b", "b"), index("ab", "a", "b")


@pytest.mark.parametrize(
    ("spec", "key", "sort", "order", "reverse"),
    [
        ({}, ("a",), (("a", UP),), Order.FULL, False),
        ({}, ("a",), (("a", DOWN),), Order.TIES, True),
        ({}, ("a",), (("a", DOWN), ("_id", DOWN)), Order.FULL, True),
        ({}, ("a", "b"), (("a", UP),), Order.TIES, False),
        ({}, ("a", "-b"), (("a", UP), ("b", DOWN)), Order.FULL, False),
        ({}, ("a", "-b"), (("a", DOWN), ("b", UP)), Order.TIES, True),
        ({"a": 1}, ("a", "b"), (("b", UP),), Order.FULL, False),
        ({"a": 1}, ("a", "b"), (("b", UP), ("a", DOWN)), Order.FULL, False),
        ({"a": {"$gt": 1}}, ("a", "b"), (("a", UP), ("b", UP)), Order.FULL, False),
        ({"a": {"$in": [1, 2]}}, ("a", "b"), (("a", UP), ("b", UP)), Order.FULL, False),
    ],
)
def test_an_index_has_the_order_of_a_sort(
    spec: dict[str, Any], key: tuple[str, ...], sort: tuple[tuple[str, bool], ...], order: Order, reverse: bool
) -> None:
    found = planned(spec, index("i", *key), sort=sort, limit=10)
    assert (found.index, found.order, found.scans[0].reverse) == ("i", order, reverse)


@pytest.mark.parametrize(
    ("spec", "key", "sort"),
    [
        ({}, ("a", "b"), (("b", UP),)),
        ({}, ("a", "b"), (("a", UP), ("b", DOWN))),
        ({"a": {"$in": [1, 2]}}, ("a", "b"), (("b", UP),)),
        ({"a": {"$gt": 1}}, ("a", "b"), (("b", UP),)),
    ],
)
def test_an_index_does_not_have_the_order_of_another_sort(
    spec: dict[str, Any], key: tuple[str, ...], sort: tuple[tuple[str, bool], ...]
) -> None:
    assert planned(spec, index("i", *key), sort=sort, hint="i").order is Order.NONE


def test_an_index_of_arrays_has_the_order_only_as_a_whole() -> None:
    arrays = index("a", "a", multikey=1)
    assert planned({}, arrays, sort=(("a", UP),), hint="a").order is Order.FULL
    assert planned({"a": {"$gt": 1}}, arrays, sort=(("a", UP),), hint="a").order is Order.NONE
    tagged = index("t", "tags", "date", multikey=0b01)
    assert planned({"tags": "x"}, tagged, sort=(("date", UP),)).order is Order.FULL


def test_an_index_with_keys_that_were_cut_has_no_order() -> None:
    assert planned({}, index("a", "a", long_keys=True), sort=(("a", UP),), hint="a").order is Order.NONE


@pytest.mark.parametrize(
    "condition", [{"$in": []}, {"$gt": None}, {"$gt": 5, "$lt": 1}, {"$all": []}, {"$gt": float("nan")}]
)
def test_nothing_is_read_where_nothing_can_match(condition: dict[str, Any]) -> None:
    found = planned({"a": condition}, A)
    assert (found.kind, found.scans) == (Kind.NOTHING, ())


def test_a_given_id_is_looked_up_and_a_unique_key_found_without_counting() -> None:
    counted = Counted()
    assert planned({"_id": 5, "a": 1}, A, counted=counted).kind is Kind.ID_LOOKUP
    unique = index("u", "b", "c", unique=True)
    assert planned({"a": 1, "b": 1, "c": 2}, A, unique, counted=counted).index == "u"
    assert planned({"a": 1}, A, unique, limit=1, counted=counted).index == "a"
    assert planned({"a": 1}, A, unique, counting=True, counted=counted).index == "a"
    assert counted.asked == []


def test_of_two_indexes_the_one_with_fewer_entries_is_taken() -> None:
    found = planned({"a": 1, "b": 2}, A, B, counted=Counted(a=3_000, b=12))
    assert found.index == "b"
    assert "12 entries" in found.why
    assert {each.index for each in found.rejected} == {"a", "_id_"}


def test_counting_ends_with_the_first_round_that_tells() -> None:
    counted = Counted(a=3_000, b=12)
    planned({"a": 1, "b": 2}, A, B, counted=counted)
    assert counted.asked == ["a", "b"]


@pytest.mark.parametrize("condition", [{"$gt": 5}, 5])
def test_almost_everything_is_left_to_a_scan_if_it_must_be_decoded_anyway(condition: Any) -> None:
    """A lookup for each entry costs more than to step on; but less than to try the filter on each document."""
    most = Counted(4_000, a=3_999)
    assert planned({"a": condition}, A, decoding=True, counted=most).kind is Kind.COLLECTION_SCAN
    assert planned({"a": condition}, A, sort=(("b", UP),), counted=most).kind is Kind.COLLECTION_SCAN
    assert planned({"a": condition, "b": 1}, A, counted=most).kind is Kind.COLLECTION_SCAN
    assert planned({"a": condition}, A, counted=most).index == "a"
    assert planned({"a": condition}, A, decoding=True, counted=Counted(a=10)).index == "a"


def test_what_is_too_much_to_count_is_what_the_other_entries_leave() -> None:
    """A range of a million entries is known by the few outside of it, and not taken for a third of all."""
    million = Spread(1_000_000)
    assert planned({"a": {"$gte": 100}}, A, decoding=True, counted=million).kind is Kind.COLLECTION_SCAN
    assert planned({"a": {"$gte": 700_000}}, A, decoding=True, counted=million).index == "a"
    assert planned({"a": {"$ne": 7}}, A, decoding=True, counted=million).kind is Kind.COLLECTION_SCAN


def test_a_few_wanted_in_order_are_read_in_order() -> None:
    sort = (("b", UP),)
    assert planned({"a": 1}, A, B, sort=sort, limit=10, counted=Counted(a=5_000)).index == "b"
    assert planned({"a": 1}, A, B, sort=sort, counted=Counted(a=100)).index == "a"


@pytest.mark.parametrize(("page", "taken"), [(20, "b"), (200, "b"), (1_000, "a")])
def test_pages_are_read_in_order_where_that_costs_less_than_to_sort_for_each(page: int, taken: str) -> None:
    """Of 10,000 documents 2,000 match: in the order of b every fifth does."""
    assert planned({"a": 1}, A, B, sort=(("b", UP),), limit=page, counted=Counted(a=2_000)).index == taken


def test_a_choice_of_conditions_is_a_union_if_each_has_an_index() -> None:
    spec = {"$or": [{"a": 1}, {"b": 2}]}
    found = planned(spec, A, B, counted=Counted(a=5, b=5))
    assert found.kind is Kind.UNION
    assert [scan.index for scan in found.scans] == ["a", "b"]
    assert found.repeats
    assert planned(spec, A, counted=Counted(a=5)).kind is Kind.COLLECTION_SCAN


def test_branches_that_can_not_match_are_not_read() -> None:
    found = planned({"$or": [{"a": {"$in": []}, "b": 1}, {"b": 2}]}, A, B, counted=Counted(a=5, b=5))
    assert [scan.index for scan in found.scans] == ["b"]


def test_a_hint_decides_or_is_refused() -> None:
    assert planned({"a": 1, "b": 1}, A, AB, hint="ab").index == "ab"
    assert planned({"b": 1}, A, hint="a").index == "a"
    assert planned({"a": 1}, A, hint="$natural").kind is Kind.COLLECTION_SCAN
    for hint, said in (("x", "does not exist"), ("s", "sparse")):
        with pytest.raises(InvalidArgumentError, match=said) as refused:
            planned({}, A, index("s", "b", sparse=True), hint=hint)
        assert refused.value.reason == "BAD_HINT"


def test_counting_takes_the_index_that_answers_alone() -> None:
    found = planned({"a": {"$gt": 1}}, A, counting=True, counted=Counted(a=5_000))
    assert (found.index, found.exact) == ("a", True)


def test_an_explanation_is_complete() -> None:
    found = planned({"a": 1, "b": {"$gte": 2}}, index("ab", "a", "-b", multikey=0b01), index("c", "c"), limit=10)
    assert found.explain() == {
        "plan": "index scan",
        "index": "ab",
        "key": {"a": 1, "b": -1},
        "direction": "forward",
        "bounds": {"a": ["[1]"], "b": ["[inf, 2]"]},
        "ranges": 1,
        "multikey": ["a"],
        "order": "sorted",
        "filter": "answered by the keys",
        "repeats": "dropped by _id",
        "why": "no other index is bounded by the filter",
        "rejected": [{"index": "c", "why": 'no condition bounds its first field "c"'}],
    }


def test_nested_choices_cost_partial_indexes_no_more_than_their_size() -> None:
    """Looking into every `$or` within an `$or`, for every index, took minutes."""
    spec: dict[str, Any] = {"x": 1}
    for depth in range(40):
        spec = {"$or": [spec, *({f"f{each}": depth} for each in range(5))]}
    partial = [index(f"p{n}", "a", partialFilterExpression={"b": {"$gt": n}, "c": 1}) for n in range(8)]
    proves, looks = implication._proves, []

    def counted(*asked: Any) -> bool:
        looks.append(asked)
        return proves(*asked)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(implication, "_proves", counted)
        assert planned(spec, *partial).kind is Kind.COLLECTION_SCAN
    assert len(looks) < 20 * len(partial), "the query and its six branches, each once or twice"
