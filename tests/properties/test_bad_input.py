"""Whatever is sent to a method, the caller gets a status that is not our fault, and the server goes on."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from laura_fast.pb.laura.fast.v1 import admin_pb2, admin_pb2_grpc
from laura_fast.pb.lauradb.cluster import cluster_pb2, cluster_pb2_grpc
from tests.properties.bad_input import METHODS, OUR_FAULT, attack, populate

if TYPE_CHECKING:
    from laura_fast.app import Server
    from laura_fast.config import Config

SEED = 20_261_123
BUILT = ("ClusterService", "MembershipService", "AdminService", "RouterService", "DocumentService")
MANY, FEW = 300, 30


@pytest.fixture
def config(config: Config) -> Config:
    """Long polls end within seconds; a registration on a slow and busy disk still has the time it needs."""
    return msgspec.structs.replace(config, request_timeout_ms=8_000)


@pytest.mark.parametrize("name", METHODS)
async def test_bad_messages_get_a_status(
    name: str, server: Server, channel: Any, caplog: pytest.LogCaptureFixture
) -> None:
    count = MANY if name.rsplit(".", maxsplit=1)[-1].startswith(BUILT) else FEW
    await populate(channel)
    codes = await attack(channel, name, count, SEED)
    assert not codes.keys() & OUR_FAULT
    assert not [record for record in caplog.records if record.levelname == "ERROR"]
    await _goes_on(channel)


async def _goes_on(channel: Any) -> None:
    """The server still does its work, and no call is left running."""
    cluster = cluster_pb2_grpc.ClusterServiceStub(channel)
    node = cluster_pb2.Node(id="survivor", host="127.0.0.1", port=1)
    answer = await cluster.RegisterNode(cluster_pb2.NodeRegistrationRequest(node=node), timeout=5)
    assert answer.success
    beat = await cluster.Heartbeat(cluster_pb2.HeartbeatRequest(node_id="survivor"), timeout=5)
    assert beat.ack
    async with asyncio.timeout(5):
        while _running(told := await _statistics(channel)):  # noqa: ASYNC110 - the server is asked, there is no event
            await asyncio.sleep(0.01)
    answered = {code for method in told.methods for code in method.handled_by_code}
    assert not answered & {code.value[0] for code in OUR_FAULT}


async def _statistics(channel: Any) -> admin_pb2.GetNodeStatisticsResponse:
    stub = admin_pb2_grpc.AdminServiceStub(channel)
    told: admin_pb2.GetNodeStatisticsResponse
    told = await stub.GetNodeStatistics(admin_pb2.GetNodeStatisticsRequest(), timeout=5)
    return told


def _running(told: admin_pb2.GetNodeStatisticsResponse) -> int:
    """Calls started and not ended, but for the question itself."""
    return int(sum(method.started - sum(method.handled_by_code.values()) for method in told.methods)) - 1
