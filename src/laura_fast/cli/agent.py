"""`agent`: keep a LauraDB node a member of its cluster."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from laura_fast.cli._connection import Seconds, run, with_tls
from laura_fast.client.agent import run_agent
from laura_fast.client.names import ROLES, role_of
from laura_fast.client.session import MemberOptions
from laura_fast.observability import log
from laura_fast.pb.lauradb.cluster.cluster_pb2 import Node

if TYPE_CHECKING:
    from laura_fast.client import ClientTls


def _tags(_context: click.Context, _parameter: click.Parameter, pairs: tuple[str, ...]) -> dict[str, str]:
    for pair in pairs:
        if "=" not in pair:
            raise click.BadParameter(f"{pair!r} is not key=value")
    return dict(pair.split("=", 1) for pair in pairs)


@click.command()
@click.option("--id", "node_id", required=True, help="The node's id, unique in the cluster.")
@click.option("--host", required=True, help="Address under which clients reach the node.")
@click.option("--port", type=click.IntRange(1, 65535), required=True, help="Port of the node.")
@click.option("--join", "seeds", multiple=True, required=True, help="Servers of the cluster: host:port[,host:port]…")
@click.option("--role", type=click.Choice(ROLES), default="secondary", show_default=True, help="Role it claims.")
@click.option("--priority", type=click.IntRange(0), default=1, show_default=True, help="Weight in elections.")
@click.option("--tag", "tags", multiple=True, callback=_tags, metavar="KEY=VALUE", help="A label; may be repeated.")
@click.option(
    "--interval", "interval_s", type=Seconds(10, 60_000), default="1s", show_default=True, help="Time between beats."
)
@click.option(
    "--data-dir",
    type=click.Path(path_type=Path),
    default=".",
    show_default=True,
    help="Directory on the disk to report on.",
)
@click.option("--log-level", type=click.Choice(log.LEVELS), default="info", show_default=True)
@with_tls
def command(
    *,
    node_id: str,
    host: str,
    port: int,
    seeds: tuple[str, ...],
    role: str,
    priority: int,
    tags: dict[str, str],
    interval_s: float,
    data_dir: Path,
    log_level: str,
    tls: ClientTls | None,
) -> None:
    """Register a LauraDB node, send its heartbeats, and deregister it on SIGTERM.

    A restarted agent with the same id and address takes its node over at once.
    """
    log.configure(log_level)
    node = Node(id=node_id, host=host, port=port, role=role_of(role), priority=priority, tags=tags)
    run(run_agent(node, seeds, tls=tls, options=MemberOptions(interval_s=interval_s), data_dir=data_dir))
