"""Sums are exact and do not depend on how their terms are split up."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction
from typing import Any

import bson
import pytest
from bson import Decimal128, Int64
from hypothesis import given
from hypothesis import strategies as st

from laura_fast.domain.documents.expressions.totals import Total
from tests.unit.domain.documents.expressions.evaluating import same

MOST64 = 2**63 - 1
NUMBERS = st.one_of(
    st.integers(-(2**31), 2**31 - 1),
    st.integers(-(2**63), MOST64).map(Int64),
    st.floats(),
    st.decimals().filter(lambda value: not value.is_snan()).map(lambda value: _decimal128(str(value))),
)


def _decimal128(text: str) -> Decimal128:
    try:
        return Decimal128(text)
    except (ArithmeticError, ValueError):
        return Decimal128("0.1")


def total_of(values: list[Any]) -> Total:
    total = Total()
    for value in values:
        total.add(value)
    return total


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([], 0),
        ([1, 2, "x", None, True, [1]], 3),
        ([2**31 - 1, 1], Int64(2**31)),
        ([1, Int64(2)], Int64(3)),
        ([Int64(MOST64), 1], float(2**63)),
        ([Int64(MOST64), 1, -1], Int64(MOST64)),
        ([1, 0.5], 1.5),
        ([0.1] * 10, 1.0),
        ([1e308, 1e308, -1e308, -1e308, 1.0], 1.0),
        ([1e308, 1e308], math.inf),
        ([math.inf, -math.inf], math.nan),
        ([math.inf, 1.0], math.inf),
        ([math.inf, 1e308, 1e308], math.inf),
        ([1e308, math.nan, 1e308], math.nan),
        ([-math.inf, 1e308, 1e308, math.inf], math.nan),
        ([Int64(2**53 + 1), 0.0], float(2**53)),
        ([Decimal128("0.1"), 1], Decimal128("1.1")),
        ([Decimal128("0.1"), 0.5], Decimal128("0.6")),
    ],
)
def test_sum(values: list[Any], expected: Any) -> None:
    assert same(total_of(values).sum(), expected)


@pytest.mark.parametrize(
    ("values", "expected"),
    [([], None), ([1, 2], 1.5), ([1, "x"], 1.0), ([Decimal128("1"), 2], Decimal128("1.5")), ([Int64(MOST64)], 2.0**63)],
)
def test_average(values: list[Any], expected: Any) -> None:
    assert same(total_of(values).average(), expected)


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), max_size=600))
def test_doubles_are_summed_exactly(values: list[float]) -> None:
    exact = sum(map(Fraction, values))
    try:
        expected = float(exact)
    except OverflowError:
        expected = math.inf if exact > 0 else -math.inf
    assert total_of(values or [0.0]).sum() == expected


@given(st.lists(NUMBERS, max_size=12), st.lists(st.integers(0, 3), min_size=12, max_size=12))
def test_parts_add_up_to_the_whole(values: list[Any], places: list[int]) -> None:
    """Whatever shard each term is on, and whatever is between: partial states travel as BSON."""
    shards: list[list[Any]] = [[], [], [], []]
    for value, place in zip(values, itertools.cycle(places), strict=False):
        shards[place].append(value)
    merged = Total()
    for shard in shards:
        merged.merge(bson.decode(bson.encode(total_of(shard).partial())))
    whole = total_of(values)
    assert _comparable(merged.sum()) == _comparable(whole.sum())
    assert _comparable(merged.average()) == _comparable(whole.average())


def _comparable(value: Any) -> tuple[type, str]:
    """Zero has no sign here and NaN equals itself."""
    return type(value), str(value).replace("-0.0", "0.0").replace("-NaN", "NaN")
