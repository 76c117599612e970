"""Rival: the generated servicer on grpc.aio and the standard event loop, as the gRPC tutorial has it."""

from __future__ import annotations

import asyncio
from typing import Any, NoReturn

import grpc.aio

from bench.rivals.servers.arguments import Arguments, announce, parse
from bench.rivals.servers.registry import Registry, UnknownNodeError
from laura_fast.pb.lauradb.cluster import cluster_pb2 as pb
from laura_fast.pb.lauradb.cluster import cluster_pb2_grpc as rpc

# The method names are those of the contract.
# ruff: noqa: N802


class ClusterService(rpc.ClusterServiceServicer):
    """The contract's methods over one registry; the event loop is the lock."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    async def RegisterNode(self, request: pb.NodeRegistrationRequest, _context: Any) -> pb.NodeRegistrationResponse:
        """Adds a node."""
        return self._registry.register(request)

    async def DeregisterNode(
        self, request: pb.NodeDeregistrationRequest, _context: Any
    ) -> pb.NodeDeregistrationResponse:
        """Removes a node."""
        return self._registry.deregister(request)

    async def Heartbeat(self, request: pb.HeartbeatRequest, context: Any) -> pb.HeartbeatResponse:
        """Notes a beat."""
        try:
            return self._registry.heartbeat(request)
        except UnknownNodeError as error:
            await context.abort(grpc.StatusCode.NOT_FOUND, str(error))
            raise  # abort has raised already; it is only typed as if it returned

    async def GetTopology(self, _request: pb.GetTopologyRequest, _context: Any) -> pb.ClusterTopology:
        """The members."""
        return self._registry.topology()


async def serve(arguments: Arguments) -> NoReturn:
    """Serves until the process is killed."""
    server = grpc.aio.server()
    registry = Registry(always_topology=arguments.topology == "always")
    rpc.add_ClusterServiceServicer_to_server(ClusterService(registry), server)
    port = server.add_insecure_port(f"127.0.0.1:{arguments.port}")
    await server.start()
    announce(arguments.ready_file, port)
    await server.wait_for_termination()
    raise SystemExit


if __name__ == "__main__":
    asyncio.run(serve(parse(__doc__)))
