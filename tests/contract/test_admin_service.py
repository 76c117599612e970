"""laura.fast.v1.AdminService, and the side port, which shows the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import aiohttp
import grpc
import msgspec
import pytest
from google.protobuf import json_format

from laura_fast import __version__
from laura_fast.pb.laura.fast.v1 import admin_pb2, admin_pb2_grpc
from laura_fast.pb.lauradb.cluster import cluster_pb2, cluster_pb2_grpc

if TYPE_CHECKING:
    from laura_fast.app import Server
    from laura_fast.config import Config

WAIT_S = 10


@pytest.fixture
def config(config: Config) -> Config:
    return msgspec.structs.replace(config, node_id="observer", metrics_listen="127.0.0.1:0")


@pytest.fixture
async def admin(channel: grpc.aio.Channel) -> Any:
    """With two members, of which only "a" has beaten."""
    cluster = cluster_pb2_grpc.ClusterServiceStub(channel)
    for node_id in ("b", "a"):
        node = cluster_pb2.Node(id=node_id, host="127.0.0.1", port=7000, role=cluster_pb2.SHARD)
        await cluster.RegisterNode(cluster_pb2.NodeRegistrationRequest(node=node), timeout=WAIT_S)
    resources = cluster_pb2.ResourceStats(cpu_percent=12.5, memory_bytes=3, disk_bytes_used=4, disk_bytes_total=5)
    status = cluster_pb2.NodeStatus(role=cluster_pb2.SHARD, last_oplog_id=7, resources=resources)
    await cluster.Heartbeat(cluster_pb2.HeartbeatRequest(node_id="a", timestamp=1, status=status), timeout=WAIT_S)
    return admin_pb2_grpc.AdminServiceStub(channel)


async def _status(admin: Any) -> Any:
    return await admin.GetClusterStatus(admin_pb2.GetClusterStatusRequest(), timeout=WAIT_S)


async def test_the_status_says_whose_view_it_is(admin: Any) -> None:
    status = await _status(admin)
    assert (status.observer_id, status.server_version) == ("observer", __version__)
    assert status.observed_at_ms > status.uptime_ms >= 0
    assert status.topology_version == 3


async def test_the_status_has_what_beats_told(admin: Any) -> None:
    a, b = (await _status(admin)).members
    assert (a.node.id, a.node.state, b.node.id, b.node.state) == ("a", cluster_pb2.HEALTHY, "b", cluster_pb2.HEALTHY)
    assert a.status.last_oplog_id == 7
    assert a.status.resources.cpu_percent == 12.5
    assert 0 <= a.last_beat_age_ms < 60_000
    assert a.clock_skew_ms < 0
    assert not b.HasField("last_beat_age_ms")
    assert not b.HasField("status")
    assert not a.HasField("lag_entries")


async def test_the_statistics_count_calls_by_method_and_code(admin: Any, channel: grpc.aio.Channel) -> None:
    with pytest.raises(grpc.aio.AioRpcError):
        await cluster_pb2_grpc.ClusterServiceStub(channel).Heartbeat(cluster_pb2.HeartbeatRequest(node_id="x"))
    told = await admin.GetNodeStatistics(admin_pb2.GetNodeStatisticsRequest(), timeout=WAIT_S)
    counts = {method.method: (method.started, dict(method.handled_by_code)) for method in told.methods}
    assert counts["/lauradb.cluster.ClusterService/RegisterNode"] == (2, {0: 2})
    assert counts["/lauradb.cluster.ClusterService/Heartbeat"] == (2, {0: 1, 5: 1})
    assert told.node_id == "observer"
    assert told.resident_memory_bytes > 1 << 20
    assert told.cpu_seconds > 0


async def _get(server: Server, path: str) -> tuple[int, str]:
    async with aiohttp.ClientSession() as session, session.get(f"http://{server.metrics_address}{path}") as answer:
        return answer.status, await answer.text()


async def test_the_metrics_have_calls_members_and_version(admin: Any, server: Server) -> None:
    assert admin
    code, text = await _get(server, "/metrics")
    assert code == 200
    assert (
        'grpc_server_handled_total{grpc_code="OK",grpc_method="RegisterNode",'
        'grpc_service="lauradb.cluster.ClusterService",grpc_type="unary"} 2.0'
    ) in text
    assert 'laura_fast_members{state="healthy"} 2.0' in text
    assert "laura_fast_heartbeats_total 1.0" in text
    version = next(line for line in text.splitlines() if line.startswith("laura_fast_topology_version "))
    assert float(version.split()[1]) == 3


async def test_the_status_page_is_the_cluster_status(admin: Any, server: Server) -> None:
    status = await _status(admin)
    code, text = await _get(server, "/status.json")
    shown = json_format.Parse(text, admin_pb2.GetClusterStatusResponse())
    assert code == 200
    assert (shown.observer_id, shown.topology_version) == (status.observer_id, status.topology_version)
    assert [member.node for member in shown.members] == [member.node for member in status.members]


@pytest.mark.parametrize("path", ["/livez", "/readyz"])
async def test_the_probes_say_yes(server: Server, path: str) -> None:
    assert (await _get(server, path))[0] == 200
