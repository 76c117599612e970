"""What a pipeline rearranges, and what it says of itself, changes no result."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any

from hypothesis import given, settings
from hypothesis import strategies as st

from laura_fast.domain.documents import codec
from laura_fast.domain.documents.pipeline import compile_pipeline
from laura_fast.errors import RpcError
from tests.properties.pipeline_dice import Dice
from tests.unit.domain.documents.pipeline.running import context

if TYPE_CHECKING:
    from collections.abc import Iterator

CASES_PER_SEED = 40
Case = tuple[list[dict[str, Any]], list[dict[str, Any]], list[dict[str, Any]]]


def cases(seed: int) -> Iterator[Case]:
    """Stages, documents, and the results of one stage after the other, where they have any."""
    rng = Random(seed)  # noqa: S311 - test cases, no secrets
    for _ in range(CASES_PER_SEED):
        dice = Dice(rng, wild=True)
        stages, documents = dice.pipeline(), dice.documents()
        results = documents
        try:
            for stage in stages:
                results = list(compile_pipeline([stage]).run(results, context()))
        except RpcError:
            continue
        yield stages, documents, results


def written(results: list[dict[str, Any]]) -> bytes:
    """The results as BSON, which has their types and orders."""
    return codec.encode({"results": results})


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_a_whole_pipeline_gives_what_its_stages_give(seed: int) -> None:
    for stages, documents, results in cases(seed):
        assert written(list(compile_pipeline(stages).run(documents, context()))) == written(results), stages


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_a_planner_may_filter_and_leave_out_what_is_not_needed(seed: int) -> None:
    for stages, documents, results in cases(seed):
        pipeline = compile_pipeline(stages)
        given = documents
        if pipeline.leading:
            given = [document for document in given if pipeline.leading.matches(document)]
        rest = pipeline.rest
        if (needed := rest.needed) is not None:
            given = [{name: document[name] for name in document if name in needed} for document in given]
        assert written(list(rest.run(given, context()))) == written(results), stages
