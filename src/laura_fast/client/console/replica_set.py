"""A replica set as a heading, a table of its members and one of its last elections."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Final

import orjson
from rich import box
from rich.table import Table
from rich.text import Text

from laura_fast.client.console import units
from laura_fast.client.console.set_view import set_view

if TYPE_CHECKING:
    from rich.console import Console

    from laura_fast.client.console.set_view import SetMemberView, SetView
    from laura_fast.client.replica_set import ReplicaSetClient

STYLES: Final = {
    "primary": "bold green",
    "secondary": "green",
    "arbiter": "green",
    "syncing": "yellow",
    "waiting": "yellow",
    "removed": "yellow",
    "down": "bold red",
}


async def show_set(client: ReplicaSetClient, console: Console, *, as_json: bool, timeout_s: float) -> None:
    """Prints the set once.

    Raises:
        ClientError: No member answered.
    """
    view = set_view(await client.states(timeout_s))
    if as_json:
        console.file.write(orjson.dumps(view.as_json(), option=orjson.OPT_INDENT_2).decode() + "\n")
        return
    console.print(heading(view), soft_wrap=True)
    console.print()
    console.print(members_table(view))
    for member in view.members:
        if member.error:
            console.print(f"{member.id}: {member.error}", style="red", soft_wrap=True)
    for node_id, state in view.strangers.items():
        console.print(f"{node_id} is no member: {state}", style="yellow", soft_wrap=True)
    console.print()
    console.print(elections_table(view))


def heading(view: SetView) -> Text:
    """Two lines: who leads since which term, and what is in force."""
    committed = "" if view.committed else ", not known to be on a majority"
    return Text.assemble(
        ("Replica set ", "dim"),
        (view.name, "bold"),
        (f" as {view.observer_id} sees it\n", "dim"),
        (f"primary {view.primary_id}" if view.primary_id else "no primary", "bold" if view.primary_id else "bold red"),
        f" · term {units.count(view.term)} · committed up to {units.count(view.commit_op_id)}",
        (f" · configuration version {view.version}{committed}", "dim"),
    )


def members_table(view: SetView) -> Table:
    """One row a member, narrow enough for eighty columns unless there is something to note."""
    table = _table("MEMBER", "ADDRESS", "STATE", "PRIO", "VOTE", "APPLIED", "DURABLE", "LAG", "SILENT")
    for column in table.columns[5:]:
        column.justify = "right"
    if any(map(_notes, view.members)):
        table.add_column("NOTES")
    for member in view.members:
        table.add_row(
            Text(member.id, "bold" if member.id == view.primary_id else ""),
            member.address,
            Text(member.state, STYLES.get(member.state, "")),
            str(member.priority),
            "yes" if member.votes else "no",
            units.count(member.applied_op_id),
            units.count(member.durable_op_id),
            units.count(member.lag_entries),
            _silent(member, view.primary_id),
            *filter(None, [_notes(member)]),
        )
    return table


def _silent(member: SetMemberView, primary_id: str) -> str:
    """Since when the primary has not heard it."""
    if member.id == primary_id:
        return ""
    return units.NOT_AVAILABLE if member.heard_ms_ago is None else units.duration(member.heard_ms_ago)


def _notes(member: SetMemberView) -> str:
    tags = " ".join(f"{key}={value}" for key, value in member.tags.items())
    return " ".join(filter(None, (member.sync_progress, tags)))


def elections_table(view: SetView) -> Table:
    """The last elections, the newest first."""
    table = _table("ELECTED", "TERM", "WHEN", "WHY")
    for election in view.elections:
        when = dt.datetime.fromtimestamp(election.at_ms / 1000, dt.UTC).astimezone()
        table.add_row(election.primary_id, str(election.term), f"{when:%Y-%m-%d %H:%M:%S}", election.reason)
    return table


def _table(*headings: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False, header_style="bold dim")
    for each in headings:
        table.add_column(each, no_wrap=each != "WHY", overflow="ellipsis")
    return table
