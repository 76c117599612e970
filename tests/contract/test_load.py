"""The load generator against a whole server of either transport, at a small rate."""

from __future__ import annotations

import asyncio
import ssl
from typing import TYPE_CHECKING, Any

import grpc
import pytest
import trustme

from laura_fast.app import Server
from laura_fast.client import ClientTls
from laura_fast.config import Config
from laura_fast.errors import ConfigError, RemoteError, TlsMaterialError
from laura_fast.load.calls import METHODS
from laura_fast.load.runner import Options, run
from laura_fast.pb.lauradb.cluster import cluster_pb2, cluster_pb2_grpc

if TYPE_CHECKING:
    from pathlib import Path


SMALL: dict[str, Any] = {"connections": 2, "nodes": 3, "warmup_s": 0.1, "duration_s": 0.3, "timeout_s": 20.0}


async def members(server: Server) -> int:
    async with grpc.aio.insecure_channel(server.address) as channel:
        stub = cluster_pb2_grpc.ClusterServiceStub(channel)
        return len((await stub.GetTopology(cluster_pb2.GetTopologyRequest(), timeout=10)).nodes)


@pytest.mark.parametrize("method", METHODS)
async def test_every_planned_call_is_answered_and_nothing_is_left_behind(server: Server, method: str) -> None:
    report = await run(Options(server.address, method=method, rps=300, **SMALL))
    assert (report.failures, report.answered, report.lost_connections) == ({}, 120, 0)
    assert sum(one.count for one in report.methods.values()) == report.latency.count == 90
    assert 0 < report.latency.p50_ms <= report.latency.p99_99_ms <= report.latency.max_ms
    assert await members(server) == 0


async def test_a_closed_loop_is_labelled(server: Server) -> None:
    report = await run(Options(server.address, rps=None, streams=2, **SMALL))
    assert not report.failed
    assert (report.loop, report.rps) == ("closed", None)
    assert report.label.startswith("CLOSED LOOP")


async def test_the_server_is_found_and_its_use_is_read(server: Server) -> None:
    """The server is this process: at least what the generator used, too."""
    report = await run(Options(server.address, rps=300, **SMALL))
    assert report.server is not None
    assert report.server.cpu_share == pytest.approx(report.generator.cpu_share, rel=0.2)
    assert report.server.memory_bytes > 1 << 20


async def test_no_server_is_unreachable() -> None:
    with pytest.raises(RemoteError, match="UNAVAILABLE"):
        await run(Options("127.0.0.1:1", **SMALL))


async def test_streams_beyond_the_servers_limit_wait(config: Config) -> None:
    server = Server(config)
    await server.start()
    try:
        report = await run(Options(server.address, rps=None, streams=500, **SMALL))
    finally:
        await server.stop(0)
    assert report.failures == {}


async def test_a_server_that_stops_fails_the_rest_of_the_calls(config: Config) -> None:
    server, stopping = Server(config), list[asyncio.Task[None]]()
    await server.start()

    def stop_once(_share: float, calls: int) -> None:
        if calls and not stopping:
            stopping.append(asyncio.ensure_future(server.stop(0)))

    report = await run(Options(server.address, rps=100, connections=2, duration_s=60.0, timeout_s=20.0), stop_once)
    await stopping[0]
    assert report.failed
    assert report.lost_connections == 2
    assert set(report.failures) <= {"UNAVAILABLE", "CANCELLED"}
    assert report.answered + sum(report.failures.values()) == 6100


async def test_over_tls_the_certificate_is_checked(tmp_path: Path) -> None:
    ca, stranger = trustme.CA(), trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert("localhost").configure_cert(context)
    context.set_alpn_protocols(["h2"])
    for name, one in (("ca", ca), ("stranger", stranger)):
        one.cert_pem.write_to_path(tmp_path / name)
    config = Config(host="127.0.0.1", port=0, data_dir=str(tmp_path / "data"), transport="native")
    server = Server(config, ssl_context=context)
    await server.start()
    try:
        trusting = ClientTls(ca_file=tmp_path / "ca", server_name="localhost")
        report = await run(Options(server.address, tls=trusting, rps=300, **SMALL))
        assert (report.failures, report.answered) == ({}, 120)
        wary = ClientTls(ca_file=tmp_path / "stranger", server_name="localhost")
        with pytest.raises(RemoteError, match="UNAVAILABLE"):
            await run(Options(server.address, tls=wary, **SMALL))
    finally:
        await server.stop(0)


def test_unreadable_authorities_are_said_at_once(tmp_path: Path) -> None:
    with pytest.raises(TlsMaterialError):
        ClientTls(ca_file=tmp_path / "none").context()
    with pytest.raises(ConfigError):
        ClientTls(cert_file=tmp_path / "none")
