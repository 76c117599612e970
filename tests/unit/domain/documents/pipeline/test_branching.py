"""`$facet`, `$unionWith` and `$bucket`."""

from __future__ import annotations

from typing import Any

import pytest

from laura_fast.domain.documents.pipeline import compile_pipeline
from laura_fast.errors import InvalidArgumentError, OverloadedError
from tests.unit.domain.documents.pipeline.running import aggregate, budget, context

DOCUMENTS: list[dict[str, Any]] = [{"_id": place, "k": place % 2, "n": place} for place in range(6)]


def test_facets_see_the_same_documents() -> None:
    stages: list[dict[str, Any]] = [
        {"$match": {"n": {"$gt": 0}}},
        {
            "$facet": {
                "count": [{"$count": "n"}],
                "top": [{"$sort": {"n": -1}}, {"$limit": 2}, {"$project": {"_id": 1}}],
                "none": [{"$match": {"n": 100}}],
                "groups": [{"$group": {"_id": "$k", "sum": {"$sum": "$n"}}}],
            }
        },
        {"$set": {"after": True}},
    ]
    assert aggregate(DOCUMENTS, *stages) == [
        {
            "count": [{"n": 5}],
            "top": [{"_id": 5}, {"_id": 4}],
            "none": [],
            "groups": [{"_id": 1, "sum": 9}, {"_id": 0, "sum": 6}],
            "after": True,
        }
    ]


def test_facets_of_nothing_are_empty() -> None:
    assert aggregate([], {"$facet": {"all": []}}) == [{"all": []}]


def test_facets_hold_their_documents() -> None:
    with pytest.raises(OverloadedError, match="memory"):
        aggregate(
            ({"n": n} for n in range(100_000)), {"$facet": {"n": [{"$count": "n"}]}}, given=context(budget(10**6))
        )


@pytest.mark.parametrize(
    ("facets", "needed"),
    [
        ({"a": [{"$count": "n"}], "b": [{"$group": {"_id": "$k"}}]}, {"k"}),
        ({"a": [{"$count": "n"}], "b": [{"$match": {"k": 1}}]}, None),
    ],
)
def test_facets_need_what_each_needs(facets: dict[str, Any], needed: set[str] | None) -> None:
    assert compile_pipeline([{"$facet": facets}]).needed == needed


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ("others", [0, 1, 7, 8]),
        ({"coll": "others", "pipeline": [{"$match": {"_id": 8}}]}, [0, 1, 8]),
        ({"coll": "others", "pipeline": []}, [0, 1, 7, 8]),
    ],
)
def test_union(spec: Any, expected: list[int]) -> None:
    others = [{"_id": 7}, {"_id": 8}]
    stages = [{"$limit": 2}, {"$unionWith": spec}]
    found = aggregate(DOCUMENTS, *stages, given=context(foreign={"others": others}))
    assert [document["_id"] for document in found] == expected
    assert compile_pipeline(stages).foreign == ("others",)


def test_a_union_comes_after_the_shards_are_merged() -> None:
    shard, merge = compile_pipeline([{"$match": {"n": 1}}, {"$unionWith": "others"}]).split()
    assert (len(shard.stages), len(merge.stages)) == (1, 1)
    assert merge.foreign == ("others",)


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"boundaries": [0, 2, 10]}, [{"_id": 0, "count": 2}, {"_id": 2, "count": 4}]),
        ({"boundaries": [1, 2], "default": "other"}, [{"_id": 1, "count": 1}, {"_id": "other", "count": 5}]),
        (
            {"boundaries": [0, 3, 9], "output": {"sum": {"$sum": "$n"}, "ids": {"$push": "$_id"}}},
            [{"_id": 0, "sum": 3, "ids": [0, 1, 2]}, {"_id": 3, "sum": 12, "ids": [3, 4, 5]}],
        ),
    ],
)
def test_bucket(spec: dict[str, Any], expected: list[dict[str, Any]]) -> None:
    assert aggregate(DOCUMENTS, {"$bucket": {"groupBy": "$n", **spec}}) == expected


def test_a_value_in_no_bucket_is_refused() -> None:
    with pytest.raises(InvalidArgumentError, match="no branch"):
        aggregate(DOCUMENTS, {"$bucket": {"groupBy": "$n", "boundaries": [0, 3]}})


@pytest.mark.parametrize(
    ("stage", "named"),
    [
        ({"$facet": {}}, "$facet"),
        ({"$facet": {"a": {}}}, "$facet"),
        ({"$facet": {"a": [1]}}, "$facet"),
        ({"$facet": {"$a": []}}, "$a"),
        ({"$facet": {"a.b": []}}, "a.b"),
        ({"$facet": {"a": [{"$nothing": 1}]}}, "unsupported stage type: $nothing"),
        ({"$facet": {"a": [{"$facet": {"b": []}}]}}, "$facet"),
        ({"$facet": {f"f{place}": [] for place in range(101)}}, "100"),
        ({"$unionWith": 1}, "$unionWith"),
        ({"$unionWith": {"coll": ""}}, "coll"),
        ({"$unionWith": {"pipeline": []}}, "coll"),
        ({"$unionWith": {"coll": "x", "other": 1}}, "$unionWith"),
        ({"$unionWith": {"coll": "x", "pipeline": [{"$unionWith": "y"}]}}, "$unionWith"),
        ({"$bucket": {"boundaries": [1, 2]}}, "groupBy"),
        ({"$bucket": {"groupBy": "$n", "boundaries": [1]}}, "boundaries"),
        ({"$bucket": {"groupBy": "$n", "boundaries": [2, 1]}}, "boundaries"),
        ({"$bucket": {"groupBy": "$n", "boundaries": [1, "a"]}}, "boundaries"),
        ({"$bucket": {"groupBy": "$n", "boundaries": [1, 5], "default": 3}}, "default"),
        ({"$bucket": {"groupBy": "$n", "boundaries": [1, 5], "output": 3}}, "output"),
        ({"$bucket": {"groupBy": "$n", "boundaries": [1, 5], "other": 3}}, "$bucket"),
    ],
)
def test_what_means_nothing_is_refused_by_name(stage: dict[str, Any], named: str) -> None:
    with pytest.raises(InvalidArgumentError) as refused:
        compile_pipeline([stage])
    assert named in refused.value.message
