"""BSON values as cells of a table: one line each, nothing in them that a terminal would obey."""

from __future__ import annotations

import re
from typing import Any, Final

import bson
from rich.cells import cell_len, set_cell_size
from rich.text import Text

from laura_fast.client.documents.plain import plain

_CONTROLS: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""What moves a cursor, ends a line or turns the direction of writing: a document must not be able to."""
_NUMBERS: Final = (int, float, bson.Decimal128)
_LONGEST_LOOKED_AT: Final = 4096
"""Characters of a value that may end up in a cell: megabytes of text are not measured for a few dozen cells."""


def is_number(value: Any) -> bool:
    """Whether it stands at the right of its column."""
    return isinstance(value, _NUMBERS) and not isinstance(value, bool)


def one_line(value: Any) -> str:
    """The value in one line; control characters are shown as escapes."""
    return _CONTROLS.sub(_escaped, plain(value)[:_LONGEST_LOOKED_AT])


def harmless(text: str) -> str:
    """Text of several lines whose other control characters are shown as escapes."""
    return "\n".join(_CONTROLS.sub(_escaped, line) for line in text.split("\n"))


def cell(value: Any, width: int) -> Text:
    """The value in `width` cells of a terminal, cut where it is longer; what is not text is of another colour."""
    text = one_line(value)
    if cell_len(text) > width:
        text = f"{set_cell_size(text, width - 1).rstrip()}…"
    return Text(text, style_of(value), no_wrap=True)


def style_of(value: Any) -> str:
    """Text as it is, numbers, null and everything else in a colour of their own."""
    if value is None:
        return "dim"
    if isinstance(value, str):
        return ""
    return "cyan" if is_number(value) else "magenta" if isinstance(value, dict | list) else "green"


def _escaped(found: re.Match[str]) -> str:
    character = found[0]
    return {"\n": "\\n", "\t": "\\t", "\r": "\\r"}.get(character, f"\\u{ord(character):04x}")
