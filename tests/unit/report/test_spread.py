"""Numbers as readers see them."""

from __future__ import annotations

import pytest

from laura_fast.report.spread import BYTES, MICROSECONDS, quantity, significant, spread


def test_spread_is_the_middle_and_the_ends() -> None:
    found = spread([3.0, 1.0, 2.0, 10.0])
    assert (found.median, found.low, found.high, found.rounds) == (2.5, 1.0, 10.0, 4)
    assert found.whiskers == (1.5, 7.5)


@pytest.mark.parametrize(
    ("value", "text"), [(0, "0"), (1234567, "1,230,000"), (0.012345, "0.0123"), (5.0, "5"), (1e-6, "1e-06")]
)
def test_no_digit_is_shown_that_was_not_measured(value: float, text: str) -> None:
    assert significant(value) == text


def test_quantities_pick_their_unit() -> None:
    assert quantity(14, BYTES) == "14 B"
    assert quantity(91_364, BYTES) == "91.4 kB"
    assert quantity(2.5e6, MICROSECONDS) == "2.5 s"
    assert quantity(5e12, BYTES) == "5,000 GB"
