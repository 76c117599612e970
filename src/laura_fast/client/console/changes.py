"""`watch`: one line per change of the cluster, as it happens."""

from __future__ import annotations

import datetime as dt
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, Final

import orjson
from google.protobuf.json_format import MessageToDict
from rich.text import Text

from laura_fast.client.addresses import join
from laura_fast.client.explain import explain
from laura_fast.client.names import role_name, state_name
from laura_fast.client.topology import Change, ChangeKind, Topology, changes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console

    from laura_fast.client.cluster import ClusterClient
    from laura_fast.client.retry import RetryScheduled
    from laura_fast.pb.lauradb.cluster import cluster_pb2 as pb

_STYLES: Final = {
    ChangeKind.JOINED: "green",
    ChangeKind.BACK: "green",
    ChangeKind.RESTARTED: "green",
    ChangeKind.SUSPECT: "yellow",
    ChangeKind.DOWN: "bold red",
    ChangeKind.LEFT: "cyan",
    ChangeKind.LEAVING: "cyan",
    ChangeKind.ROLE: "magenta",
    ChangeKind.PRIMARY: "bold magenta",
    ChangeKind.UPDATED: "blue",
}
_WIDEST: Final = max(map(len, ChangeKind))
_VERSION_CELLS: Final = 7
"""A million versions before the columns move."""


async def show_changes(client: ClusterClient, out: Console, notes: Console, *, as_json: bool, timeout_s: float) -> None:
    """Prints changes to `out` for ever, and what is not a change to `notes`.

    Raises:
        ClientError: The first look failed, or the server refuses to be watched.
    """
    known = await client.topology(timeout_s=timeout_s)
    notes.print(_beginning(client.address, known), style="dim", soft_wrap=True)
    async with aclosing(client.watch(known)) as topologies:
        async for topology in topologies:
            for change in changes(known, topology):
                at = dt.datetime.fromtimestamp(client.timing.wall(), dt.UTC)
                if as_json:
                    out.file.write(orjson.dumps(as_record(change, at)).decode() + "\n")
                    out.file.flush()
                else:
                    out.print(as_line(change, at), soft_wrap=True)
            known = topology


def as_line(change: Change, at: dt.datetime) -> Text:
    """``10:41:16.524  v13  down       n7  10.0.0.7:27017  was suspect``."""
    return Text.assemble(
        (f"{at.astimezone():%H:%M:%S}.{at.microsecond // 1000:03d}", "dim"),
        (f"  {f'v{change.version}':<{_VERSION_CELLS}} ", "dim"),
        (f"{change.kind:<{_WIDEST}}", _STYLES[change.kind]),
        f"  {change.node.id}",
        (f"  {join(change.node.host, change.node.port)}", "dim"),
        f"  {_detail(change)}" if _detail(change) else "",
    )


def as_record(change: Change, at: dt.datetime) -> dict[str, Any]:
    """The change with the whole node before and after."""
    return {
        "at": at.isoformat(timespec="milliseconds"),
        "version": change.version,
        "change": change.kind,
        "node_id": change.node.id,
        "node": None if change.kind is ChangeKind.LEFT else _node(change.node),
        "before": _node(change.before) if change.before else None,
    }


def report_retry(notes: Console, scheduled: RetryScheduled) -> None:
    """One line for the first failure in a row, and for the 2nd, 4th, 8th …."""
    if scheduled.attempt & (scheduled.attempt - 1) == 0:
        notes.print(f"{explain(scheduled.error)}; trying again", style="yellow", soft_wrap=True)


def _beginning(server: str, known: Topology) -> str:
    number = len(known.nodes)
    return f"watching {server} from version {known.version}: {number} {'node' if number == 1 else 'nodes'}"


def _detail(change: Change) -> str:
    node, before = change.node, change.before
    match change.kind:
        case ChangeKind.JOINED | ChangeKind.PRIMARY:
            return role_name(node.role)
        case ChangeKind.SUSPECT | ChangeKind.DOWN | ChangeKind.BACK | ChangeKind.LEAVING if before:
            life = f", life {node.incarnation}" if node.incarnation != before.incarnation else ""
            return f"was {state_name(before.state)}{life}"
        case ChangeKind.ROLE if before:
            return f"{role_name(before.role)} → {role_name(node.role)}"
        case ChangeKind.RESTARTED:
            return f"life {node.incarnation}"
        case ChangeKind.UPDATED if before:
            return ", ".join(_updates(before, node))
    return ""


def _updates(before: pb.Node, node: pb.Node) -> Iterator[str]:
    if (before.host, before.port) != (node.host, node.port):
        yield f"was at {join(before.host, before.port)}"
    if before.priority != node.priority:
        yield f"priority {before.priority} → {node.priority}"
    if before.tags != node.tags:
        tags = " ".join(f"{key}={value}" for key, value in sorted(node.tags.items()))
        yield f"tags {tags or 'none'}"


def _node(node: pb.Node) -> dict[str, Any]:
    return {
        **MessageToDict(node, preserving_proto_field_name=True, always_print_fields_with_no_presence=True),
        "role": role_name(node.role),
        "state": state_name(node.state),
        "priority": node.priority,
        "incarnation": node.incarnation,
    }
