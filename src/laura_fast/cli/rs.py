"""`rs`: look at a replica set, hand its lead over, and change who belongs to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from laura_fast.cli._connection import Seconds, connected, console, with_server
from laura_fast.client import RetryPolicy
from laura_fast.client.console.replica_set import show_set
from laura_fast.client.replica_set import ReplicaSetClient
from laura_fast.config.members import parse_members
from laura_fast.limits.replication import MAX_PRIORITY
from laura_fast.pb.laura.fast.v1.replica_set_pb2 import ReplicaMember

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from laura_fast.client import ClientTls
    from laura_fast.pb.laura.fast.v1.replica_set_pb2 import ReplicaSetConfiguration

PRIORITY = click.IntRange(0, MAX_PRIORITY)


@click.group()
def command() -> None:
    """Look at a replica set and change it. Any member will do as --server; the primary is found from there."""


def _with_set(seeds: str, tls: ClientTls | None, work: Callable[[ReplicaSetClient], Awaitable[None]]) -> None:
    connected(seeds, tls, RetryPolicy(), lambda client: work(ReplicaSetClient(client)))


def _tell(done: str, configuration: ReplicaSetConfiguration) -> None:
    console().print(f"{done} (configuration version {configuration.version})", soft_wrap=True)


@command.command()
@with_server()
@click.option("-o", "--output", type=click.Choice(["table", "json"]), default="table", show_default=True)
def status(*, seeds: str, tls: ClientTls | None, timeout_s: float, output: str) -> None:
    """Show the members, how far each is, who leads, and why each of the last elections happened."""
    _with_set(seeds, tls, lambda client: show_set(client, console(), as_json=output == "json", timeout_s=timeout_s))


@command.command()
@click.option("--force", is_flag=True, help="Step down even if nobody has caught up.")
@click.option(
    "--catch-up",
    "catch_up_s",
    type=Seconds(1, 3_600_000),
    default="10s",
    show_default=True,
    help="Wait for a successor.",
)
@click.option(
    "--freeze", "freeze_s", type=Seconds(0, 86_400_000), default="1m", show_default=True, help="Don't run again before."
)
@with_server(timeout="30s")
def step_down(
    *, force: bool, catch_up_s: float, freeze_s: float, seeds: str, tls: ClientTls | None, timeout_s: float
) -> None:
    """Let the primary hand over to the best member that has all it has."""

    async def work(client: ReplicaSetClient) -> None:
        answer = await client.step_down(catch_up_s=catch_up_s, freeze_s=freeze_s, force=force, timeout_s=timeout_s)
        console().print(f"{answer.new_primary_id} is primary now, in term {answer.term}", soft_wrap=True)

    _with_set(seeds, tls, work)


@command.command()
@click.argument("member", metavar="ID=HOST:PORT")
@click.option("--priority", type=PRIORITY, default=1, show_default=True, help="The highest leads; 0 never does.")
@click.option("--no-vote", is_flag=True, help="It holds the data, and is not counted in elections and majorities.")
@with_server(timeout="10m")
def add(*, member: str, priority: int, no_vote: bool, seeds: str, tls: ClientTls | None, timeout_s: float) -> None:
    """Make a running server a member; it votes once it has caught up.

    Start it with --replica-set NAME --node-id ID and without --members. When this command is cut off, the same command
    goes on from there; a member that has no vote gets one.
    """
    try:
        [(member_id, address)] = parse_members(member)
    except ValueError:
        raise click.BadParameter(f"{member!r} is not id=host:port", param_hint="ID=HOST:PORT") from None
    wanted = ReplicaMember(id=member_id, address=address, priority=priority, votes=not no_vote)

    async def work(client: ReplicaSetClient) -> None:
        _tell(f"{member_id} is a member", await client.add(wanted, timeout_s))

    _with_set(seeds, tls, work)


@command.command()
@click.argument("member_id", metavar="ID")
@with_server(timeout="30s")
def remove(*, member_id: str, seeds: str, tls: ClientTls | None, timeout_s: float) -> None:
    """Take a member out of the set. The primary must step down before."""

    async def work(client: ReplicaSetClient) -> None:
        _tell(f"{member_id} is no member any more", await client.remove(member_id, timeout_s))

    _with_set(seeds, tls, work)


@command.command()
@click.argument("member_id", metavar="ID")
@click.argument("value", metavar="PRIORITY", type=PRIORITY)
@with_server(timeout="30s")
def priority(*, member_id: str, value: int, seeds: str, tls: ClientTls | None, timeout_s: float) -> None:
    """Say who should lead: the member with the highest priority does once it has caught up; 0 never does."""

    async def work(client: ReplicaSetClient) -> None:
        def change(member: ReplicaMember) -> None:
            member.priority = value

        _tell(f"{member_id} has priority {value}", await client.edit(member_id, change, timeout_s))

    _with_set(seeds, tls, work)


@command.command()
@click.argument("member_id", metavar="ID")
@click.argument("value", metavar="yes|no", type=click.Choice(["yes", "no"]))
@with_server(timeout="30s")
def votes(*, member_id: str, value: str, seeds: str, tls: ClientTls | None, timeout_s: float) -> None:
    """Give a member a vote, or take it: without one it is not counted in elections and majorities."""

    async def work(client: ReplicaSetClient) -> None:
        def change(member: ReplicaMember) -> None:
            member.votes = value == "yes"

        told = "has a vote" if value == "yes" else "has no vote"
        _tell(f"{member_id} {told}", await client.edit(member_id, change, timeout_s))

    _with_set(seeds, tls, work)
