"""`status`: one look at the cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from laura_fast.cli._connection import ONE_PASS, connected, console, with_server
from laura_fast.client.console.status import show_status

if TYPE_CHECKING:
    from laura_fast.client import ClientTls


@click.command()
@with_server()
@click.option("-o", "--output", type=click.Choice(["table", "json"]), default="table", show_default=True)
@click.option("--watch", "every_s", type=click.FloatRange(0.1), metavar="N", help="Look again every N seconds.")
def command(*, seeds: str, tls: ClientTls | None, timeout_s: float, output: str, every_s: float | None) -> None:
    """Show every member of the cluster: state, last beat, resources, lag."""
    connected(
        seeds,
        tls,
        ONE_PASS,
        lambda client: show_status(client, console(), as_json=output == "json", every_s=every_s, timeout_s=timeout_s),
    )
