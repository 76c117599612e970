"""Failures as an operator reads them, made by real servers where they can be."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from laura_fast.client import ClientTls, ClusterClient, RetryPolicy
from laura_fast.client.explain import explain
from laura_fast.errors import ClientError, Code, RefusedError, RemoteError, UnreachableError
from tests.unit.client.fake_cluster import FakeCluster
from tests.unit.client.test_channel import Authority

if TYPE_CHECKING:
    from pathlib import Path


async def explained(address: str, tls: ClientTls | None = None, timeout_s: float = 10) -> str:
    policy = RetryPolicy(max_passes=1, attempt_timeout_s=timeout_s)
    async with ClusterClient(address, tls=tls, policy=policy) as client:
        with pytest.raises(ClientError) as raised:
            await client.status()
    return explain(raised.value)


async def test_nobody_listens(cluster: FakeCluster) -> None:
    await cluster.stop()
    assert await explained(cluster.address) == (
        f"no server answered: {cluster.address}: connection refused (is a server running there?)"
    )


async def test_each_seed_is_named_and_one_hint_given(cluster: FakeCluster) -> None:
    await cluster.stop()
    text = await explained(f"{cluster.address},no-such-host.invalid:1")
    assert text.count("connection refused") == 1
    assert "no-such-host.invalid:1: unknown host (is a server" in text


async def test_the_ways_in_which_tls_fails(tmp_path: Path, cluster: FakeCluster) -> None:
    (tmp_path / "other").mkdir()
    authority, other = Authority(tmp_path), Authority(tmp_path / "other")
    server = await FakeCluster().start(authority.credentials())
    ours = (authority.ca_file, authority.cert_file, authority.key_file)
    assert "if the server uses TLS, give --tls-ca-file" in await explained(server.address)
    assert "asks for a client certificate" in await explained(server.address, ClientTls(authority.ca_file))
    assert "not trusted here (name the authority" in await explained(server.address, ClientTls(other.ca_file))
    assert "for another name" in await explained(server.address, ClientTls(*ours, "other.example"))
    assert "speaks plain text" in await explained(cluster.address, ClientTls(authority.ca_file))
    await server.stop()


async def test_a_server_that_never_speaks() -> None:
    accepting = asyncio.Event()

    async def hold(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await accepting.wait()
        writer.close()

    silent = await asyncio.start_server(hold, "127.0.0.1", 0)
    text = await explained(f"127.0.0.1:{silent.sockets[0].getsockname()[1]}", timeout_s=0.2)
    assert "no answer in time (a firewall" in text
    accepting.set()
    silent.close()
    await silent.wait_closed()


async def test_a_web_server() -> None:
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(10)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    web = await asyncio.start_server(refuse, "127.0.0.1", 0)
    assert "HTTP/1 server (check the port)" in await explained(f"127.0.0.1:{web.sockets[0].getsockname()[1]}")
    web.close()
    await web.wait_closed()


async def test_a_server_of_lauradb_has_no_status() -> None:
    server = await FakeCluster(extensions=False).start()
    assert await explained(server.address) == (
        f"{server.address}: the server does not have this call (is it of the same version?)"
    )
    await server.stop()


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (RemoteError("a:1", Code.PERMISSION_DENIED, "not you"), "a:1: permission denied: not you"),
        (RemoteError("a:1", Code.RESOURCE_EXHAUSTED, "x"), "a:1: overloaded (try again later)"),
        (
            RemoteError("a:1", Code.RESOURCE_EXHAUSTED, "the data directory is full", "STORAGE_FULL"),
            "a:1: resource exhausted: the data directory is full",
        ),
        (
            UnreachableError([RemoteError("a:1", Code.UNAVAILABLE, "stopping")]),
            "no server answered: a:1: unavailable: stopping",
        ),
        (RefusedError("node n1 not found"), "node n1 not found"),
    ],
)
def test_what_a_server_said_is_shown(error: ClientError, text: str) -> None:
    assert explain(error) == text
