"""Beats that are kept unread: what is kept is bounded, and says what the beat said."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from laura_fast.limits import membership as limits
from laura_fast.node.reports import NOTHING, Report, kept, read
from laura_fast.pb.lauradb.cluster import cluster_pb2 as pb

INT64 = st.integers(-(2**63), 2**63 - 1)
RESOURCES = st.tuples(st.floats(allow_nan=False), INT64, INT64, INT64)
LONG = "n" * (limits.MAX_REPORT_BYTES + 1)


def beat(told: Report, node_id: str = "a") -> bytes:
    status = pb.NodeStatus(role=pb.SHARD, last_oplog_id=told.last_oplog_id)
    if told.resources is not None:
        cpu_percent, memory, used, total = told.resources
        status.resources.CopyFrom(
            pb.ResourceStats(cpu_percent=cpu_percent, memory_bytes=memory, disk_bytes_used=used, disk_bytes_total=total)
        )
    return pb.HeartbeatRequest(node_id=node_id, timestamp=1, status=status).SerializeToString()


@given(told=st.builds(Report, INT64, st.none() | RESOURCES), node_id=st.sampled_from(["a", LONG]))
def test_what_is_kept_says_what_the_beat_said(told: Report, node_id: str) -> None:
    assert read(kept(beat(told, node_id))) == told


def test_an_ordinary_beat_is_kept_as_it_came() -> None:
    raw = beat(Report(7, (1.5, 2, 3, 4)), "n" * limits.MAX_NODE_ID_BYTES)
    assert kept(raw) is raw


@pytest.mark.parametrize("extra", [b"", b"\xfa\x7f\xff\x7f" + bytes(0x3FFF)], ids=["long id", "unknown field"])
def test_a_long_beat_is_cut(extra: bytes) -> None:
    raw = beat(Report(-1, (-1.0, -1, -1, -1)), LONG) + extra
    assert len(kept(raw)) < 100


def test_nothing_told_reads_as_nothing() -> None:
    assert read(NOTHING) == Report(0, None)
