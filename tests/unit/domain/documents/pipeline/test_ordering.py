"""Stages that choose and order documents."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from bson import Decimal128, Int64

from laura_fast.errors import InvalidArgumentError, OverloadedError
from tests.unit.domain.documents.pipeline.running import aggregate, budget, context, dice

NUMBERED: list[dict[str, Any]] = [{"_id": place, "n": place % 3} for place in range(10)]


def ids(documents: list[dict[str, Any]]) -> list[Any]:
    return [document["_id"] for document in documents]


@pytest.mark.parametrize(
    ("stages", "expected"),
    [
        ([{"$sort": {"n": 1}}], [0, 3, 6, 9, 1, 4, 7, 2, 5, 8]),
        ([{"$sort": {"n": -1, "_id": -1}}], [8, 5, 2, 7, 4, 1, 9, 6, 3, 0]),
        ([{"$sort": {"gone": 1}}], list(range(10))),
        ([{"$sort": {"n": 1}}, {"$limit": 3}], [0, 3, 6]),
        ([{"$sort": {"n": 1}}, {"$skip": 3}, {"$limit": 3}], [9, 1, 4]),
        ([{"$limit": 4}, {"$skip": 1}, {"$limit": 2}], [1, 2]),
        ([{"$skip": 8}], [8, 9]),
        ([{"$skip": 20}], []),
        ([{"$limit": Int64(2)}], [0, 1]),
        ([{"$limit": 2.0}], [0, 1]),
        ([{"$limit": Decimal128("2")}], [0, 1]),
        ([{"$skip": 0}, {"$limit": 100}], list(range(10))),
    ],
)
def test_order_and_choice(stages: list[dict[str, Any]], expected: list[int]) -> None:
    shuffled = list(NUMBERED)
    if "$sort" in stages[0]:
        dice(7).shuffle(shuffled)
    assert ids(aggregate(shuffled, *stages)) == expected


def test_missing_and_null_come_first_and_together() -> None:
    documents: list[dict[str, Any]] = [{"_id": 1, "n": 0}, {"_id": 2, "n": None}, {"_id": 0}]
    assert ids(aggregate(documents, {"$sort": {"n": 1}})) == [0, 2, 1]


@pytest.mark.parametrize("most", [1, 10, 300, 3000])
def test_the_first_of_many_are_those_of_the_whole_sort(most: int) -> None:
    rng = dice(most)
    documents = [{"_id": place, "n": rng.randrange(500)} for place in range(2000)]
    whole = aggregate(documents, {"$sort": {"n": -1}})
    assert aggregate(documents, {"$sort": {"n": -1}}, {"$limit": most}) == whole[:most]


def test_a_sort_holds_what_it_keeps_and_gives_it_back() -> None:
    held = budget()
    results = iter(aggregate(NUMBERED, {"$sort": {"n": 1}}, given=context(held)))
    assert list(results)
    assert held.held_bytes == 0
    with pytest.raises(OverloadedError, match="memory"):
        aggregate(({"_id": place} for place in range(10**6)), {"$sort": {"_id": 1}}, given=context(budget(100_000)))


def test_the_first_of_many_hold_no_more_than_they_are() -> None:
    documents = ({"_id": place, "n": -place} for place in range(20_000))
    first = aggregate(documents, {"$sort": {"n": 1}}, {"$limit": 2}, given=context(budget(200_000)))
    assert ids(first) == [19_999, 19_998]


def test_a_limit_asks_for_no_more() -> None:
    source = iter(NUMBERED)
    assert len(aggregate(source, {"$limit": 3})) == 3
    assert next(source)["_id"] == 3


@pytest.mark.parametrize(("documents", "expected"), [([], []), (NUMBERED, [{"many": 10}])])
def test_count(documents: list[dict[str, Any]], expected: list[dict[str, Any]]) -> None:
    assert aggregate(documents, {"$count": "many"}) == expected


def test_a_sample_is_fair() -> None:
    """Each of ten documents is among three in 3,000 of 10,000 samples, and first in 1,000; within five deviations."""
    given = context()
    chosen: Counter[int] = Counter()
    first: Counter[int] = Counter()
    for _ in range(10_000):
        sample = ids(aggregate(NUMBERED, {"$sample": {"size": 3}}, given=given))
        assert len(set(sample)) == 3
        chosen.update(sample)
        first[sample[0]] += 1
    assert all(abs(times - 3000) < 230 for times in chosen.values())
    assert all(abs(times - 1000) < 150 for times in first.values())


def test_a_sample_of_more_than_there_are_is_all() -> None:
    assert sorted(ids(aggregate(NUMBERED, {"$sample": {"size": 50}}))) == list(range(10))


@pytest.mark.parametrize(
    ("stage", "named"),
    [
        ({"$limit": 0}, "$limit"),
        ({"$limit": -1}, "$limit"),
        ({"$limit": 1.5}, "$limit"),
        ({"$limit": True}, "$limit"),
        ({"$limit": "1"}, "$limit"),
        ({"$limit": float("nan")}, "$limit"),
        ({"$limit": float("inf")}, "$limit"),
        ({"$skip": -1}, "$skip"),
        ({"$sort": {}}, "$sort"),
        ({"$sort": {"n": 2}}, "'n'"),
        ({"$sort": 1}, "$sort"),
        ({"$sample": 3}, "$sample"),
        ({"$sample": {"size": 0}}, "$sample"),
        ({"$sample": {"size": 1, "x": 1}}, "$sample"),
        ({"$count": ""}, "$count"),
        ({"$count": "$x"}, "$count"),
        ({"$count": "x.y"}, "$count"),
        ({"$count": 1}, "$count"),
    ],
)
def test_what_means_nothing_is_refused_by_name(stage: dict[str, Any], named: str) -> None:
    with pytest.raises(InvalidArgumentError) as refused:
        aggregate(NUMBERED, stage)
    assert named in refused.value.message
