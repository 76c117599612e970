"""grpc.health.v1: who is serving, and what a watcher hears when the server stops."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from laura_fast.services.contract import SERVICES

if TYPE_CHECKING:
    from laura_fast.app import Server

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
SERVICE_UNKNOWN = health_pb2.HealthCheckResponse.SERVICE_UNKNOWN

BUILT = {
    *("lauradb.cluster.ClusterService", "lauradb.cluster.RouterService"),
    *("laura.fast.v1.MembershipService", "laura.fast.v1.AdminService", "laura.fast.v1.DocumentService"),
}


async def _check(channel: grpc.aio.Channel, name: str) -> int:
    answer = await health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(service=name))
    return int(answer.status)


@pytest.mark.parametrize("name", ["", "liveness", "readiness", "grpc.health.v1.Health"])
async def test_the_server_is_serving(channel: grpc.aio.Channel, name: str) -> None:
    assert await _check(channel, name) == SERVING


@pytest.mark.parametrize("name", sorted(SERVICES))
async def test_a_service_is_serving_only_when_it_is_built(channel: grpc.aio.Channel, name: str) -> None:
    assert await _check(channel, name) == (SERVING if name in BUILT else NOT_SERVING)


async def test_an_unknown_name_is_not_found(channel: grpc.aio.Channel) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await _check(channel, "lauradb.cluster.Nobody")
    assert caught.value.code() is grpc.StatusCode.NOT_FOUND


async def test_list_has_every_name(channel: grpc.aio.Channel) -> None:
    answer = await health_pb2_grpc.HealthStub(channel).List(health_pb2.HealthListRequest())
    assert set(answer.statuses) == {"", "liveness", "readiness", "grpc.health.v1.Health", *SERVICES}


async def test_a_watcher_hears_of_the_stop_and_does_not_hold_it_up(channel: grpc.aio.Channel, server: Server) -> None:
    watch = health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest(service=""))
    assert (await watch.read()).status == SERVING
    async with asyncio.timeout(5):
        await server.stop(grace_s=60)
    assert (await watch.read()).status == NOT_SERVING
    assert await watch.read() is grpc.aio.EOF


async def test_watching_an_unknown_name_waits_for_it(channel: grpc.aio.Channel) -> None:
    watch = health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest(service="later"))
    assert (await watch.read()).status == SERVICE_UNKNOWN
    watch.cancel()
