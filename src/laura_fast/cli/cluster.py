"""`cluster`: a replica set of local processes in one command, for trying out, tests and development."""

from __future__ import annotations

from pathlib import Path

import click

from laura_fast.cli._connection import Seconds, console, run
from laura_fast.client.local.cluster import LocalSet, Wanted
from laura_fast.limits.replication import MAX_VOTERS

_DIRECTORY = click.option(
    "--data-dir", "directory", type=click.Path(path_type=Path, file_okay=False), required=True, help="Data and logs."
)


@click.group()
def command() -> None:
    """Start and stop a replica set whose members are processes of this machine."""


@command.command()
@_DIRECTORY
@click.option("--replicas", type=click.IntRange(1, MAX_VOTERS), default=3, show_default=True, help="Members.")
@click.option("--ready-file", default="", help="Gets ids, roles and addresses as JSON, once one leads.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Where the members listen.")
@click.option("--port", type=click.IntRange(0, 0xFFFF), default=0, help="Of the first member; left out, free ones.")
@click.option("--replica-set", default="rs0", show_default=True, help="Name of the set.")
@click.option("--election-timeout", default="2s", show_default=True, help="As serve takes it.")
@click.option(
    "--timeout", "timeout_s", type=Seconds(1, 3_600_000), default="1m", show_default=True, help="Longest wait."
)
def up(
    *,
    directory: Path,
    replicas: int,
    ready_file: str,
    host: str,
    port: int,
    replica_set: str,
    election_timeout: str,
    timeout_s: float,
) -> None:
    """Start the members that don't run yet, and wait until one of them leads. Repeat it whenever some have died."""
    wanted = Wanted(replicas, replica_set, host, port, election_timeout, ready_file)

    async def work() -> None:
        for member in await LocalSet(directory).up(wanted, timeout_s):
            console().print(f"{member['id']}  {member['address']}  {member['role']}", soft_wrap=True)

    run(work())


@command.command()
@_DIRECTORY
@click.option("--timeout", "timeout_s", type=Seconds(1, 3_600_000), default="30s", show_default=True, help="Then kill.")
def down(*, directory: Path, timeout_s: float) -> None:
    """Stop the members. Their data stays, and `cluster up` goes on with it."""

    async def work() -> None:
        stopped = await LocalSet(directory).down(timeout_s)
        console().print(f"{stopped} members stopped", soft_wrap=True)

    run(work())
