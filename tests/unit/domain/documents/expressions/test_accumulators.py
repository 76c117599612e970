"""Accumulators: parts that are merged are as good as one that saw all."""

from __future__ import annotations

import math
import statistics
from typing import Any

import bson
import pytest
from bson import Decimal128
from hypothesis import given
from hypothesis import strategies as st

from laura_fast.domain.documents.expressions.accumulators import ACCUMULATORS, Deviation
from tests.unit.domain.documents.expressions.evaluating import same

VALUES = [3, 1.5, "text", None, [2], 2, 1, Decimal128("0.5"), "a", 1]


def accumulated(name: str, values: list[Any]) -> Any:
    state = ACCUMULATORS[name](lambda _: None)
    for value in values:
        state.add(value)
    return state


@pytest.mark.parametrize("name", ACCUMULATORS)
@pytest.mark.parametrize("cut", range(len(VALUES) + 1))
def test_two_parts_make_a_whole(name: str, cut: int) -> None:
    """In the order of the values; the states travel as BSON."""
    merged = ACCUMULATORS[name](lambda _: None)
    for part in (VALUES[:cut], VALUES[cut:]):
        if part:
            merged.merge(bson.decode(bson.encode({"state": accumulated(name, part).partial()}))["state"])
    whole = accumulated(name, VALUES).result()
    if isinstance(whole, float):
        assert math.isclose(merged.result(), whole, rel_tol=1e-12)
    else:
        assert same(merged.result(), whole)


@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=20))
def test_deviations_are_those_of_the_numbers(numbers: list[float]) -> None:
    population, sample = Deviation(0), Deviation(1)
    for number in numbers:
        population.add(number)
        sample.add(number)
    assert math.isclose(population.result() or 0, statistics.pstdev(numbers), rel_tol=1e-6, abs_tol=1e-6)
    assert math.isclose(sample.result() or 0, statistics.stdev(numbers), rel_tol=1e-6, abs_tol=1e-6)


def test_a_number_alone_has_no_deviation_however_large() -> None:
    """Its distance from the nothing of another shard is beyond what a double's square can hold."""
    merged = Deviation(0)
    merged.merge(accumulated("$stdDevPop", [1e308]).partial())
    assert merged.result() == 0.0
