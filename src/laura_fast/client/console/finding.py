"""`find` and `aggregate`: documents on a terminal, or as lines of JSON."""

from __future__ import annotations

from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from rich.text import Text

from laura_fast.client.console.documents import documents_view
from laura_fast.client.console.units import count
from laura_fast.client.documents.codec import decode
from laura_fast.client.documents.extended_json import dump

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from rich.console import Console

    from laura_fast.client.documents import DocumentClient, Namespace, Query

DEFAULT_ROWS: Final = 20
"""Documents of a table where no limit was asked for: a screen of them."""
MOST_ROWS: Final = 1_000
"""Documents of the largest table; a table is held as a whole, and nobody reads more."""


@dataclass(frozen=True, slots=True)
class Output:
    """Where documents are shown and how: a table, or a line of relaxed or canonical Extended JSON for each."""

    console: Console
    as_json: bool
    canonical: bool = False

    def lines(self, documents: Iterable[Mapping[str, Any]]) -> None:
        """Writes them as JSON, out at once: a reader behind a pipe need not wait for the next page."""
        for document in documents:
            self.console.file.write(f"{dump(document, canonical=self.canonical)}\n")
        self.console.file.flush()


async def show_found(documents: DocumentClient, namespace: Namespace, query: Query, output: Output) -> None:
    """Prints what the query finds: as JSON all of it, page after page; as a table as much as a person reads."""
    if not output.as_json:
        await _show_table(documents, namespace, query, output.console)
        return
    async with aclosing(documents.pages(namespace, query)) as pages:
        async for page in pages:
            output.lines(map(decode, page.documents))


async def show_results(
    documents: DocumentClient, namespace: Namespace, pipeline: Sequence[Mapping[str, Any]], output: Output
) -> None:
    """Prints the results of a pipeline."""
    results = await documents.aggregate(namespace, pipeline)
    if output.as_json:
        output.lines(results)
        return
    output.console.print(documents_view(results[:MOST_ROWS], output.console.width))
    output.console.print(_footer(min(len(results), MOST_ROWS), more=len(results) > MOST_ROWS))


async def _show_table(documents: DocumentClient, namespace: Namespace, query: Query, console: Console) -> None:
    most = min(query.limit or DEFAULT_ROWS, MOST_ROWS)
    rows: list[dict[str, Any]] = []
    examined = milliseconds = 0
    asked = replace(query, limit=most if most == query.limit else most + 1)
    async with aclosing(documents.pages(namespace, asked)) as pages:
        async for page in pages:
            rows += map(decode, page.documents)
            examined += page.examined
            milliseconds += page.milliseconds
    console.print(documents_view(rows[:most], console.width))
    cost = f" · {count(examined)} examined · {count(milliseconds)} ms"
    console.print(_footer(min(len(rows), most), more=len(rows) > most, cost=cost))


def _footer(shown: int, *, more: bool, cost: str = "") -> Text:
    """How many there are, whether there are more, and what they cost."""
    noun = "document" if shown == 1 else "documents"
    rest = "; there are more: --limit, or -o json for all" if more else ""
    return Text(f"{count(shown)} {noun}{rest}{cost}", "dim")
