"""`watch`: one line per change of the cluster."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import click

from laura_fast.cli._connection import ONE_PASS, connected, console, with_server
from laura_fast.client.console.changes import report_retry, show_changes

if TYPE_CHECKING:
    from laura_fast.client import ClientTls


@click.command()
@with_server()
@click.option("-o", "--output", type=click.Choice(["table", "json"]), default="table", show_default=True)
def command(*, seeds: str, tls: ClientTls | None, timeout_s: float, output: str) -> None:
    """Print one line per change: joined, left, suspect, down, back, restarted, role, primary, updated."""
    notes = console(stderr=True)
    connected(
        seeds,
        tls,
        ONE_PASS,
        lambda client: show_changes(client, console(), notes, as_json=output == "json", timeout_s=timeout_s),
        on_retry=functools.partial(report_retry, notes),
    )
