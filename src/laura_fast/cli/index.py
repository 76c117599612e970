"""`index`: the indexes of a collection."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from laura_fast.cli._connection import console, with_server
from laura_fast.cli._documents import FILTER, NAMESPACE, ORDER, with_documents
from laura_fast.client.console.indexes import as_json, indexes_table
from laura_fast.client.console.units import count
from laura_fast.errors import ClientError

if TYPE_CHECKING:
    from laura_fast.client import ClientTls
    from laura_fast.client.documents import DocumentClient, Namespace


@click.group()
def command() -> None:
    """Create, drop and list indexes."""


@command.command()
@click.argument("namespace", type=NAMESPACE)
@click.argument("fields", type=ORDER)
@click.option("--name", help="By default made of the fields: Section_1_Size_-1.")
@click.option("--unique", is_flag=True, help="No two documents may have the same values.")
@click.option("--sparse", is_flag=True, help="Leave out documents without the fields.")
@click.option("--partial", type=FILTER, metavar="FILTER", help="Hold only documents that match.")
@with_server(timeout="10m")
def create(
    *,
    namespace: Namespace,
    fields: dict[str, Any],
    name: str | None,
    unique: bool,
    sparse: bool,
    partial: dict[str, Any] | None,
    seeds: str,
    tls: ClientTls | None,
    timeout_s: float,
) -> None:
    """Build an index on FIELDS (Section,-Size: descending with a dash) and wait until it is ready.

    Writes go on meanwhile. A build goes on when this command is cut off; the same command waits for it again. Fields
    that begin with a dash stand behind --, as in: index create -- shop.orders -total
    """
    options = {"name": name, "unique": unique, "sparse": sparse, "partialFilterExpression": partial}
    definition = {"key": fields, **{option: value for option, value in options.items() if value}}

    async def work(documents: DocumentClient) -> None:
        built = await documents.catalog.create_index(namespace, definition)
        done = f"built from {count(built.documents)} documents" if built.created else "is there already"
        console().print(f"{namespace}: index {built.name} {done}", soft_wrap=True)

    with_documents(seeds, tls, timeout_s, work)


@command.command()
@click.argument("namespace", type=NAMESPACE)
@click.argument("name")
@with_server(timeout="30s")
def drop(*, namespace: Namespace, name: str, seeds: str, tls: ClientTls | None, timeout_s: float) -> None:
    """Drop the index called NAME. That there is none of that name is a failure."""

    async def work(documents: DocumentClient) -> None:
        if not await documents.catalog.drop_index(namespace, name):
            raise ClientError(f"{namespace} has no index {name}")
        console().print(f"{namespace}: index {name} dropped", soft_wrap=True)

    with_documents(seeds, tls, timeout_s, work)


@command.command(name="list")
@click.argument("namespace", type=NAMESPACE)
@click.option("-o", "--output", type=click.Choice(["table", "json"]), default="table", show_default=True)
@with_server(timeout="30s")
def list_(*, namespace: Namespace, output: str, seeds: str, tls: ClientTls | None, timeout_s: float) -> None:
    """Show the indexes: their fields, whether they are ready, whether they hold arrays."""

    async def work(documents: DocumentClient) -> None:
        indexes = await documents.catalog.indexes(namespace)
        if output == "json":
            for index in indexes:
                click.echo(as_json(index))
        else:
            console().print(indexes_table(indexes))

    with_documents(seeds, tls, timeout_s, work)
