"""The generator's own nodes: registered before the run, deregistered after it."""

from __future__ import annotations

import asyncio
import secrets
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Final, NamedTuple

import grpc

from laura_fast.errors import Code, RefusedError, RemoteError
from laura_fast.limits.rpc import MAX_MESSAGE_BYTES
from laura_fast.load.calls import registration
from laura_fast.pb.lauradb.cluster import cluster_pb2 as pb
from laura_fast.pb.lauradb.cluster.cluster_pb2_grpc import ClusterServiceStub
from laura_fast.transport.native.channel import NativeChannel
from laura_fast.transport.native.channel.options import ChannelOptions

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator

    from laura_fast.pb.lauradb.cluster.cluster_pb2_grpc import ClusterServiceAsyncStub

_FIRST_PORT: Final = 20_000


class Members(NamedTuple):
    """The registered nodes.

    Attributes:
        nodes: As they were registered.
        version: Of the topology that holds them all.
    """

    nodes: list[pb.Node]
    version: int


@asynccontextmanager
async def joined(
    address: str, context: ssl.SSLContext | None, server_name: str, count: int, timeout_s: float
) -> AsyncIterator[Members]:
    """Registers `count` nodes for the length of the block.

    Raises:
        RemoteError: The server did not answer within `timeout_s` seconds, or with a status.
        RefusedError: It did not take a node.
    """
    options = ChannelOptions(connect_s=timeout_s, server_name=server_name, max_receive_bytes=MAX_MESSAGE_BYTES)
    async with NativeChannel(address, options, context, None) as channel:
        stub = ClusterServiceStub(channel)
        nodes = _nodes(count)
        try:
            yield Members(nodes, await _join(stub, address, nodes, timeout_s))
        finally:
            await _leave(stub, nodes, timeout_s)


def _nodes(count: int) -> list[pb.Node]:
    """Their names are of this run alone, so that no other node is taken over."""
    run = secrets.token_hex(4)
    return [
        pb.Node(id=f"load-{run}-{i}", host=f"load-{run}.invalid", port=_FIRST_PORT + i, role=pb.SECONDARY)
        for i in range(count)
    ]


async def _join(stub: ClusterServiceAsyncStub, address: str, nodes: list[pb.Node], timeout_s: float) -> int:
    try:
        answers = [stub.RegisterNode(registration(node), timeout=timeout_s) for node in nodes]
        for answer in await asyncio.gather(*answers):
            if not answer.success:
                raise RefusedError(f"{address}: a node of the generator was refused: {answer.message}")
        topology = await stub.GetTopology(pb.GetTopologyRequest(), timeout=timeout_s)
    except grpc.aio.AioRpcError as error:
        raise RemoteError(address, Code(error.code().value[0]), error.details() or "") from error
    return topology.version


async def _leave(stub: ClusterServiceAsyncStub, nodes: list[pb.Node], timeout_s: float) -> None:
    """As far as the server is still there: what it does not hear of is DOWN soon."""
    requests = [pb.NodeDeregistrationRequest(node_id=node.id, reason="load run over") for node in nodes]
    answers = [stub.DeregisterNode(request, timeout=timeout_s) for request in requests]
    with suppress(grpc.aio.AioRpcError):
        await asyncio.gather(*answers)
