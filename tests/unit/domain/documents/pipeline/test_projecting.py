"""Stages that shape documents one by one."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from laura_fast.errors import InvalidArgumentError
from tests.unit.domain.documents.expressions.evaluating import same
from tests.unit.domain.documents.pipeline.running import aggregate

DOCUMENT = {
    "_id": 1,
    "a": {"b": 1, "c": 2},
    "list": [{"b": 1, "c": 2}, {"c": 3}, 4, [{"b": 5, "c": 6}]],
    "x": 10,
    "null": None,
}

SET_INSIDE = [{"b": 0, "c": 2}, {"c": 3, "b": 0}, {"b": 0}, [{"b": 0, "c": 6}]]


@pytest.mark.parametrize(
    ("stage", "expected"),
    [
        ({"$project": {"x": 1}}, {"_id": 1, "x": 10}),
        ({"$project": {"x": True, "a": 2.5, "_id": 0}}, {"a": {"b": 1, "c": 2}, "x": 10}),
        ({"$project": {"_id": 1}}, {"_id": 1}),
        ({"$project": {"gone": 1}}, {"_id": 1}),
        ({"$project": {"a.b": 1}}, {"_id": 1, "a": {"b": 1}}),
        ({"$project": {"a": {"b": 1}}}, {"_id": 1, "a": {"b": 1}}),
        ({"$project": {"list.b": 1, "_id": 0}}, {"list": [{"b": 1}, {}, [{"b": 5}]]}),
        ({"$project": {"x.y": 1, "_id": 0}}, {}),
        ({"$project": {"x": 0, "list": False, "null": 0}}, {"_id": 1, "a": {"b": 1, "c": 2}}),
        ({"$project": {"_id": 0, "list": 0, "a.b": 0}}, {"a": {"c": 2}, "x": 10, "null": None}),
        ({"$project": {"_id": 1, "list": 0, "a": 0, "null": 0}}, {"_id": 1, "x": 10}),
        ({"$project": {"list.b": 0}}, {**DOCUMENT, "list": [{"c": 2}, {"c": 3}, 4, [{"c": 6}]]}),
        ({"$project": {"y": {"$add": ["$x", 1]}, "x": 1}}, {"_id": 1, "x": 10, "y": 11}),
        ({"$project": {"x": "$gone", "y": "$x", "z": {"$literal": 1}}}, {"_id": 1, "y": 10, "z": 1}),
        ({"$project": {"_id": "$x"}}, {"_id": 10}),
        ({"$project": {"n.m": "$x", "_id": 0}}, {"n": {"m": 10}}),
        ({"$project": {"a.b": "$x", "a.c": 1, "_id": 0}}, {"a": {"c": 2, "b": 10}}),
        ({"$project": {"x.y": "$null", "null": 1, "_id": 0}}, {"x": {"y": None}, "null": None}),
        ({"$project": {"list.c": "$x", "_id": 0}}, {"list": [{"c": 10}, {"c": 10}, {"c": 10}, [{"c": 10}]]}),
        ({"$project": {"y": ["$x", "$gone"], "_id": 0}}, {"y": [10, None]}),
        ({"$addFields": {"x": 5, "y": "$x"}}, {**DOCUMENT, "x": 5, "y": 10}),
        ({"$set": {"x": "$gone"}}, {name: value for name, value in DOCUMENT.items() if name != "x"}),
        ({"$set": {"x": "$$REMOVE"}}, {name: value for name, value in DOCUMENT.items() if name != "x"}),
        ({"$set": {"a": {"d": 3}}}, {**DOCUMENT, "a": {"b": 1, "c": 2, "d": 3}}),
        ({"$set": {"a.b": {"$add": ["$a.b", 1]}}}, {**DOCUMENT, "a": {"b": 2, "c": 2}}),
        ({"$set": {"x.y": 1}}, {**DOCUMENT, "x": {"y": 1}}),
        ({"$set": {"list.b": 0}}, {**DOCUMENT, "list": SET_INSIDE}),
        ({"$set": {"n": {}}}, {**DOCUMENT, "n": {}}),
        ({"$unset": "x"}, {name: value for name, value in DOCUMENT.items() if name != "x"}),
        ({"$unset": ["a.b", "list", "null", "_id"]}, {"a": {"c": 2}, "x": 10}),
        ({"$replaceRoot": {"newRoot": "$a"}}, {"b": 1, "c": 2}),
        ({"$replaceWith": {"$mergeObjects": ["$a", {"x": "$x"}]}}, {"b": 1, "c": 2, "x": 10}),
    ],
)  # fmt: skip
def test_result(stage: dict[str, Any], expected: dict[str, Any]) -> None:
    before = copy.deepcopy(DOCUMENT)
    [found] = aggregate([DOCUMENT], stage)
    assert same(found, expected)
    assert same(before, DOCUMENT)


@pytest.mark.parametrize(
    ("stage", "named"),
    [
        ({"$project": {}}, "$project"),
        ({"$project": 1}, "$project"),
        ({"$project": {"x": 1, "y": 0}}, "'y'"),
        ({"$project": {"x": 0, "y": "$x"}}, "'x'"),
        ({"$project": {"x": 1, "x.y": 1}}, "'x.y'"),
        ({"$project": {"x.y": 1, "x": 1}}, "'x'"),
        ({"$project": {"x": {"y": 1}, "x.y": 1}}, "'x.y'"),
        ({"$project": {"x": {}}}, "'x'"),
        ({"$project": {"x..y": 1}}, "x..y"),
        ({"$project": {"$x": 1}}, "$x"),
        ({"$project": {"": 1}}, "$project"),
        ({"$project": {"x": {"$nothing": 1}}}, "$nothing"),
        ({"$project": {"x": {"y": {"$nothing": 1}}}}, "$nothing"),
        ({"$project": {"x." * 100 + "x": 1}}, "names"),
        ({"$addFields": {}}, "$addFields"),
        ({"$set": {"x": 1, "x.y": 2}}, "'x.y'"),
        ({"$set": []}, "$set"),
        ({"$unset": []}, "$unset"),
        ({"$unset": ["x", "x"]}, "twice"),
        ({"$unset": ["x", 1]}, "$unset"),
        ({"$unset": {"x": 1}}, "$unset"),
        ({"$replaceRoot": {}}, "newRoot"),
        ({"$replaceRoot": {"newRoot": 1, "x": 2}}, "newRoot"),
        ({"$replaceRoot": {"newRoot": "$x"}}, "int"),
        ({"$replaceWith": "$gone"}, "missing"),
    ],
)
def test_what_means_nothing_is_refused_by_name(stage: dict[str, Any], named: str) -> None:
    with pytest.raises(InvalidArgumentError) as refused:
        aggregate([DOCUMENT], stage)
    assert named in refused.value.message


def test_documents_do_not_grow_without_bound() -> None:
    """Thirty doublings of what is shared would be gigabytes once written out."""
    doubled = [{"$set": {f"f{place}": "$$ROOT"}} for place in range(40)]
    with pytest.raises(InvalidArgumentError) as refused:
        aggregate([{"text": "x" * 2**16}], *doubled)
    assert refused.value.reason == "DOCUMENT_TOO_LARGE"


def test_documents_do_not_become_too_deep() -> None:
    with pytest.raises(InvalidArgumentError, match="deeper"):
        aggregate([{"a": 1}], *[{"$set": {"a": ["$a"]}} for _ in range(150)])
    with pytest.raises(InvalidArgumentError, match="deeper"):
        aggregate([{"a": 1}], *[{"$set": {"b" + ".b" * 60: "$$ROOT"}} for _ in range(4)])
