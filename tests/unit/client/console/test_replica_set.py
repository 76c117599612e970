"""A replica set from what its members told: whose word counts, and what is shown of who is silent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from laura_fast.client.console.replica_set import elections_table, heading, members_table
from laura_fast.client.console.set_view import set_view
from laura_fast.client.console.table import heading as cluster_heading
from laura_fast.client.console.view import view_of
from laura_fast.errors import ClientError, Code, RemoteError
from laura_fast.pb.laura.fast.v1 import replica_set_pb2 as pb

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console

    from laura_fast.pb.laura.fast.v1 import admin_pb2

GONE = RemoteError("n3:1", Code.UNAVAILABLE, "Connection refused")
ELECTED = pb.ReplicaSetElection(term=4, primary_id="n1", at_ms=1_700_000_000_000, reason="n3 was silent; votes of n1")


def row(member_id: str, state: str, op_id: int | None = None, **fields: Any) -> pb.ReplicaMemberState:
    position = None if op_id is None else pb.LogPosition(term=4, op_id=op_id)
    member = pb.ReplicaMember(id=member_id, address=f"{member_id}:1", priority=1, votes=True)
    return pb.ReplicaMemberState(member=member, state=state, applied=position, durable=position, **fields)


def state(observer: str, own: str, term: int, *members: pb.ReplicaMemberState) -> pb.ReplicaSetState:
    return pb.ReplicaSetState(
        observer_id=observer,
        observer_state=own,
        term=term,
        primary_id="n1",
        commit_op_id=90,
        configuration=pb.ReplicaSetConfiguration(name="rs0", version=3),
        configuration_committed=own == "primary",
        members=members,
        elections=[ELECTED],
    )


PRIMARY = state(
    "n1",
    "primary",
    4,
    row("n1", "primary", 90, lag_entries=0, heard_ms_ago=0),
    row("n2", "secondary", 80, lag_entries=10, heard_ms_ago=200),
    row("n3", "down", heard_ms_ago=9000),
)
SECONDARY = state("n2", "secondary", 4, row("n1", "primary", 88), row("n2", "secondary", 85), row("n3", "unknown"))


def test_the_primarys_word_counts_and_each_member_tells_its_own_position() -> None:
    view = set_view({"n1": PRIMARY, "n2": SECONDARY, "n3": GONE})
    assert (view.observer_id, view.primary_id, view.version, view.committed) == ("n1", "n1", 3, True)
    states = {member.id: (member.state, member.applied_op_id, member.lag_entries) for member in view.members}
    assert states == {"n1": ("primary", 90, 0), "n2": ("secondary", 85, 10), "n3": ("down", None, None)}
    assert "connection refused" in view.members[2].error


def test_without_a_primary_who_is_silent_and_unknown_is_down() -> None:
    view = set_view({"n2": SECONDARY, "n1": GONE, "n3": GONE})
    assert [member.state for member in view.members] == ["primary", "secondary", "down"], "as n2 last heard"
    assert not view.committed


def test_what_a_secondary_does_not_know_is_unknown_where_nobody_else_was_asked() -> None:
    assert [member.state for member in set_view({"n2": SECONDARY}).members] == ["primary", "secondary", "unknown"]


def test_eighty_columns_cut_nothing_off(make_console: Callable[..., Console], shown: Callable[[Console], str]) -> None:
    console = make_console(width=80)
    console.print(members_table(set_view({"n1": PRIMARY, "n2": SECONDARY, "n3": GONE})))
    assert "…" not in shown(console)


def test_a_later_term_counts_more_than_who_still_says_to_be_primary() -> None:
    stale = state("n1", "primary", 3, row("n1", "primary", 99))
    assert set_view({"n1": stale, "n2": SECONDARY}).observer_id == "n2"


def test_who_answered_and_is_no_member_says_what_it_is() -> None:
    view = set_view({"n4": state("n4", "removed", 2), "n1": PRIMARY})
    assert view.strangers == {"n4": "removed"}


def test_nobody_answered() -> None:
    with pytest.raises(ClientError):
        set_view({"n3": GONE})


def test_the_tables(make_console: Callable[..., Console], shown: Callable[[Console], str]) -> None:
    console = make_console()
    view = set_view({"n1": PRIMARY, "n2": SECONDARY, "n3": GONE})
    for part in (heading(view), members_table(view), elections_table(view)):
        console.print(part)
    text = shown(console)
    assert "primary n1 · term 4 · committed up to 90 · configuration version 3\n" in text
    words = [line.split() for line in text.splitlines()]
    assert ["n2", "n2:1", "secondary", "1", "yes", "85", "85", "10", "0.2", "s"] in words
    assert any(line[:2] == ["n1", "4"] and "silent;" in line for line in words)


def test_the_cluster_shows_the_servers_own_set(status: admin_pb2.GetClusterStatusResponse) -> None:
    status.replica_set.CopyFrom(PRIMARY)
    lines = cluster_heading(view_of("s:1", status), 0).plain.splitlines()
    assert lines[2] == "replica set rs0 · primary n1 · term 4 · n1 primary · n2 secondary 10 behind · n3 down"
