"""Pipelines give what another implementation of MongoDB's gives, but for the differences listed by name."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.properties.pipeline_cases import RIVAL, compare_many
from tests.properties.pipeline_differences import DIFFERENCES, explained
from tests.properties.pipeline_rivals import alike, mongomock, ours

CASES_PER_SEED = 25


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_fresh_pipelines(seed: int) -> None:
    compare_many(Random(seed), CASES_PER_SEED)  # noqa: S311 - test cases, no secrets


def test_most_cases_are_compared() -> None:
    """The comparison is worth something: known differences excuse the smaller part."""
    assert compare_many(Random(1), 300)[RIVAL, "same"] > 150  # noqa: S311 - test cases, no secrets


@pytest.mark.parametrize("name", DIFFERENCES)
def test_known_differences(name: str) -> None:
    """Fails when a difference is gone, too, so that the list stays true."""
    known = DIFFERENCES[name]
    assert explained(known.stages, known.documents) == name
    assert alike(ours(known.stages, known.documents), known.expected), known.rule
    assert not alike(mongomock(known.stages, known.documents), known.expected)
