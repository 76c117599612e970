"""Updates make of documents what two other implementations of MongoDB's semantics make of them."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.properties.update_cases import compare_many
from tests.properties.update_differences import COMPARISON

CASES_PER_SEED = 25


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_fresh_updates(seed: int) -> None:
    compare_many(Random(seed), CASES_PER_SEED)  # noqa: S311 - test cases, no secrets


def test_most_cases_are_compared() -> None:
    """The comparison is worth something: what can be excused is the smaller part."""
    found = compare_many(Random(1), 600)  # noqa: S311 - test cases, no secrets
    assert found["mongomock-ng", "same"] > 270
    assert found["montydb", "same"] > 450


KNOWN = COMPARISON.differences()


@pytest.mark.parametrize("name", KNOWN)
def test_known_differences(name: str) -> None:
    """Fails when a difference is gone, too, so that the list stays true."""
    assert COMPARISON.still_differs(*KNOWN[name])
