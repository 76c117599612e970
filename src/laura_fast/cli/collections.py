"""`collections`: what a cluster holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from laura_fast.cli._connection import console, with_server
from laura_fast.cli._documents import with_documents
from laura_fast.client.console.collections import as_json, collections_view

if TYPE_CHECKING:
    from laura_fast.client import ClientTls
    from laura_fast.client.documents import DocumentClient


@click.command()
@click.argument("database", default="")
@click.option("-o", "--output", type=click.Choice(["table", "json"]), default="table", show_default=True)
@with_server(timeout="30s")
def command(*, database: str, output: str, seeds: str, tls: ClientTls | None, timeout_s: float) -> None:
    """Show the collections, of one DATABASE or of all.

    With their documents, and their indexes beside the one on _id.
    """

    async def work(documents: DocumentClient) -> None:
        collections = await documents.catalog.collections(database)
        if output == "json":
            for each in collections:
                click.echo(as_json(each))
        else:
            console().print(collections_view(collections))

    with_documents(seeds, tls, timeout_s, work)
