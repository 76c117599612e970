"""Cells: one line each, cut to their width, and harmless to a terminal."""

from __future__ import annotations

from typing import Any

import pytest
from rich.cells import cell_len

from laura_fast.client.console.cells import cell, harmless, is_number, one_line


def test_nothing_in_a_document_is_obeyed_by_a_terminal() -> None:
    """A name that clears the screen, rings the bell, or writes from right to left."""
    assert one_line("a\x1b[2Jb\x07\r\n\t\u202ec\x9b") == "a\\u001b[2Jb\\u0007\\r\\n\\t\\u202ec\\u009b"
    assert one_line({"a\x1b": ["\x1b"]}) == '{"a\\u001b": ["\\u001b"]}'
    assert harmless("one\ntwo\x1b[0m") == "one\ntwo\\u001b[0m"


def test_long_values_are_cut_to_the_cells_they_have() -> None:
    assert cell("abcdef", 6).plain == "abcdef"
    assert cell("abcdefg", 6).plain == "abcde…"
    assert cell_len(cell("日本語日本語", 6).plain) <= 6
    assert cell_len(cell("x" * 10_000_000, 20).plain) == 20


@pytest.mark.parametrize(("value", "number"), [(1, True), (1.5, True), (True, False), ("1", False), (None, False)])
def test_numbers_stand_at_the_right(value: Any, number: bool) -> None:
    assert is_number(value) is number
