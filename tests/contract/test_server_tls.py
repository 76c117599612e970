"""TLS of a whole server: on means on, and a certificate speaks for its own node only."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Any

import grpc
import msgspec
import pytest
import trustme

from laura_fast.app import Server
from laura_fast.errors import TlsMaterialError
from laura_fast.pb.lauradb.cluster import cluster_pb2, cluster_pb2_grpc

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from laura_fast.config import Config

WAIT_S = 10


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def config(config: Config, authority: trustme.CA, tmp_path: Path) -> Config:
    """Mutual TLS with certificates bound to node ids."""
    issued = authority.issue_cert("localhost")
    files = {name: tmp_path / f"{name}.pem" for name in ("cert", "key", "ca")}
    issued.cert_chain_pems[0].write_to_path(files["cert"])
    issued.private_key_pem.write_to_path(files["key"])
    authority.cert_pem.write_to_path(files["ca"])
    files["key"].chmod(0o600)
    return msgspec.structs.replace(
        config,
        tls_cert_file=str(files["cert"]),
        tls_key_file=str(files["key"]),
        tls_client_ca_file=str(files["ca"]),
        tls_bind_node_id=True,
    )


@pytest.fixture
async def channel(server: Server, authority: trustme.CA) -> AsyncIterator[grpc.aio.Channel]:
    """A client that is node n1."""
    own = authority.issue_cert("n1")
    credentials = grpc.ssl_channel_credentials(
        authority.cert_pem.bytes(), own.private_key_pem.bytes(), own.cert_chain_pems[0].bytes()
    )
    port = server.address.rpartition(":")[2]
    async with grpc.aio.secure_channel(f"localhost:{port}", credentials) as open_channel:
        yield open_channel


async def _join(channel: grpc.aio.Channel, node_id: str) -> Any:
    node = cluster_pb2.Node(id=node_id, host="127.0.0.1", port=7000)
    request = cluster_pb2.NodeRegistrationRequest(node=node)
    return await cluster_pb2_grpc.ClusterServiceStub(channel).RegisterNode(request, timeout=WAIT_S)


async def test_a_node_speaks_for_itself(channel: grpc.aio.Channel) -> None:
    assert (await _join(channel, "n1")).success


async def test_a_node_does_not_speak_for_another(channel: grpc.aio.Channel) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await _join(channel, "n2")
    assert caught.value.code() is grpc.StatusCode.PERMISSION_DENIED


async def test_plaintext_is_not_served(server: Server) -> None:
    async with grpc.aio.insecure_channel(server.address) as channel:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await _join(channel, "n1")
    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE


async def test_a_client_without_a_certificate_is_not_served(server: Server, authority: trustme.CA) -> None:
    credentials = grpc.ssl_channel_credentials(authority.cert_pem.bytes())
    port = server.address.rpartition(":")[2]
    async with grpc.aio.secure_channel(f"localhost:{port}", credentials) as channel:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await _join(channel, "n1")
    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE


async def test_a_key_that_does_not_fit_stops_the_start(config: Config, tmp_path: Path) -> None:
    other = tmp_path / "other.pem"
    trustme.CA().issue_cert("localhost").private_key_pem.write_to_path(other)
    other.chmod(0o600)
    server = Server(msgspec.structs.replace(config, tls_key_file=str(other)))
    with pytest.raises(TlsMaterialError, match=r"other\.pem"):
        await server.start()


async def test_a_ready_context_is_used_or_refused_never_ignored(config: Config, transport_name: str) -> None:
    plain = msgspec.structs.replace(
        config, tls_cert_file="", tls_key_file="", tls_client_ca_file="", tls_bind_node_id=False
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(config.tls_cert_file, config.tls_key_file)
    server = Server(plain, ssl_context=context)
    if transport_name == "grpcio":
        with pytest.raises(TlsMaterialError, match="use the native one"):
            await server.start()
        return
    await server.start()
    await server.stop(grace_s=0)
