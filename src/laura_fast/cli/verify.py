"""`verify`: whether documents, indexes and the log agree."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from laura_fast.cli._connection import console, with_server
from laura_fast.cli._documents import with_documents
from laura_fast.client.console.verifying import show_verification

if TYPE_CHECKING:
    from laura_fast.client import ClientTls
    from laura_fast.client.documents import DocumentClient


@click.command()
@click.argument("what", default="", metavar="[DATABASE[.COLLECTION]]")
@click.option("-o", "--output", type=click.Choice(["table", "json"]), default="table", show_default=True)
@with_server(timeout="30s")
def command(*, what: str, output: str, seeds: str, tls: ClientTls | None, timeout_s: float) -> None:
    """Check that indexes and log agree with documents.

    The server goes on serving meanwhile. Exit code 1 means that something does not agree.
    """
    database, _, collection = what.partition(".")
    good = True

    async def work(documents: DocumentClient) -> None:
        nonlocal good
        steps = documents.catalog.verify(database, collection)
        good = await show_verification(steps, console(), console(stderr=True), as_json=output == "json")

    with_documents(seeds, tls, timeout_s, work)
    sys.exit(0 if good else 1)
