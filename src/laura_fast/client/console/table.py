"""The cluster as a heading and a table, for one look or for a live view."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from rich import box
from rich.table import Table
from rich.text import Text

from laura_fast.client.console import units

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from laura_fast.client.console.set_view import SetView
    from laura_fast.client.console.view import ClusterView, MemberView

STYLES: Final = {
    "healthy": "green",
    "suspect": "yellow",
    "down": "bold red",
    "leaving": "cyan",
    "unknown": "dim",
}
_MARKS: Final = {"healthy": "●", "suspect": "◐", "down": "✖", "leaving": "○", "unknown": "·"}
_BAR_CELLS: Final = 6
_BUSY_PERCENT, _FULL_PERCENT = 70, 90


@dataclass(frozen=True, slots=True)
class _Column:
    """One column; it is left out where the terminal is narrower than `from_width` cells."""

    heading: str
    cell: Callable[[MemberView, int], Text | str]
    justify: Literal["left", "right"] = "left"
    from_width: int = 0


def heading(view: ClusterView, age_ms: int) -> Text:
    """Two lines: whose view it is and how old; what it amounts to. A third for the server's own replica set."""
    text = Text.assemble(
        ("Cluster as ", "dim"),
        (view.observer_id or view.server, "bold"),
        (f" at {view.server} saw it", "dim"),
        (f" at {_clock(view.observed_at_ms)}" if view.observed_at_ms else "", "dim"),
        (f", {units.duration(age_ms)} ago", "yellow" if age_ms >= 5000 else "dim"),  # noqa: PLR2004 - worth a glance
        "\n",
        (f"version {units.count(view.topology_version)}", "bold"),
        f" · primary {view.primary_id}" if view.primary_id else "" if view.replica_set else " · no primary",
        f" · {units.count(len(view.members))} {'node' if len(view.members) == 1 else 'nodes'}",
    )
    for number, (state, count) in enumerate(view.states()):
        text.append(", " if number else ": ").append(f"{count} {state}", STYLES[state])
    if view.uptime_ms:
        text.append(f" · up {units.duration(view.uptime_ms)}", "dim")
    if view.server_version:
        text.append(f" · laura_fast {view.server_version}", "dim")
    return text.append_text(_set_line(view.replica_set)) if view.replica_set else text


def _set_line(view: SetView) -> Text:
    """The observer's replica set: who leads, and how far behind the others are."""
    lead = f"primary {view.primary_id}" if view.primary_id else "no primary"
    text = Text.assemble("\n", (f"replica set {view.name}", "bold"), f" · {lead} · term {units.count(view.term)}")
    for member in view.members:
        lag = "" if member.lag_entries is None or member.state == "primary" else f" {member.lag_entries} behind"
        text.append(f" · {member.id} ").append(f"{member.state}{lag}", "red" if member.state == "down" else "")
    return text


def members_table(members: Sequence[MemberView], width: int, age_ms: int = 0) -> Table:
    """One row per member, in the order given; `age_ms` is added to the age of each beat."""
    columns = [column for column in _COLUMNS if width >= column.from_width]
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold dim")
    for column in columns:
        table.add_column(column.heading, justify=column.justify, no_wrap=True, overflow="ellipsis")
    for member in members:
        cells = [column.cell(member, age_ms) for column in columns]
        table.add_row(*cells, style="dim" if member.state == "down" else "")
    return table


def _state(member: MemberView, _: int) -> Text:
    return Text(f"{_MARKS[member.state]} {member.state}", STYLES[member.state])


def _id(member: MemberView, _: int) -> Text:
    return Text(member.id, "bold" if member.primary else "")


def _address(member: MemberView, _: int) -> str:
    return member.address


def _role(member: MemberView, _: int) -> Text:
    return Text(f"{member.role} ★" if member.primary else member.role, "bold" if member.primary else "")


def _beat(member: MemberView, age_ms: int) -> Text | str:
    if member.last_beat_age_ms is None:
        return Text("none yet", "dim")
    return units.duration(member.last_beat_age_ms + age_ms)


def _cpu(member: MemberView, _: int) -> Text:
    return _bar(member.cpu_percent)


def _memory(member: MemberView, _: int) -> str:
    return units.size(member.memory_bytes)


def _disk(member: MemberView, _: int) -> Text:
    if not member.disk_bytes_total or member.disk_bytes_used is None:
        return _bar(None)
    return _bar(100 * member.disk_bytes_used / member.disk_bytes_total).append(
        f" of {units.size(member.disk_bytes_total)}", "dim"
    )


def _lag(member: MemberView, _: int) -> str:
    return units.count(member.lag_entries)


def _incarnation(member: MemberView, _: int) -> str:
    return str(member.incarnation)


def _tags(member: MemberView, _: int) -> Text:
    return Text(" ".join(f"{key}={value}" for key, value in member.tags.items()), "dim")


def _bar(share: float | None) -> Text:
    """``▇▇▇░░░  47 %``, coloured by how full it is."""
    if share is None:
        return Text(f"{units.NOT_AVAILABLE:>{_BAR_CELLS + 6}}", "dim")
    filled = min(_BAR_CELLS, round(share / 100 * _BAR_CELLS))
    style = "red" if share >= _FULL_PERCENT else "yellow" if share >= _BUSY_PERCENT else "green"
    return Text.assemble(("▇" * filled, style), ("░" * (_BAR_CELLS - filled), "dim"), f" {units.percent(share):>5}")


def _clock(milliseconds: int) -> str:
    moment = dt.datetime.fromtimestamp(milliseconds / 1000, dt.UTC).astimezone()
    return moment.strftime("%H:%M:%S")


_COLUMNS: Final = (
    _Column("NODE", _id),
    _Column("ADDRESS", _address, from_width=60),
    _Column("ROLE", _role),
    _Column("STATE", _state),
    _Column("LAST BEAT", _beat, "right"),
    _Column("CPU", _cpu, from_width=76),
    _Column("MEMORY", _memory, "right", from_width=86),
    _Column("DISK", _disk, from_width=110),
    _Column("LAG", _lag, "right", from_width=116),
    _Column("LIFE", _incarnation, "right", from_width=122),
    _Column("TAGS", _tags, from_width=140),
)
