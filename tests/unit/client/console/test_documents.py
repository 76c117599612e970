"""Documents as tables and lists, fitted into a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from laura_fast.client.console.documents import documents_view

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console


@pytest.fixture
def drawn(make_console: Callable[..., Console], shown: Callable[[Console], str]) -> Callable[..., list[str]]:
    """The lines of documents in a terminal of some width."""

    def draw(documents: list[dict[str, object]], width: int = 80) -> list[str]:
        console = make_console(width)
        console.print(documents_view(documents, width))
        return [line.rstrip() for line in shown(console).splitlines()]

    return draw


def test_fields_are_columns_in_the_order_they_come_up(drawn: Callable[..., list[str]]) -> None:
    documents = [{"_id": 1, "name": "a", "n": 5}, {"_id": 20, "more": None, "n": "x"}, {"_id": 3, "n": {"d": [1]}}]
    assert drawn(documents) == [
        "_id   name   n            more",
        "──────────────────────────────",
        "  1   a      5",
        " 20          x            null",
        '  3          {"d": [1]}',
    ]


def test_columns_that_do_not_fit_are_named(drawn: Callable[..., list[str]]) -> None:
    documents = [{"_id": number, "text": "x" * 100, "last": "y" * 30, "hidden\n": 1} for number in range(2)]
    lines = drawn(documents, 61)
    assert lines[0] == "_id   text                                       last"
    assert lines[2] == f"  0   {'x' * 39}…   {'y' * 11}…"
    assert lines[-1] == "not shown: hidden\\n"
    assert max(map(len, lines)) <= 61


def test_a_wide_terminal_gives_its_room_to_the_columns_that_are_cut(drawn: Callable[..., list[str]]) -> None:
    documents = [{"_id": number, "text": "x" * 100, "last": "y"} for number in range(2)]
    assert "x" * 100 in drawn(documents, 200)[2]


def test_one_document_is_shown_whole(drawn: Callable[..., list[str]]) -> None:
    lines = drawn([{"_id": 7, "text": "two\nlines", "nested": {"a": None}}], 40)
    assert lines == ["_id     7", "text    two", "        lines", 'nested  {"a": null}']


def test_no_documents(drawn: Callable[..., list[str]]) -> None:
    assert drawn([]) == ["no documents"]


@pytest.mark.parametrize("width", [1, 5, 10, 30])
def test_a_terminal_however_narrow(drawn: Callable[..., list[str]], width: int) -> None:
    assert drawn([{"_id": "x" * 30, "b": 1}, {"_id": "y"}], width)
