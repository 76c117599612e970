"""`import`: documents from a file into a collection."""

from __future__ import annotations

import functools
import sys
from typing import TYPE_CHECKING

import click

from laura_fast.cli._connection import console, with_server
from laura_fast.cli._documents import NAMESPACE, Written, with_documents
from laura_fast.client import RetryPolicy
from laura_fast.client.console.changes import report_retry
from laura_fast.client.console.importing import Source, show_import
from laura_fast.client.transfer.cells import parse_types
from laura_fast.client.transfer.files import FORMATS, format_of

if TYPE_CHECKING:
    from laura_fast.client import ClientTls
    from laura_fast.client.documents import DocumentClient, Namespace


@click.command()
@click.argument("file")
@click.option("--namespace", "-n", type=NAMESPACE, required=True, help="database.collection to import into.")
@click.option("--format", "form", type=click.Choice(FORMATS), help="By default what the file's name says.")
@click.option("--id-field", default="", metavar="FIELD", help="The field whose value becomes _id, too.")
@click.option(
    "--types", type=Written("types", parse_types), default="", help="Of CSV columns: name=int,born=date,*=string."
)
@click.option("--stop-on-error", is_flag=True, help="Insert nothing behind the first record that fails.")
@click.option("--drop", is_flag=True, help="Drop the collection first.")
@click.option("--stream-name", default="", metavar="NAME", help="Of standard input: makes it resumable, as a file is.")
@click.option("-o", "--output", type=click.Choice(["table", "json"]), default="table", show_default=True)
@with_server(timeout="60s")
def command(
    *,
    file: str,
    namespace: Namespace,
    form: str | None,
    id_field: str,
    types: dict[str, str],
    stop_on_error: bool,
    drop: bool,
    stream_name: str,
    output: str,
    seeds: str,
    tls: ClientTls | None,
    timeout_s: float,
) -> None:
    """Import a file: JSON lines, JSON, CSV or BSON.

    FILE may be -, standard input. CSV has a header, and BSON is a dump as mongodump writes it.

    Documents without an _id get one made of the file's content and their place in it, so that the same command again,
    after it was cut off or by mistake, inserts nothing twice and says what is there. A server that goes away is waited
    for, up to --timeout. Exit code 1 means that some records failed; each is told with its line.

    \b
    CSV cells: a whole number is an integer, one with a point or an exponent a double, true and false are booleans,
    everything else is text; an empty cell is no field; a column a.b is field b of sub-document a. --types declares
    columns: auto, bool, date, decimal, double, int, json, long, objectid, string; * is every other column.
    """  # noqa: D301 - click's mark for a paragraph
    source = Source(file, format_of(file, form), types, id_field, stream_name)
    notes = console(stderr=True)
    good = True

    async def work(documents: DocumentClient) -> None:
        nonlocal good
        if drop:
            await documents.catalog.drop_collection(namespace)
        as_json = output == "json"
        good = await show_import(
            documents, namespace, source, console(), notes, stop_on_error=stop_on_error, as_json=as_json
        )

    with_documents(seeds, tls, timeout_s, work, policy=RetryPolicy(), on_retry=functools.partial(report_retry, notes))
    sys.exit(0 if good else 1)
