"""`index list`: the indexes of a collection as a table, or as lines of JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich import box
from rich.table import Table
from rich.text import Text

from laura_fast.client.console.cells import one_line
from laura_fast.client.documents.extended_json import dump

if TYPE_CHECKING:
    from collections.abc import Iterable

    from laura_fast.client.documents import IndexInfo

_DIRECTIONS = {1: "", -1: "-"}
_TOLD_APART = ("key", "name", "v")
"""Parts of a definition that have a column of their own, or say nothing."""


def indexes_table(indexes: Iterable[IndexInfo]) -> Table:
    """A row per index; fields as ``--sort`` takes them."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold dim")
    for heading in ("INDEX", "FIELDS", "STATE", "ARRAYS", "OPTIONS"):
        table.add_column(heading, overflow="fold")
    for index in indexes:
        state = Text("ready", "green") if index.ready else Text("building", "yellow")
        table.add_row(Text(index.name, "bold"), _fields(index), state, "yes" if index.multikey else "", _options(index))
    return table


def as_json(index: IndexInfo) -> str:
    """The definition with the state of the index."""
    return dump({**index.definition, "ready": index.ready, "multikey": index.multikey})


def _fields(index: IndexInfo) -> str:
    return ",".join(f"{_DIRECTIONS.get(way, '')}{field}" for field, way in index.definition["key"].items())


def _options(index: IndexInfo) -> str:
    options = ((name, value) for name, value in index.definition.items() if name not in _TOLD_APART and value)
    return " ".join(name if value is True else f"{name}={one_line(value)}" for name, value in options)
