"""Updates make of documents what two other implementations of MongoDB's semantics make of them."""

from __future__ import annotations

from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.properties.update_cases import compare_many

CASES_PER_SEED = 25


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_fresh_updates(seed: int) -> None:
    compare_many(Random(seed), CASES_PER_SEED)  # noqa: S311 - test cases, no secrets


def test_most_answers_are_the_same() -> None:
    """The comparison is worth something: what can be excused is the smaller part."""
    found = compare_many(Random(1), 1_500)  # noqa: S311 - test cases, no secrets
    for oracle in ("mongomock", "montydb"):
        assert found[oracle, "same"] > 600
        assert found[oracle, "same"] + found[oracle, "both refuse"] > 850
