"""What a path reaches, told by a list, is what filters and joins compare with."""

from __future__ import annotations

from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from laura_fast.domain.documents import order, paths
from laura_fast.domain.documents.filters import compile_filter
from laura_fast.domain.documents.kinds import MISSING
from tests.properties import document_dice as dice
from tests.unit.domain.documents.pipeline.running import aggregate, context

SEEDS = st.integers(0, 2**32 - 1)


def cases(seed: int) -> tuple[str, list[dict[str, Any]], Any]:
    rng = Random(seed)  # noqa: S311 - test cases, no secrets
    return dice.path(rng), [dice.document(rng) for _ in range(10)], dice.value(rng, 1)


@settings(deadline=None)
@given(SEEDS)
def test_equality_is_with_what_a_path_reaches(seed: int) -> None:
    path, documents, operand = cases(seed)
    matches = compile_filter({path: {"$eq": operand}}).matches
    for document in documents:
        values = [None if value is MISSING else value for value in paths.reached(document, paths.split(path))]
        assert matches(document) == any(order.equal(value, operand) for value in values), document


@settings(deadline=None)
@given(SEEDS)
def test_a_join_finds_what_a_query_finds(seed: int) -> None:
    path, documents, operand = cases(seed)
    foreign = [{"_id": number, **document} for number, document in enumerate(documents)]
    stage = {"$lookup": {"from": "f", "localField": "x", "foreignField": path, "as": "x"}}
    [joined] = aggregate([{"x": [operand]}], stage, given=context(foreign={"f": foreign}))
    matches = compile_filter({path: {"$eq": operand}}).matches
    assert joined == {"x": list(filter(matches, foreign))}
