"""A population of registered nodes, grown and shrunk over the network."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, cast

from bench import data
from laura_fast.pb.lauradb.cluster import cluster_pb2

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    import grpc

    RawCall = Callable[[bytes], Awaitable[bytes]]

SERVICE = "/lauradb.cluster.ClusterService/"
CALLS_IN_FLIGHT = 64
"""Registrations that share one fsync on the server."""

ACK = b"\x08\x01"
"""`HeartbeatResponse.ack = true`, first on the wire."""
PLAIN_ACK_MAX_BYTES = 9
"""ack (2) and a timestamp of this century (1 + 6): anything longer carries a topology."""


def raw(channel: grpc.aio.Channel, method: str) -> RawCall:
    """A unary call of ClusterService on bytes: the client's protobuf is not what is measured."""
    return cast("RawCall", channel.unary_unary(SERVICE + method))


def is_plain_ack(answer: bytes) -> bool:
    """An acknowledged beat without a topology."""
    return answer.startswith(ACK) and len(answer) <= PLAIN_ACK_MAX_BYTES


def is_ack_with_topology(answer: bytes) -> bool:
    """An acknowledged beat that carries a topology."""
    return answer.startswith(ACK) and len(answer) > PLAIN_ACK_MAX_BYTES


class Population:
    """The registered nodes of one server, always the first `size` of the seed's stream."""

    def __init__(self, channel: grpc.aio.Channel, capacity: int) -> None:
        self.everyone = data.nodes(capacity)
        self.size = 0
        self.version = 0
        self._register = raw(channel, "RegisterNode")
        self._deregister = raw(channel, "DeregisterNode")
        self._topology = raw(channel, "GetTopology")

    @property
    def members(self) -> Sequence[data.NodeData]:
        """The registered nodes."""
        return self.everyone[: self.size]

    async def resize(self, size: int) -> None:
        """Registers or deregisters until `size` nodes are in, then notes the topology's version.

        Raises:
            AssertionError: The server refused a node, or its topology has another number of nodes.
        """
        await _in_parallel(self._join, self.everyone[self.size : size])
        await _in_parallel(self._leave, self.everyone[size : self.size])
        await self.recount()
        assert self.size == size

    async def recount(self) -> None:
        """Asks the server for the number of nodes and the topology's version."""
        topology = cluster_pb2.ClusterTopology.FromString(await self._topology(b""))
        self.size, self.version = len(topology.nodes), topology.version

    async def _join(self, node: data.NodeData) -> None:
        request = data.registration(node, omit_members=True)
        answer = cluster_pb2.NodeRegistrationResponse.FromString(await self._register(request.SerializeToString()))
        assert answer.success, answer.message

    async def _leave(self, node: data.NodeData) -> None:
        request = cluster_pb2.NodeDeregistrationRequest(node_id=node.id, reason="benchmark")
        answer = cluster_pb2.NodeDeregistrationResponse.FromString(await self._deregister(request.SerializeToString()))
        assert answer.success, answer.message

    def beats(self, *, know_version: bool = True) -> list[bytes]:
        """One encoded heartbeat of every member."""
        known = self.version if know_version else None
        return [data.beat(node, known_version=known).SerializeToString() for node in self.members]


async def _in_parallel(work: Callable[[data.NodeData], Awaitable[Any]], items: Sequence[data.NodeData]) -> None:
    """Runs `work` on every item, `CALLS_IN_FLIGHT` at a time."""
    waiting = iter(items)

    async def worker() -> None:
        for item in waiting:
            await work(item)

    await asyncio.gather(*(worker() for _ in range(min(CALLS_IN_FLIGHT, len(items)))))
