"""`$unwind` and `$lookup`."""

from __future__ import annotations

from typing import Any

import pytest
from bson import Int64

from laura_fast.domain.documents.pipeline import compile_pipeline
from laura_fast.errors import DeadlineError, InvalidArgumentError, OverloadedError
from tests.unit.domain.documents.expressions.evaluating import same
from tests.unit.domain.documents.pipeline.running import aggregate, budget, context

LISTS: list[dict[str, Any]] = [
    {"_id": 1, "l": [1, [2], None]},
    {"_id": 2, "l": []},
    {"_id": 3, "l": None},
    {"_id": 4},
    {"_id": 5, "l": "x"},
    {"_id": 6, "d": {"l": [7], "m": 8}},
]


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ("$l", [{"_id": 1, "l": 1}, {"_id": 1, "l": [2]}, {"_id": 1, "l": None}, {"_id": 5, "l": "x"}]),
        ({"path": "$d.l"}, [{"_id": 6, "d": {"l": 7, "m": 8}}]),
        (
            {"path": "$l", "preserveNullAndEmptyArrays": True, "includeArrayIndex": "at"},
            [
                {"_id": 1, "l": 1, "at": Int64(0)},
                {"_id": 1, "l": [2], "at": Int64(1)},
                {"_id": 1, "l": None, "at": Int64(2)},
                {"_id": 2, "at": None},
                {"_id": 3, "l": None, "at": None},
                {"_id": 4, "at": None},
                {"_id": 5, "l": "x", "at": None},
                {"_id": 6, "d": {"l": [7], "m": 8}, "at": None},
            ],
        ),
        ({"path": "$d.l", "includeArrayIndex": "d.at"}, [{"_id": 6, "d": {"l": 7, "m": 8, "at": Int64(0)}}]),
        ({"path": "$l.x"}, []),
    ],
)
def test_unwind(spec: Any, expected: list[dict[str, Any]]) -> None:
    assert same(aggregate(LISTS, {"$unwind": spec}), expected)


def test_an_empty_array_that_is_preserved_is_gone_from_its_document() -> None:
    stage = {"$unwind": {"path": "$d.l", "preserveNullAndEmptyArrays": True}}
    assert aggregate([{"d": {"l": [], "m": 1}}], stage) == [{"d": {"m": 1}}]


def test_unwinding_looks_at_the_clock() -> None:
    document: dict[str, Any] = {"l": list(range(1000))}
    with pytest.raises(DeadlineError):
        aggregate([document], {"$unwind": "$l"}, given=context(budget(deadline=0.0)))


PEOPLE: list[dict[str, Any]] = [
    {"_id": 1, "name": "ann"},
    {"_id": 2, "name": ["bob", "ann"]},
    {"_id": 3},
    {"_id": 4, "name": None},
]


@pytest.mark.parametrize(
    ("local", "found"),
    [
        ({"who": "ann"}, [1, 2]),
        ({"who": ["bob", "nobody"]}, [2]),
        ({"who": ["bob", "ann"]}, [1, 2]),
        ({"who": [["bob", "ann"]]}, [2]),
        ({"who": None}, [3, 4]),
        ({}, [3, 4]),
        ({"who": "nobody"}, []),
    ],
)
def test_lookup(local: dict[str, Any], found: list[int]) -> None:
    stage = {"$lookup": {"from": "people", "localField": "who", "foreignField": "name", "as": "out.people"}}
    [result] = aggregate([local], stage, given=context(foreign={"people": PEOPLE}))
    assert result == {**local, "out": {"people": [person for person in PEOPLE if person["_id"] in found]}}


def test_lookup_by_numbers_of_any_type_and_paths_through_arrays() -> None:
    foreign: list[dict[str, Any]] = [{"_id": 1, "items": [{"n": 1.0}, {"n": 2}]}, {"_id": 2, "items": {"n": Int64(3)}}]
    stage = {"$lookup": {"from": "f", "localField": "l.n", "foreignField": "items.n", "as": "l"}}
    [found, both] = aggregate(
        [{"l": {"n": 1}}, {"l": [{"n": 2}, {"n": 3}]}], stage, given=context(foreign={"f": foreign})
    )
    assert found == {"l": [foreign[0]]}
    assert both == {"l": foreign}


def test_lookup_holds_the_foreign_collection() -> None:
    stage = {"$lookup": {"from": "f", "localField": "x", "foreignField": "x", "as": "x"}}
    with pytest.raises(OverloadedError, match="memory"):
        aggregate([{}], stage, given=context(budget(100_000), {"f": [{"x": "y" * 1000} for _ in range(1000)]}))


def test_lookup_gives_no_more_than_a_document_can_hold() -> None:
    stage = {"$lookup": {"from": "f", "localField": "x", "foreignField": "x", "as": "x"}}
    with pytest.raises(InvalidArgumentError, match=r"\$lookup") as refused:
        aggregate(
            [{"x": 1}], stage, given=context(budget(2**30), {"f": [{"x": 1, "y": "y" * 2**20} for _ in range(20)]})
        )
    assert refused.value.reason == "DOCUMENT_TOO_LARGE"


ORDERS: list[dict[str, Any]] = [
    {"_id": 1, "item": "a", "n": 5},
    {"_id": 2, "item": "b", "n": 1},
    {"_id": 3, "item": "a", "n": 9},
]


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        ({"pipeline": []}, [[1, 2, 3], [1, 2, 3]]),
        ({"pipeline": [{"$sort": {"n": -1}}, {"$limit": 1}]}, [[3], [3]]),
        (
            {
                "let": {"item": "$name", "least": {"$add": ["$least", 1]}},
                "pipeline": [
                    {
                        "$match": {
                            "$expr": {"$and": [{"$eq": ["$item", "$$item"]}, {"$gte": ["$n", "$$least"]}]},
                        }
                    }
                ],
            },
            [[3], [2]],
        ),
        (
            {
                "let": {"least": "$least"},
                "localField": "name",
                "foreignField": "item",
                "pipeline": [{"$match": {"$expr": {"$gt": ["$n", "$$least"]}}}, {"$sort": {"n": -1}}],
            },
            [[3], [2]],
        ),
    ],
)
def test_lookup_with_a_pipeline(arguments: dict[str, Any], found: list[list[int]]) -> None:
    """The pipeline is compiled once; what `let` names is the document's own, each time."""
    documents = [{"name": "a", "least": 5}, {"name": "b", "least": 0}]
    stage = {"$lookup": {"from": "orders", "as": "orders", **arguments}}
    results = aggregate(documents, stage, given=context(foreign={"orders": ORDERS}))
    assert [[order["_id"] for order in result["orders"]] for result in results] == found
    assert [result["name"] for result in results] == ["a", "b"]


def test_lookup_with_a_pipeline_looks_at_the_clock_and_holds() -> None:
    stage = {"$lookup": {"from": "orders", "as": "orders", "pipeline": []}}
    with pytest.raises(DeadlineError):
        aggregate([{}], stage, given=context(budget(deadline=0.0), {"orders": ORDERS}))
    with pytest.raises(OverloadedError):
        aggregate([{}], stage, given=context(budget(100), {"orders": ORDERS}))


def test_it_is_known_what_a_lookup_with_a_pipeline_reads() -> None:
    inner = [{"$lookup": {"from": "items", "localField": "item", "foreignField": "_id", "as": "item"}}]
    stage = {"$lookup": {"from": "orders", "as": "orders", "let": {"n": "$name.first"}, "pipeline": inner}}
    pipeline = compile_pipeline([stage, {"$project": {"_id": 0, "orders": 1}}])
    assert pipeline.foreign == ("items", "orders")
    assert pipeline.needed == frozenset({"name", "orders"})


@pytest.mark.parametrize(
    ("stage", "named"),
    [
        ({"$unwind": "l"}, "$unwind"),
        ({"$unwind": "$"}, "$unwind"),
        ({"$unwind": "$l.$x"}, "$x"),
        ({"$unwind": {"path": 1}}, "$unwind"),
        ({"$unwind": {}}, "$unwind"),
        ({"$unwind": {"path": "$l", "other": 1}}, "path"),
        ({"$unwind": {"path": "$l", "preserveNullAndEmptyArrays": 1}}, "preserveNullAndEmptyArrays"),
        ({"$unwind": {"path": "$l", "includeArrayIndex": "$x"}}, "$x"),
        ({"$unwind": {"path": "$l", "includeArrayIndex": ""}}, "$unwind"),
        ({"$lookup": 1}, "$lookup"),
        ({"$lookup": {"from": "f", "pipeline": {}, "as": "x"}}, "pipeline"),
        ({"$lookup": {"from": "f", "let": {"a": 1}, "as": "x"}}, "pipeline"),
        ({"$lookup": {"from": "f", "pipeline": [], "as": "x", "other": 1}}, "$lookup"),
        ({"$lookup": {"from": "f", "let": {"A": 1}, "pipeline": [], "as": "x"}}, "'A'"),
        ({"$lookup": {"from": "f", "let": [], "pipeline": [], "as": "x"}}, "let"),
        ({"$lookup": {"from": 1, "pipeline": [], "as": "x"}}, "from"),
        ({"$lookup": {"from": "f", "pipeline": [], "as": "x", "localField": "a"}}, "foreignField"),
        ({"$lookup": {"from": "f", "pipeline": [{"$set": {"x": "$$nobody"}}], "as": "x"}}, "nobody"),
        ({"$lookup": {"from": "f", "pipeline": [{"$facet": {"a": []}}], "as": "x"}}, "$facet"),
        (
            {"$lookup": {"from": "f", "pipeline": [{"$lookup": {"from": "g", "pipeline": [], "as": "y"}}], "as": "x"}},
            "$lookup",
        ),
        ({"$lookup": {"from": "f", "localField": "a", "as": "x"}}, "foreignField"),
        ({"$lookup": {"from": 1, "localField": "a", "foreignField": "b", "as": "x"}}, "from"),
        ({"$lookup": {"from": "f", "localField": "$a", "foreignField": "b", "as": "x"}}, "$a"),
    ],
)
def test_what_means_nothing_is_refused_by_name(stage: dict[str, Any], named: str) -> None:
    with pytest.raises(InvalidArgumentError) as refused:
        aggregate(LISTS, stage)
    assert named in refused.value.message
