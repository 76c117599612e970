"""Documents of a collection into a file, page after page."""

from __future__ import annotations

from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING, BinaryIO

from laura_fast.client.documents.codec import decode
from laura_fast.client.transfer.writers import BsonWriter, CsvWriter, JsonLinesWriter

if TYPE_CHECKING:
    from collections.abc import Callable

    from laura_fast.client.documents import DocumentClient, Namespace, Query
    from laura_fast.client.transfer.writers import Writer


async def export(
    documents: DocumentClient,
    namespace: Namespace,
    query: Query,
    writer: Writer,
    on_progress: Callable[[int], None] = lambda _: None,
) -> int:
    """Writes what the query finds, in its order, and answers how many documents that were.

    Args:
        documents: The cluster.
        namespace: The collection.
        query: Which documents, and which of their fields.
        writer: Takes them.
        on_progress: Hears after each page how many there were so far.
    """
    written = 0
    async with aclosing(documents.pages(namespace, query)) as pages:
        async for page in pages:
            for document in page.documents:
                writer.write(document)
            written += len(page.documents)
            on_progress(written)
    return written


async def make_writer(
    documents: DocumentClient,
    namespace: Namespace,
    query: Query,
    file: BinaryIO,
    *,
    form: str,
    canonical: bool = False,
) -> Writer:
    """The writer of a format.

    CSV has its header first: the fields that the projection names. Where it names none, the documents are read once
    more before, for the names of their fields.
    """
    if form == "bson":
        return BsonWriter(file)
    if form != "csv":
        return JsonLinesWriter(file, canonical=canonical)
    named = [name for name, wanted in (query.projection or {}).items() if wanted]
    columns = named or await _names(documents, namespace, query)
    return CsvWriter(file, columns, strict=not named)


async def _names(documents: DocumentClient, namespace: Namespace, query: Query) -> list[str]:
    names: dict[str, None] = {}
    unsorted = query if query.skip or query.limit else replace(query, sort=None)
    async with aclosing(documents.pages(namespace, unsorted)) as pages:
        async for page in pages:
            for document in page.documents:
                names.update(dict.fromkeys(decode(document)))
    return list(names)
