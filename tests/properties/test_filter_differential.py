"""Queries match what two other implementations of MongoDB's semantics say, but for the differences listed by name."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.properties.filter_cases import compare_many
from tests.properties.filter_differences import RIVALS
from tests.properties.filter_rivals import ours

CASES_PER_SEED = 40


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_fresh_queries(seed: int) -> None:
    compare_many(Random(seed), CASES_PER_SEED)  # noqa: S311 - test cases, no secrets


def test_most_cases_are_compared() -> None:
    """The comparison is worth something: known differences excuse the smaller part."""
    found = compare_many(Random(1), 600)  # noqa: S311 - test cases, no secrets
    assert found["mongomock-ng", "same"] > 360
    assert found["montydb", "same"] > 420


DIFFERENCES = [(rival, name) for rival, (_, differences) in RIVALS.items() for name in differences]


@pytest.mark.parametrize(("rival", "name"), DIFFERENCES, ids=map(str, DIFFERENCES))
def test_known_differences(rival: str, name: str) -> None:
    """Fails when a difference is gone, too, so that the list stays true."""
    ask, differences = RIVALS[rival]
    known = differences[name]
    assert ours(known.query, known.document) == known.expected
    assert ask(known.query, known.document) != known.expected
