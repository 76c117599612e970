"""Quantities as people read them."""

import pytest

from laura_fast.client.console import units

KIB = 1024


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (None, "n/a"),
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 KiB"),
        (1536, "1.5 KiB"),
        (100 * KIB, "100 KiB"),
        (1000 * KIB, "1.0 MiB"),
        (3 * KIB**3, "3.0 GiB"),
        (int(99.97 * KIB), "100 KiB"),
        (1000 * KIB**5, "1000 PiB"),
    ],
)
def test_sizes_have_three_digits_at_most(count: int | None, text: str) -> None:
    assert units.size(count) == text


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [
        (None, "n/a"),
        (-5, "0.0 s"),
        (340, "0.3 s"),
        (9_900, "9.9 s"),
        (42_700, "42 s"),
        (60_000, "1 min"),
        (200_000, "3 min 20 s"),
        (7_500_000, "2 h 5 min"),
        (4 * 86_400_000 + 2 * 3_600_000, "4 d 2 h"),
        (86_400_000, "1 d"),
    ],
)
def test_durations_have_two_units_at_most(milliseconds: float | None, text: str) -> None:
    assert units.duration(milliseconds) == text


def test_counts_and_shares() -> None:
    assert (units.count(None), units.count(12), units.count(1234567)) == ("n/a", "12", "1\u202f234\u202f567")
    assert (units.percent(None), units.percent(31.4)) == ("n/a", "31 %")
