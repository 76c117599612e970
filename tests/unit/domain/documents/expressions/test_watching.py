"""Loops in expressions can be ended from outside, and hold no more than a document may."""

from __future__ import annotations

from typing import Any

import pytest

from laura_fast.domain.documents.expressions.watching import watched
from laura_fast.errors import DeadlineError, InvalidArgumentError
from laura_fast.limits import documents as limits
from tests.unit.domain.documents.expressions.evaluating import evaluate

MANY = {"$range": [0, "$many"]}
FEW = {"$range": [0, "$few"]}


class Watch:
    """Lets loops go on for so many looks."""

    def __init__(self, looks: int) -> None:
        self.left = looks

    def look(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise DeadlineError("too long", "DEADLINE")


@pytest.mark.parametrize(
    "spec",
    [
        {"$map": {"input": MANY, "in": {"$add": ["$$this", "$few"]}}},
        {"$filter": {"input": MANY, "cond": {"$gt": ["$$this", "$few"]}}},
        {"$reduce": {"input": MANY, "initialValue": 0, "in": {"$add": ["$$this", "$$value", "$few"]}}},
        {"$map": {"input": MANY, "in": {"$sum": {"$map": {"input": FEW, "in": "$$this"}}}}},
    ],
)
def test_a_loop_that_is_watched_ends(spec: Any) -> None:
    watch = Watch(100)
    with watched(watch.look), pytest.raises(DeadlineError):
        evaluate(spec, {"few": 3, "many": 1_000_000})
    assert watch.left == -1


def test_watching_ends_with_its_block() -> None:
    with watched(Watch(0).look), pytest.raises(DeadlineError):
        evaluate({"$map": {"input": FEW, "in": 1}}, {"few": 3, "many": 1_000_000})
    assert evaluate({"$map": {"input": FEW, "in": 1}}, {"few": 3, "many": 1_000_000}) == [1, 1, 1]


@pytest.mark.parametrize(
    "spec",
    [
        {"$map": {"input": MANY, "in": {"$range": [0, "$few"]}}},
        {"$map": {"input": MANY, "in": {"$concat": ["x" * 1000, "$text"]}}},
        {"$map": {"input": MANY, "in": "$$ROOT"}},
        {"$map": {"input": MANY, "in": ["x" * 1000]}},
    ],
)
def test_what_a_loop_collects_is_measured_on_the_way(spec: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A million times a thousand is more than the memory: the end would be too late."""
    monkeypatch.setattr(limits, "MAX_DOCUMENT_BYTES", 100_000)
    watch = Watch(100)
    with watched(watch.look), pytest.raises(InvalidArgumentError) as refused:
        evaluate(spec, {"many": 1_000_000, "few": 1000, "text": "x" * 1000})
    assert refused.value.reason == "DOCUMENT_TOO_LARGE"
