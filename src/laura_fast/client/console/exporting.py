"""`export`: progress while documents come out, and one line in the end."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.progress import Progress, SpinnerColumn, TextColumn

from laura_fast.client.console.units import count
from laura_fast.client.transfer.exporting import export, make_writer
from laura_fast.client.transfer.files import STANDARD, replaced

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rich.console import Console

    from laura_fast.client.documents import DocumentClient, Namespace, Query


async def show_export(
    documents: DocumentClient,
    namespace: Namespace,
    query: Query,
    name: str,
    notes: Console,
    *,
    form: str,
    canonical: bool,
) -> None:
    """Writes what the query finds into the file `name`, or to standard output.

    Raises:
        ClientError: The file or the cluster can't be used; the file is then as it was before.
        InvalidArgumentError: A document has a field for which a CSV file has no column.
    """
    await documents.reach(namespace)
    began = time.monotonic()
    with replaced(name) as file, _progress(name, notes) as on_progress:
        writer = await make_writer(documents, namespace, query, file, form=form, canonical=canonical)
        written = await export(documents, namespace, query, writer, on_progress)
    if name != STANDARD:
        seconds = time.monotonic() - began
        notes.print(f"{namespace}: {count(written)} documents into {name}; {seconds:.1f} s", soft_wrap=True)


@contextmanager
def _progress(name: str, notes: Console) -> Iterator[Callable[[int], None]]:
    """On a terminal, how many documents are written; nothing while they are themselves printed there."""
    columns = SpinnerColumn(), TextColumn("{task.fields[done]}")
    quiet = name == STANDARD or not notes.is_terminal
    with Progress(*columns, console=notes, transient=True, disable=quiet) as bar:
        task = bar.add_task("", total=None, done="")
        yield lambda written: bar.update(task, done=f"{count(written)} documents")
