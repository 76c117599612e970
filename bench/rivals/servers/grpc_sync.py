"""Rival: the generated servicer on sync grpcio with its thread pool."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc

from bench.rivals.servers.arguments import Arguments, announce, parse
from bench.rivals.servers.registry import Registry, UnknownNodeError
from laura_fast.pb.lauradb.cluster import cluster_pb2 as pb
from laura_fast.pb.lauradb.cluster import cluster_pb2_grpc as rpc

# The method names are those of the contract.
# ruff: noqa: N802

THREADS = 10
"""What gRPC's own examples use; handlers never block, so more would only contend for the interpreter lock."""


class ClusterService(rpc.ClusterServiceServicer):
    """The contract's methods over one registry and one lock."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._lock = threading.Lock()

    def RegisterNode(self, request: pb.NodeRegistrationRequest, _context: Any) -> pb.NodeRegistrationResponse:
        """Adds a node."""
        with self._lock:
            return self._registry.register(request)

    def DeregisterNode(self, request: pb.NodeDeregistrationRequest, _context: Any) -> pb.NodeDeregistrationResponse:
        """Removes a node."""
        with self._lock:
            return self._registry.deregister(request)

    def Heartbeat(self, request: pb.HeartbeatRequest, context: Any) -> pb.HeartbeatResponse:
        """Notes a beat."""
        try:
            with self._lock:
                return self._registry.heartbeat(request)
        except UnknownNodeError as error:
            context.abort(grpc.StatusCode.NOT_FOUND, str(error))
            raise  # abort has raised already; it is only typed as if it returned

    def GetTopology(self, _request: pb.GetTopologyRequest, _context: Any) -> pb.ClusterTopology:
        """The members."""
        with self._lock:
            return self._registry.topology()


def serve(arguments: Arguments) -> None:
    """Serves until the process is killed."""
    server = grpc.server(ThreadPoolExecutor(max_workers=THREADS))
    registry = Registry(always_topology=arguments.topology == "always")
    rpc.add_ClusterServiceServicer_to_server(ClusterService(registry), server)
    port = server.add_insecure_port(f"127.0.0.1:{arguments.port}")
    server.start()
    announce(arguments.ready_file, port)
    server.wait_for_termination()


if __name__ == "__main__":
    serve(parse(__doc__))
