"""`collections`: what a cluster holds, as a table or as lines of JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson
from rich import box
from rich.table import Table
from rich.text import Text

from laura_fast.client.console.cells import one_line
from laura_fast.client.console.units import count

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType

    from laura_fast.client.documents import CollectionInfo


def collections_view(collections: Sequence[CollectionInfo]) -> RenderableType:
    """A row per collection."""
    if not collections:
        return Text("no collections", "dim")
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold dim")
    table.add_column("COLLECTION", overflow="fold")
    table.add_column("DOCUMENTS", justify="right")
    table.add_column("INDEXES", justify="right")
    for each in collections:
        table.add_row(one_line(str(each.namespace)), count(each.documents), count(each.indexes))
    return table


def as_json(each: CollectionInfo) -> str:
    """One line."""
    facts = {"namespace": str(each.namespace), "documents": each.documents, "indexes": each.indexes}
    return orjson.dumps(facts).decode()
