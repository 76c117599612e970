"""`verify`: whether documents, indexes and the log agree."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from laura_fast.cli._connection import console, run, with_server
from laura_fast.cli._documents import with_documents
from laura_fast.client.console.verifying import show_verification

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from laura_fast.client import ClientTls
    from laura_fast.client.documents import DocumentClient, Verification


@click.command()
@click.argument("what", default="", metavar="[DATABASE[.COLLECTION]]")
@click.option(
    "--data-dir", type=click.Path(path_type=Path), help="Check this directory instead; its server is stopped."
)
@click.option("--replay", is_flag=True, help="With --data-dir: also replay the log, in memory, and compare.")
@click.option("-o", "--output", type=click.Choice(["table", "json"]), default="table", show_default=True)
@with_server(timeout="30s")
def command(
    *, what: str, data_dir: Path | None, replay: bool, output: str, seeds: str, tls: ClientTls | None, timeout_s: float
) -> None:
    """Check that indexes and log agree with documents.

    Of a server, which goes on serving meanwhile, or of a data directory. Exit code 1 means that something does not
    agree.
    """
    if (what and data_dir) or (replay and not data_dir):
        raise click.UsageError("a data directory is checked as a whole, and --replay is for data directories")
    good = True

    async def follow(steps: AsyncGenerator[Verification]) -> None:
        nonlocal good
        good = await show_verification(steps, console(), console(stderr=True), as_json=output == "json")

    async def ask(documents: DocumentClient) -> None:
        database, _, collection = what.partition(".")
        await follow(documents.catalog.verify(database, collection))

    if data_dir:
        from laura_fast.app.verifying import verify_directory  # noqa: PLC0415 - a client needs no storage engine

        run(follow(verify_directory(data_dir, replay=replay)))
    else:
        with_documents(seeds, tls, timeout_s, ask)
    sys.exit(0 if good else 1)
