"""Pipelines as a whole: what is refused, rearranged, known without running, and split."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from bson.datetime_ms import DatetimeMS

from laura_fast.domain.documents.pipeline import compile_pipeline
from laura_fast.errors import InvalidArgumentError
from laura_fast.limits import queries as limits
from tests.unit.domain.documents.pipeline.running import aggregate, context

if TYPE_CHECKING:
    from laura_fast.domain.documents.pipeline.stage import Stage

DOCUMENTS = [{"_id": place, "a": place % 4, "b": place % 3} for place in range(12)]


def names(stages: list[dict[str, Any]]) -> list[str]:
    """The stages as they will run."""
    return [type(stage).__name__ for stage in compile_pipeline(stages).stages]


def test_no_stage_gives_all_documents() -> None:
    assert aggregate(DOCUMENTS) == DOCUMENTS


@pytest.mark.parametrize(
    ("stage", "message"),
    [
        ({"$nothing": 1}, "unsupported stage type: $nothing"),
        ({"match": {}}, "unsupported stage type: match"),
        ({}, "a stage of a pipeline must have exactly one key"),
        ({"$match": {}, "$limit": 1}, "a stage of a pipeline must have exactly one key"),
    ],
)
def test_a_stage_that_is_none_is_refused(stage: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidArgumentError) as refused:
        compile_pipeline([stage])
    assert refused.value.message == message


def test_the_longest_pipeline_runs_and_a_longer_one_is_refused() -> None:
    longest = [{"$set": {"a": {"$add": ["$a", 1]}}}] * limits.MAX_PIPELINE_STAGES
    assert aggregate([{"a": 0}], *longest) == [{"a": limits.MAX_PIPELINE_STAGES}]
    with pytest.raises(InvalidArgumentError, match="stages"):
        compile_pipeline([*longest, {"$limit": 1}])


@pytest.mark.parametrize("query", [1, {"$nothing": 1}, {"a": {"$nothing": 1}}])
def test_a_malformed_match_is_refused(query: Any) -> None:
    with pytest.raises(InvalidArgumentError):
        compile_pipeline([{"$match": query}])


@pytest.mark.parametrize(
    ("stages", "expected"),
    [
        ([{"$match": {"a": 1}}, {"$match": {"b": 1}}], ["Match"]),
        ([{"$sort": {"b": 1}}, {"$match": {"a": 1}}], ["Match", "SortStage"]),
        ([{"$match": {"b": 1}}, {"$sort": {"b": 1}}, {"$match": {"a": 1}}], ["Match", "SortStage"]),
        ([{"$limit": 5}, {"$match": {"a": 1}}], ["Limit", "Match"]),
        ([{"$project": {"a": 1}}, {"$match": {"a": 1}}], ["Match", "Include"]),
        ([{"$project": {"a": 1}}, {"$match": {"b": None}}], ["Include", "Match"]),
        ([{"$project": {"a": "$b"}}, {"$match": {"a": 1}}], ["Include", "Match"]),
        ([{"$project": {"a.x": 1}}, {"$match": {"a": 1}}], ["Include", "Match"]),
        ([{"$project": {"b": 0}}, {"$match": {"a.x": 1}}], ["Match", "Exclude"]),
        ([{"$unset": "a.x"}, {"$match": {"a": 1}}], ["Exclude", "Match"]),
        ([{"$set": {"b": 1}}, {"$match": {"$or": [{"a": 1}, {"c": 1}]}}], ["Match", "AddFields"]),
        ([{"$set": {"b": 1}}, {"$match": {"$nor": [{"a": 1}, {"b": 1}]}}], ["AddFields", "Match"]),
        ([{"$set": {"b": 1}}, {"$match": {"$expr": {"$eq": ["$a", 1]}}}], ["AddFields", "Match"]),
        ([{"$unwind": "$a"}, {"$match": {"b": 1}}], ["Unwind", "Match"]),
        ([{"$group": {"_id": "$a"}}, {"$match": {"_id": 1}}], ["Group", "Match"]),
        ([{"$replaceRoot": {"newRoot": "$a"}}, {"$match": {"a": 1}}], ["ReplaceRoot", "Match"]),
    ],
)
def test_a_match_moves_forward_where_that_is_safe(stages: list[dict[str, Any]], expected: list[str]) -> None:
    assert names(stages) == expected


def test_moved_matches_are_both_applied() -> None:
    stages: list[dict[str, Any]] = [{"$match": {"a": {"$gt": 0}}}, {"$sort": {"_id": -1}}, {"$match": {"b": 0}}]
    assert [document["_id"] for document in aggregate(DOCUMENTS, *stages)] == [9, 6, 3]


@pytest.mark.parametrize(
    ("behind", "most"),
    [
        ([], None),
        ([{"$limit": 5}], 5),
        ([{"$skip": 2}, {"$limit": 5}], 7),
        ([{"$limit": 5}, {"$skip": 2}, {"$limit": 2}], 4),
        ([{"$project": {"a": 1}}, {"$limit": 5}], 5),
        ([{"$skip": 2}], None),
        ([{"$unwind": "$a"}, {"$limit": 5}], None),
        ([{"$group": {"_id": "$a"}}, {"$limit": 5}], None),
    ],
)
def test_a_sort_knows_how_many_are_wanted(behind: list[dict[str, Any]], most: int | None) -> None:
    first: Any = compile_pipeline([{"$sort": {"a": 1}}, *behind]).stages[0]
    assert first.most == most


def test_the_planner_sees_what_comes_first() -> None:
    pipeline = compile_pipeline([{"$sort": {"b": 1}}, {"$match": {"a": 1}}, {"$limit": 2}])
    assert pipeline.leading is not None
    assert pipeline.order is not None
    assert pipeline.order.fields == (("b", False),)
    matching = [document for document in DOCUMENTS if pipeline.leading.matches(document)]
    whole = list(pipeline.run(DOCUMENTS, context()))
    assert list(pipeline.rest.run(matching, context())) == whole
    assert [document["_id"] for document in whole] == [9, 1]
    plain = compile_pipeline([{"$limit": 2}])
    assert (plain.leading, plain.order, plain.rest) == (None, None, plain)


@pytest.mark.parametrize(
    ("stages", "needed"),
    [
        ([], None),
        ([{"$match": {"a": 1}}], None),
        ([{"$match": {"a.x": 1}}, {"$project": {"b": 1}}], {"_id", "a", "b"}),
        ([{"$group": {"_id": "$a", "n": {"$sum": "$b.x"}}}], {"a", "b"}),
        ([{"$group": {"_id": "$a", "all": {"$push": "$$ROOT"}}}], None),
        ([{"$match": {"$expr": {"$eq": ["$a", 1]}}}, {"$count": "n"}], None),
        ([{"$sort": {"c.d": 1}}, {"$project": {"_id": 0, "b": 1}}], {"_id", "b", "c"}),
        ([{"$count": "n"}], set()),
        ([{"$unwind": "$a.b"}, {"$sortByCount": "$a.b"}], {"a"}),
        ([{"$set": {"x.y": "$a"}}, {"$project": {"x": 1, "z": {"$add": ["$b", 1]}}}], {"_id", "a", "b", "x"}),
        ([{"$match": {"a": {"$elemMatch": {"$gt": 1}}}}, {"$replaceWith": "$b"}], {"a", "b"}),
    ],
)
def test_it_is_known_which_fields_count(stages: list[dict[str, Any]], needed: set[str] | None) -> None:
    assert compile_pipeline(stages).needed == needed


def test_it_is_known_which_collections_are_read() -> None:
    lookup = {"localField": "a", "foreignField": "a", "as": "x"}
    stages = [{"$lookup": {"from": "two", **lookup}}, {"$lookup": {"from": "one", **lookup}}]
    assert compile_pipeline(stages).foreign == ("one", "two")


def test_a_constant_of_the_request_reaches_every_stage() -> None:
    stages: list[dict[str, Any]] = [
        {"$match": {"$expr": {"$eq": ["$$NOW", DatetimeMS(5)]}}},
        {"$match": {"$expr": {"$lt": [0, "$$NOW"]}}},
        {"$set": {"at": "$$NOW"}},
        {"$project": {"at": 1, "again": "$$NOW"}},
        {"$group": {"_id": "$$NOW", "n": {"$max": "$$NOW"}}},
        {"$replaceWith": {"now": "$$NOW", "same": {"$eq": ["$_id", "$n"]}}},
    ]
    now = DatetimeMS(5)
    assert list(compile_pipeline(stages, {"NOW": now}).run([{}], context())) == [{"now": now, "same": True}]


@pytest.mark.parametrize(
    ("stages", "shard", "merge"),
    [
        ([], [], []),
        ([{"$match": {"a": 1}}, {"$set": {"b": 1}}], ["Match", "AddFields"], []),
        ([{"$sort": {"a": 1}}], [], ["SortStage"]),
        ([{"$sort": {"a": 1}}, {"$limit": 2}], ["SortStage"], ["SortStage", "Limit"]),
        ([{"$limit": 2}, {"$match": {"a": 1}}], ["Limit"], ["Limit", "Match"]),
        ([{"$unwind": "$a"}, {"$group": {"_id": "$a"}}, {"$limit": 1}], ["Unwind", "Group"], ["Group", "Limit"]),
        ([{"$count": "n"}], ["Count"], ["AddCounts"]),
        ([{"$skip": 2}], [], ["Skip"]),
        ([{"$sample": {"size": 2}}], [], ["Sample"]),
    ],
)
def test_split(stages: list[dict[str, Any]], shard: list[str], merge: list[str]) -> None:
    def types(stages: tuple[Stage, ...]) -> list[str]:
        return [type(stage).__name__ for stage in stages]

    first, then = compile_pipeline(stages).split()
    assert (types(first.stages), types(then.stages)) == (shard, merge)
