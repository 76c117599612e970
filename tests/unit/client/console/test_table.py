"""The table, character by character."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from laura_fast.client.console.table import heading, members_table
from laura_fast.client.console.view import view_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console

    from laura_fast.pb.laura.fast.v1 import admin_pb2

WIDE = """
NODE   ADDRESS          ROLE        STATE        LAST BEAT   CPU             MEMORY   DISK                        LAG   LIFE   TAGS
──────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────
n1     10.0.0.1:27017   primary ★   ● healthy        0.3 s   ▇▇░░░░  31 %   1.5 GiB   ▇▇▇░░░  47 % of 100 GiB   1 234      1   disk=ssd zone=b
n2     10.0.0.2:27017   secondary   ✖ down      1 min 23 s   ▇▇░░░░  31 %   1.5 GiB   ▇▇▇░░░  47 % of 100 GiB     n/a      2
n3     [::1]:1          arbiter     ◐ suspect     none yet            n/a       n/a            n/a                n/a      0
"""  # noqa: E501 - as wide as the screen it shows


def test_every_member_has_a_row(
    status: admin_pb2.GetClusterStatusResponse, make_console: Callable[..., Console], shown: Callable[[Console], str]
) -> None:
    console = make_console(width=1000)
    console.print(members_table(view_of("s:1", status).members, 1000))
    lines = [line.rstrip() for line in shown(console).replace("\u202f", " ").splitlines()]
    assert lines == WIDE.strip().splitlines()


@pytest.mark.parametrize("width", [45, 60, 80, 100, 112, 120, 125, 150])
def test_a_narrow_terminal_gets_fewer_columns_not_broken_rows(
    status: admin_pb2.GetClusterStatusResponse,
    make_console: Callable[..., Console],
    shown: Callable[[Console], str],
    width: int,
) -> None:
    console = make_console(width=width)
    console.print(members_table(view_of("s:1", status).members, width))
    lines = shown(console).splitlines()
    assert len(lines) == 5
    assert all(len(line) <= width for line in lines)
    assert lines[0].split()[:2] == ["NODE", "ADDRESS" if width >= 60 else "ROLE"]
    assert "…" not in shown(console) or width < 60


def test_the_heading_says_whose_view_it_is_and_how_old(status: admin_pb2.GetClusterStatusResponse) -> None:
    first, second = heading(view_of("s:1", status), 2_000).plain.splitlines()
    assert first.startswith("Cluster as server-1 at s:1 saw it at ")
    assert first.endswith(", 2.0 s ago")
    assert second == ("version 12 · primary n1 · 3 nodes: 1 down, 1 suspect, 1 healthy · up 2 h 5 min · laura_fast 9.9")


def test_the_heading_of_an_empty_cluster_of_an_older_server(status: admin_pb2.GetClusterStatusResponse) -> None:
    status.Clear()
    assert heading(view_of("s:1", status), 0).plain == (
        "Cluster as s:1 at s:1 saw it, 0.0 s ago\nversion 0 · no primary · 0 nodes"
    )
