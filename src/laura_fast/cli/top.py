"""`top`: the cluster live."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from laura_fast.cli._connection import ONE_PASS, connected, console, with_server
from laura_fast.client.console.top import show_plain, show_top

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from laura_fast.client import ClientTls, ClusterClient


@click.command()
@with_server()
@click.option("--interval", "every_s", type=click.FloatRange(0.1), default=1.0, show_default=True, help="Seconds.")
def command(*, seeds: str, tls: ClientTls | None, timeout_s: float, every_s: float) -> None:
    """Watch the members live, worst first; q quits. Without a terminal: one table after the other."""
    screen = console()

    def show(client: ClusterClient) -> Awaitable[None]:
        if screen.is_terminal and sys.stdin.isatty():
            return show_top(client, screen, every_s=every_s, timeout_s=timeout_s, keyboard=sys.stdin.fileno())
        return show_plain(client, screen, every_s=every_s, timeout_s=timeout_s)

    connected(seeds, tls, ONE_PASS, show)
