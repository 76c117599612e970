"""The registry behind the Python rivals: a dict, as a first version of such a server would have it."""

from __future__ import annotations

import time

from laura_fast.pb.lauradb.cluster import cluster_pb2 as pb


class UnknownNodeError(LookupError):
    """The beat of a node that never registered; each server answers it NOT_FOUND."""


class Registry:
    """Who is in the cluster. Not thread-safe; the threaded server brings its own lock."""

    def __init__(self, *, always_topology: bool) -> None:
        self._always_topology = always_topology
        self._nodes: dict[str, pb.Node] = {}
        self._told: dict[str, int] = {}
        self._seen: dict[str, float] = {}
        self._version = 1
        self._topology = pb.ClusterTopology(version=1)

    def register(self, request: pb.NodeRegistrationRequest) -> pb.NodeRegistrationResponse:
        """Adds the node, or answers that its id is taken."""
        node = request.node
        if node.id in self._nodes:
            return pb.NodeRegistrationResponse(message=f"node {node.id} already registered")
        self._nodes[node.id] = node
        self._version += 1
        answer = pb.NodeRegistrationResponse(success=True, message="registered")
        if not request.omit_members:
            topology = self.topology()
            answer.cluster_nodes.extend(topology.nodes)
            answer.topology.CopyFrom(topology)
        return answer

    def deregister(self, request: pb.NodeDeregistrationRequest) -> pb.NodeDeregistrationResponse:
        """Forgets the node, or answers that there is none."""
        if self._nodes.pop(request.node_id, None) is None:
            return pb.NodeDeregistrationResponse(message=f"node {request.node_id} not found")
        self._version += 1
        return pb.NodeDeregistrationResponse(success=True, message="deregistered")

    def heartbeat(self, request: pb.HeartbeatRequest) -> pb.HeartbeatResponse:
        """Notes that the node is alive.

        Raises:
            UnknownNodeError: The node is not registered.
        """
        node_id = request.node_id
        if node_id not in self._nodes:
            raise UnknownNodeError(f"node {node_id} not registered")
        self._seen[node_id] = time.monotonic()
        answer = pb.HeartbeatResponse(ack=True, timestamp=time.time_ns() // 1_000_000)
        if self._wants_topology(request):
            answer.topology.CopyFrom(self.topology())
            self._told[node_id] = self._version
        return answer

    def topology(self) -> pb.ClusterTopology:
        """The current topology, nodes sorted by id; built anew only after a registration."""
        if self._topology.version != self._version:
            nodes = [self._nodes[name] for name in sorted(self._nodes)]
            self._topology = pb.ClusterTopology(version=self._version, nodes=nodes)
        return self._topology

    def _wants_topology(self, request: pb.HeartbeatRequest) -> bool:
        if self._always_topology:
            return True
        if request.HasField("known_topology_version"):
            return request.known_topology_version < self._version
        return self._told.get(request.node_id, 0) < self._version
