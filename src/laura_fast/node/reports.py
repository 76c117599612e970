"""What a beat told of its node, kept as bytes until somebody asks.

Nearly every beat's figures are replaced by the next one's unread, and reading them costs more than renewing the lease
(bench.compare). So a beat is kept as it came. Never as a message: a submessage would hold the whole request's memory.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from laura_fast.limits import membership as limits
from laura_fast.pb.lauradb.cluster import cluster_pb2

if TYPE_CHECKING:
    Resources = tuple[float, int, int, int]

NOTHING: Final = b""
"""The report of a node that told nothing yet."""

_parse = cluster_pb2.HeartbeatRequest.FromString


class Report(NamedTuple):
    """A report that was read.

    Attributes:
        last_oplog_id: Newest entry of the node's log; 0 = it has none, or never said.
        resources: CPU percent, memory bytes, disk bytes used and in all; None = it never said.
    """

    last_oplog_id: int
    resources: Resources | None


def kept(beat: bytes) -> bytes:
    """What to keep of a beat that parses: itself, or its figures alone where a peer made it long."""
    if len(beat) <= limits.MAX_REPORT_BYTES:
        return beat
    told = read(beat)
    status = cluster_pb2.NodeStatus(last_oplog_id=told.last_oplog_id)
    if told.resources is not None:
        resources = status.resources
        resources.SetInParent()  # told, whatever the figures are
        resources.cpu_percent, resources.memory_bytes, resources.disk_bytes_used, resources.disk_bytes_total = (
            told.resources
        )
    return cluster_pb2.HeartbeatRequest(status=status).SerializeToString()


def read(report: bytes) -> Report:
    """The figures in what `kept` returned, or in `NOTHING`."""
    status = _parse(report).status
    return Report(status.last_oplog_id, _resources(status.resources) if status.HasField("resources") else None)


def _resources(told: cluster_pb2.ResourceStats) -> Resources:
    return told.cpu_percent, told.memory_bytes, told.disk_bytes_used, told.disk_bytes_total
