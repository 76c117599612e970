"""A cluster to look at, and a terminal that keeps what was written to it."""

from __future__ import annotations

from io import StringIO
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from laura_fast.pb.laura.fast.v1 import admin_pb2
from laura_fast.pb.lauradb.cluster import cluster_pb2 as pb

if TYPE_CHECKING:
    from collections.abc import Callable

GIB = 1024**3


def _member(number: int, state: pb.NodeState.ValueType, beat_ms: int) -> admin_pb2.MemberStatus:
    return admin_pb2.MemberStatus(
        node=pb.Node(
            id=f"n{number}",
            host=f"10.0.0.{number}",
            port=27017,
            role=pb.PRIMARY if number == 1 else pb.SECONDARY,
            state=state,
            incarnation=number,
            tags={"zone": "b", "disk": "ssd"} if number == 1 else {},
        ),
        last_beat_age_ms=beat_ms,
        status=pb.NodeStatus(
            resources=pb.ResourceStats(
                cpu_percent=31.4, memory_bytes=3 * GIB // 2, disk_bytes_used=47 * GIB, disk_bytes_total=100 * GIB
            )
        ),
        lag_entries=1234,
        clock_skew_ms=-3,
    )


@pytest.fixture
def status() -> admin_pb2.GetClusterStatusResponse:
    """Three members: the primary, one that is down, and one that never beat."""
    return admin_pb2.GetClusterStatusResponse(
        observer_id="server-1",
        observed_at_ms=1_700_000_000_000,
        topology_version=12,
        primary_id="n1",
        members=[
            _member(1, pb.HEALTHY, 300),
            _member(2, pb.DOWN, 83_000),
            admin_pb2.MemberStatus(node=pb.Node(id="n3", host="::1", port=1, role=pb.ARBITER, state=pb.SUSPECT)),
        ],
        replica_sets=[pb.ReplicaSet(id="rs", node_ids=["n1", "n2"], term=3)],
        shards=[pb.ShardInfo(shard_id="s", node_id="n1")],
        uptime_ms=7_500_000,
        server_version="9.9",
    )


@pytest.fixture
def make_console() -> Callable[..., Console]:
    def make(width: int = 200, height: int = 20, *, terminal: bool = False) -> Console:
        return Console(
            file=StringIO(), width=width, height=height, force_terminal=terminal, color_system=None, highlight=False
        )

    return make


@pytest.fixture
def shown() -> Callable[[Console], str]:
    def text(console: Console) -> str:
        assert isinstance(console.file, StringIO)
        return console.file.getvalue()

    return text
