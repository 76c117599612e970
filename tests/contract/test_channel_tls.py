"""The native channel over TLS: it talks only to whom it means, and proves who it is where it is asked."""

from __future__ import annotations

import asyncio
import ssl
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import grpc
import pytest
import trustme

from laura_fast.transport.native.channel import secure_channel
from laura_fast.transport.tls_policy import client_context
from tests.contract.certificates import server_identity, write
from tests.contract.transport_kit import call, serving

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

Code = grpc.StatusCode


@pytest.fixture(scope="module")
def ca() -> trustme.CA:
    return trustme.CA()


@asynccontextmanager
async def connected(
    directory: Path, ca: trustme.CA, transport_name: str, *, mutual: bool, named: str, ours: bool
) -> AsyncIterator[Any]:
    files = write(directory, server_identity(ca), ca if mutual else None)
    (directory / "trusted.pem").write_bytes(ca.cert_pem.bytes())
    pair: tuple[Path | None, Path | None] = None, None
    if ours:
        identity = ca.issue_cert("client-1")
        identity.cert_chain_pems[0].write_to_path(directory / "client.crt")
        identity.private_key_pem.write_to_path(directory / "client.key")
        pair = directory / "client.crt", directory / "client.key"
    context = client_context(directory / "trusted.pem", *pair)
    options = [("grpc.ssl_target_name_override", named)]
    async with (
        serving(transport_name, tls=files) as running,
        secure_channel(running.address, context, options=options) as channel,
    ):
        yield channel


async def test_a_server_that_is_meant_is_talked_to(tmp_path: Path, ca: trustme.CA, transport_name: str) -> None:
    async with connected(tmp_path, ca, transport_name, mutual=False, named="localhost", ours=False) as channel:
        assert await call(channel, "Echo") == b"x"


async def test_the_clients_certificate_reaches_the_server(tmp_path: Path, ca: trustme.CA, transport_name: str) -> None:
    async with connected(tmp_path, ca, transport_name, mutual=True, named="localhost", ours=True) as channel:
        assert b"client-1" in await call(channel, "Who")


async def test_a_closed_channel_has_no_socket_left(tmp_path: Path, ca: trustme.CA, transport_name: str) -> None:
    async with connected(tmp_path, ca, transport_name, mutual=False, named="localhost", ours=False) as channel:
        assert await call(channel, "Echo") == b"x"
        (link,) = channel._pool._links
        await channel.close()
        assert not channel._pool._links
        assert link.machine.closed


@pytest.mark.parametrize("named", ["other.example", "127.0.0.1"])
async def test_a_server_of_another_name_is_not_talked_to(
    tmp_path: Path, ca: trustme.CA, transport_name: str, named: str
) -> None:
    async with connected(tmp_path, ca, transport_name, mutual=False, named=named, ours=False) as channel:
        unary = channel.unary_unary("/t.T/Echo")(b"x", timeout=5)
        assert await unary.code() is Code.UNAVAILABLE
        assert "certificate is not valid for" in await unary.details()


async def test_no_certificate_where_one_is_asked_for(tmp_path: Path, ca: trustme.CA, transport_name: str) -> None:
    async with connected(tmp_path, ca, transport_name, mutual=True, named="localhost", ours=False) as channel:
        assert await call(channel, "Echo") is Code.UNAVAILABLE


async def test_a_server_without_http2_is_refused(tmp_path: Path, ca: trustme.CA) -> None:
    """RFC 9113 §3.2: both must agree on h2 in the handshake."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert("localhost").configure_cert(context)
    (tmp_path / "ca.pem").write_bytes(ca.cert_pem.bytes())
    server = await asyncio.start_server(lambda _reader, writer: writer.close(), "127.0.0.1", 0, ssl=context)
    address = f"localhost:{server.sockets[0].getsockname()[1]}"
    async with secure_channel(address, client_context(tmp_path / "ca.pem", None, None)) as channel:
        unary: Any = channel.unary_unary("/t.T/Echo")
        with pytest.raises(grpc.aio.AioRpcError, match="ALPN"):
            await unary(b"x", timeout=5)
    server.close()
    await server.wait_closed()
