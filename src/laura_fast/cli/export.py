"""`export`: documents of a collection into a file."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import click

from laura_fast.cli._connection import console, with_server
from laura_fast.cli._documents import FILTER, NAMESPACE, with_documents, with_query
from laura_fast.client import RetryPolicy
from laura_fast.client.console.changes import report_retry
from laura_fast.client.console.exporting import show_export
from laura_fast.client.documents import Query
from laura_fast.client.transfer.files import STANDARD, WRITTEN_FORMATS, format_of

if TYPE_CHECKING:
    from laura_fast.client import ClientTls
    from laura_fast.client.documents import Namespace


@click.command()
@click.argument("namespace", type=NAMESPACE)
@click.argument("filter", type=FILTER, default="{}")
@click.option("--out", "name", default=STANDARD, metavar="FILE", help="Where to; by default standard output.")
@click.option("--format", "form", type=click.Choice(WRITTEN_FORMATS), help="By default what FILE's name says.")
@click.option("--canonical", is_flag=True, help="JSON that keeps every type (canonical Extended JSON).")
@with_query
@with_server(timeout="60s")
def command(
    *,
    namespace: Namespace,
    filter: dict[str, Any],  # noqa: A002 - as it is called in the usage line
    name: str,
    form: str | None,
    canonical: bool,
    projection: dict[str, Any] | None,
    sort: dict[str, Any] | None,
    skip: int,
    limit: int,
    seeds: str,
    tls: ClientTls | None,
    timeout_s: float,
) -> None:
    """Export documents: JSON lines, CSV or BSON.

    Those of NAMESPACE that match FILTER, into a file that appears when it is whole.

    The columns of CSV are the fields that --projection names; without it all fields, for which the documents are read
    twice. Only BSON and canonical JSON keep every type.
    """
    query = Query(filter, projection, sort, skip, limit)
    notes = console(stderr=True)
    chosen = format_of(name, form, WRITTEN_FORMATS)
    with_documents(
        seeds,
        tls,
        timeout_s,
        lambda documents: show_export(documents, namespace, query, name, notes, form=chosen, canonical=canonical),
        policy=RetryPolicy(),
        on_retry=functools.partial(report_retry, notes),
    )
