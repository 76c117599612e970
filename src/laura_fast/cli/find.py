"""`find`: documents that match."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from laura_fast.cli._connection import with_server
from laura_fast.cli._documents import FILTER, NAMESPACE, with_documents, with_output, with_query
from laura_fast.cli._reading import with_reading
from laura_fast.client.console.finding import show_found
from laura_fast.client.documents import Query

if TYPE_CHECKING:
    from laura_fast.client import ClientTls
    from laura_fast.client.console.finding import Output
    from laura_fast.client.documents import Namespace, Reading


@click.command()
@click.argument("namespace", type=NAMESPACE)
@click.argument("filter", type=FILTER, default="{}")
@with_query
@with_output
@with_reading
@with_server(timeout="30s")
def command(
    *,
    namespace: Namespace,
    filter: dict[str, Any],  # noqa: A002 - as it is called in the usage line
    projection: dict[str, Any] | None,
    sort: dict[str, Any] | None,
    skip: int,
    limit: int,
    output: Output,
    reading: Reading,
    seeds: str,
    tls: ClientTls | None,
    timeout_s: float,
) -> None:
    """Show the documents that match a filter.

    Those of NAMESPACE (database.collection) that match FILTER, a document of Extended JSON.
    A table shows what a person reads; -o json prints every document, one per line.
    """
    query = Query(filter, projection, sort, skip, limit)
    with_documents(
        seeds,
        tls,
        timeout_s,
        lambda documents: show_found(documents, namespace, query, output),
        reading=reading,
    )
