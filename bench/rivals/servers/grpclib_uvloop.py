"""Rival: grpclib (pure Python HTTP/2 by h2) on uvloop."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any

import uvloop
from grpclib.const import Cardinality, Handler, Status
from grpclib.exceptions import GRPCError
from grpclib.server import Server

from bench.rivals.servers.arguments import Arguments, announce, parse
from bench.rivals.servers.registry import Registry, UnknownNodeError
from laura_fast.pb.lauradb.cluster import cluster_pb2 as pb

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

SERVICE = "/lauradb.cluster.ClusterService/"


class ClusterService:
    """The contract's methods; `__mapping__` is what grpclib's code generator would have written."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def __mapping__(self) -> dict[str, Handler]:
        return {
            SERVICE + "RegisterNode": unary(self.register, pb.NodeRegistrationRequest, pb.NodeRegistrationResponse),
            SERVICE + "DeregisterNode": unary(
                self.deregister, pb.NodeDeregistrationRequest, pb.NodeDeregistrationResponse
            ),
            SERVICE + "Heartbeat": unary(self.heartbeat, pb.HeartbeatRequest, pb.HeartbeatResponse),
            SERVICE + "GetTopology": unary(self.topology, pb.GetTopologyRequest, pb.ClusterTopology),
        }

    async def register(self, stream: Any) -> None:
        """Adds a node."""
        await stream.send_message(self._registry.register(await stream.recv_message()))

    async def deregister(self, stream: Any) -> None:
        """Removes a node."""
        await stream.send_message(self._registry.deregister(await stream.recv_message()))

    async def heartbeat(self, stream: Any) -> None:
        """Notes a beat."""
        request = await stream.recv_message()
        try:
            answer = self._registry.heartbeat(request)
        except UnknownNodeError as error:
            raise GRPCError(Status.NOT_FOUND, str(error)) from error
        await stream.send_message(answer)

    async def topology(self, stream: Any) -> None:
        """The members."""
        await stream.recv_message()
        await stream.send_message(self._registry.topology())


def unary(method: Callable[[Any], Awaitable[None]], request: type, response: type) -> Handler:
    """One row of the mapping."""
    return Handler(method, Cardinality.UNARY_UNARY, request, response)


async def serve(arguments: Arguments) -> None:
    """Serves until the process is killed."""
    server = Server([ClusterService(Registry(always_topology=arguments.topology == "always"))])
    # grpclib doesn't tell which port it got, so the socket is made here.
    listener = socket.create_server(("127.0.0.1", arguments.port))
    await server.start(sock=listener)
    announce(arguments.ready_file, listener.getsockname()[1])
    await server.wait_closed()


if __name__ == "__main__":
    uvloop.run(serve(parse(__doc__)))
