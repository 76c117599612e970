"""With `tls_bind_node_id` a certificate speaks for its own node only, in every call that names one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import grpc
import pytest
import trustme
from cryptography import x509
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from laura_fast.app import Server
from laura_fast.config import Config
from laura_fast.pb.laura.fast.v1 import membership_pb2_grpc
from laura_fast.pb.lauradb.cluster import cluster_pb2, cluster_pb2_grpc
from tests.contract.certificates import issue, server_identity, write
from tests.contract.transport_kit import channel_options

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

    Stub = cluster_pb2_grpc.ClusterServiceAsyncStub


@pytest.fixture(scope="module")
def ca() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def bind() -> bool:
    return True


@pytest.fixture
async def channel_of_n1(
    transport_name: str, tmp_path: Path, ca: trustme.CA, *, bind: bool
) -> AsyncIterator[grpc.aio.Channel]:
    """A whole server, and a caller whose certificate says node n1."""
    files = write(tmp_path, server_identity(ca), ca)
    config = Config(
        host="127.0.0.1",
        port=0,
        data_dir=str(tmp_path / "data"),
        transport=transport_name,  # type: ignore[arg-type]  # one of the names
        tls_cert_file=str(files.cert_file),
        tls_key_file=str(files.key_file),
        tls_client_ca_file=str(files.client_ca_file),
        tls_bind_node_id=bind,
    )
    server = Server(config)
    await server.start()
    n1 = issue(ca, x509.UniformResourceIdentifier("spiffe://laura/7f/node/n1"))
    address = server.address.replace("127.0.0.1", "localhost")
    async with grpc.aio.secure_channel(address, n1.client(ca), options=channel_options()) as channel:
        yield channel
    await server.stop(grace_s=0)


def register(node_id: str) -> cluster_pb2.NodeRegistrationRequest:
    return cluster_pb2.NodeRegistrationRequest(node=cluster_pb2.Node(id=node_id, host="10.0.0.1", port=27018))


async def version(channel: grpc.aio.Channel) -> int:
    stub: Any = cluster_pb2_grpc.ClusterServiceStub(channel)
    return int((await stub.GetTopology(cluster_pb2.GetTopologyRequest())).version)


CALLS: dict[str, Callable[[Any, str], Awaitable[Any]]] = {
    "RegisterNode": lambda stub, node_id: stub.RegisterNode(register(node_id)),
    "Heartbeat": lambda stub, node_id: stub.Heartbeat(cluster_pb2.HeartbeatRequest(node_id=node_id)),
    "DeregisterNode": lambda stub, node_id: stub.DeregisterNode(cluster_pb2.NodeDeregistrationRequest(node_id=node_id)),
}


async def test_a_node_may_speak_for_itself(channel_of_n1: grpc.aio.Channel) -> None:
    stub = cluster_pb2_grpc.ClusterServiceStub(channel_of_n1)
    for name, call in CALLS.items():
        assert (await call(stub, "n1")).IsInitialized(), name
    assert await version(channel_of_n1) > 0


@pytest.mark.parametrize("name", CALLS)
async def test_a_node_may_not_speak_for_another_and_changes_nothing(channel_of_n1: grpc.aio.Channel, name: str) -> None:
    stub = cluster_pb2_grpc.ClusterServiceStub(channel_of_n1)
    before = await version(channel_of_n1)
    with pytest.raises(grpc.aio.AioRpcError) as denied:
        await CALLS[name](stub, "n2")
    assert denied.value.code() is grpc.StatusCode.PERMISSION_DENIED
    status = rpc_status.from_call(denied.value)
    info = error_details_pb2.ErrorInfo()
    assert status.details[0].Unpack(info)
    assert info.reason == "NODE_ID_MISMATCH"
    assert await version(channel_of_n1) == before


async def test_a_stream_of_heartbeats_may_not_speak_for_another(channel_of_n1: grpc.aio.Channel) -> None:
    stub: Any = membership_pb2_grpc.MembershipServiceStub(channel_of_n1)
    with pytest.raises(grpc.aio.AioRpcError) as denied:
        await stub.HeartbeatStream(iter([cluster_pb2.HeartbeatRequest(node_id="n2")])).read()
    assert denied.value.code() is grpc.StatusCode.PERMISSION_DENIED


@pytest.mark.parametrize("bind", [False])
async def test_without_binding_any_certificate_of_the_authority_will_do(channel_of_n1: grpc.aio.Channel) -> None:
    stub: Any = cluster_pb2_grpc.ClusterServiceStub(channel_of_n1)
    assert (await stub.RegisterNode(register("n2"))).success
