"""Documents on a terminal: many as a table, one as a list of its fields, all of them as lines of JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from rich import box
from rich.cells import cell_len
from rich.table import Table
from rich.text import Text

from laura_fast.client.console.cells import cell, harmless, is_number, one_line, style_of
from laura_fast.client.documents.plain import plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rich.console import RenderableType

    Document = dict[str, Any]

_GAP: Final = 3
"""Cells between two columns."""
_NARROW: Final = 40
"""Cells that a column gets at first; what the terminal has left widens those that are cut."""
_NARROWEST: Final = 12
"""Cells that the last column may be cut to before it is left out."""


def documents_view(documents: Sequence[Document], width: int) -> RenderableType:
    """The documents in their order, fitted into `width` cells of a terminal."""
    if not documents:
        return Text("no documents", "dim")
    return fields_list(documents[0]) if len(documents) == 1 else documents_table(documents, width)


def documents_table(documents: Sequence[Document], width: int) -> Table:
    """A row per document and a column per field, as many as fit, in the order in which they come up."""
    names = list(dict.fromkeys(name for document in documents for name in document))
    wanted = {name: _natural_width(name, documents) for name in names}
    widths = _fitted(wanted, width)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold dim")
    for name in widths:
        numeric = all(is_number(document[name]) for document in documents if name in document)
        table.add_column(Text(one_line(name)), justify="right" if numeric else "left", no_wrap=True)
    for document in documents:
        table.add_row(*(cell(document[name], widths[name]) if name in document else "" for name in widths))
    if hidden := [one_line(name) for name in names if name not in widths]:
        table.caption = Text(f"not shown: {', '.join(hidden)}", "dim italic")
        table.caption_justify = "left"
    return table


def fields_list(document: Document) -> Table:
    """A line per field with the whole value."""
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(style="bold dim", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in document.items():
        table.add_row(one_line(name), Text(harmless(plain(value)), style_of(value)))
    return table


def _natural_width(name: str, documents: Iterable[Document]) -> int:
    """Of the widest cell of the column."""
    values = (one_line(document[name]) for document in documents if name in document)
    return max(cell_len(one_line(name)), *map(cell_len, values), 1)


def _fitted(wanted: dict[str, int], width: int) -> dict[str, int]:
    """Widths of the columns that fit: narrow ones first, then the cut ones widened while there is room."""
    widths: dict[str, int] = {}
    left = width + _GAP
    for name, natural in wanted.items():
        given = min(natural, _NARROW, left - _GAP)
        if widths and given < min(natural, _NARROWEST):
            break
        widths[name] = max(1, given)
        left -= given + _GAP
    for name, given in widths.items():
        more = max(0, min(left, wanted[name] - given))
        widths[name] += more
        left -= more
    return widths
