"""Which names of a path are positions in an array: filters, indexes and updates ask the same function."""

from __future__ import annotations

import pytest

from laura_fast.domain.documents.filters import compile_filter
from laura_fast.domain.documents.paths import is_position


@pytest.mark.parametrize("name", ["0", "1", "10", "999999999"])
def test_decimal_numbers_are_positions(name: str) -> None:
    assert is_position(name)


@pytest.mark.parametrize("name", ["", "a", "-1", "01", "1.0", "²", "٣", "1000000000", "1" * 5_000])
def test_other_names_are_not(name: str) -> None:
    assert not is_position(name)


def test_a_path_with_thousands_of_digits_is_a_path_like_any_other() -> None:
    """Python refuses to read such a number, which was an internal error."""
    name = "1" * 5_000
    assert not compile_filter({f"a.{name}": 1}).matches({"a": [1]})
    assert compile_filter({f"a.{name}": 1}).matches({"a": {name: 1}})
