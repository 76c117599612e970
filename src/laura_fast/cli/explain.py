"""`explain`: how a query would be answered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from laura_fast.cli._connection import with_server
from laura_fast.cli._documents import FILTER, NAMESPACE, PIPELINE, with_documents, with_output, with_query
from laura_fast.client.console.explanation import explanation_tree
from laura_fast.client.documents import Query

if TYPE_CHECKING:
    from laura_fast.client import ClientTls
    from laura_fast.client.console.finding import Output
    from laura_fast.client.documents import DocumentClient, Namespace


@click.command()
@click.argument("namespace", type=NAMESPACE)
@click.argument("filter", type=FILTER, default="{}")
@click.option("--pipeline", type=PIPELINE, help="Explain this pipeline instead of a filter.")
@click.option("--execute", is_flag=True, help="Run it as well, and show what it examined.")
@with_query
@with_output
@with_server(timeout="30s")
def command(
    *,
    namespace: Namespace,
    filter: dict[str, Any],  # noqa: A002 - as it is called in the usage line
    pipeline: list[dict[str, Any]] | None,
    execute: bool,
    projection: dict[str, Any] | None,
    sort: dict[str, Any] | None,
    skip: int,
    limit: int,
    output: Output,
    seeds: str,
    tls: ClientTls | None,
    timeout_s: float,
) -> None:
    """Show how a query would be answered, and why."""
    query = Query(filter, projection, sort, skip, limit)
    if pipeline is not None and query != Query({}):
        raise click.UsageError("--pipeline stands alone: put filter, order and limits into its stages")

    async def work(documents: DocumentClient) -> None:
        asked = query if pipeline is None else pipeline
        explanation = await documents.explain(namespace, asked, execute=execute)
        if output.as_json:
            output.lines([explanation])
        else:
            output.console.print(explanation_tree(str(namespace), explanation))

    with_documents(seeds, tls, timeout_s, work)
