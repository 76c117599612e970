"""One client of the soak: a random mix of every call of the cluster services until it is killed.

Started as a process by `soak`, so that it can be killed with SIGKILL in the middle of whatever it does.
"""

from __future__ import annotations

import asyncio
import random
import sys
from typing import TYPE_CHECKING, Any

import grpc
import uvloop

from laura_fast.pb.laura.fast.v1 import membership_pb2, membership_pb2_grpc
from laura_fast.pb.lauradb.cluster import cluster_pb2, cluster_pb2_grpc

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

TASKS = 8
NODES = 512
"""Ids that all clients share: the dead leave theirs behind, so an id of one's own each would fill the cluster."""
PAUSE_S = 0.002
TOLERATED = {grpc.StatusCode.NOT_FOUND, grpc.StatusCode.CANCELLED, grpc.StatusCode.DEADLINE_EXCEEDED}
"""Answers that a node which another task just deregistered, or an impatient caller, is meant to get."""

LOCAL_RACE = "execute_batch"
"""grpc.aio's own error, with no answer of the server in it: it wrote to a stream that had just been ended."""


class Client:
    """One channel and dice."""

    def __init__(self, channel: grpc.aio.Channel, seed: int) -> None:
        self._dice = random.Random(seed)
        self._cluster: Any = cluster_pb2_grpc.ClusterServiceStub(channel)
        self._membership: Any = membership_pb2_grpc.MembershipServiceStub(channel)

    async def live(self) -> None:
        """Never returns; raises on an answer that no caller should get."""
        steps = [self._register, self._beat, self._beat, self._beat, self._poll, self._stream, self._watch, self._leave]
        while True:
            try:
                await self._dice.choice(steps)(f"soak-{self._dice.randrange(NODES)}")
            except grpc.aio.AioRpcError as error:
                if error.code() not in TOLERATED and LOCAL_RACE not in (error.debug_error_string() or ""):
                    raise
            await asyncio.sleep(self._dice.random() * PAUSE_S)

    async def _register(self, node_id: str) -> None:
        node = cluster_pb2.Node(id=node_id, host="127.0.0.1", port=self._dice.randrange(1, 65536))
        await self._cluster.RegisterNode(cluster_pb2.NodeRegistrationRequest(node=node), timeout=5)

    async def _beat(self, node_id: str) -> None:
        for _ in range(20):
            await self._cluster.Heartbeat(cluster_pb2.HeartbeatRequest(node_id=node_id), timeout=5)

    async def _poll(self, _node_id: str) -> None:
        current = await self._cluster.GetTopology(cluster_pb2.GetTopologyRequest(), timeout=5)
        request = cluster_pb2.GetTopologyRequest(min_version=current.version, wait_ms=50)
        await self._cluster.GetTopology(request, timeout=5)

    async def _leave(self, node_id: str) -> None:
        await self._cluster.DeregisterNode(cluster_pb2.NodeDeregistrationRequest(node_id=node_id), timeout=5)

    async def _stream(self, node_id: str) -> None:
        async def beats() -> AsyncIterator[cluster_pb2.HeartbeatRequest]:
            for _beat in range(self._dice.randrange(1, 50)):
                yield cluster_pb2.HeartbeatRequest(node_id=node_id)

        async for _answer in self._membership.HeartbeatStream(beats(), timeout=5):
            pass

    async def _watch(self, _node_id: str) -> None:
        """Cancels after a few events, or lets a short deadline do it."""
        call = self._membership.WatchTopology(membership_pb2.WatchTopologyRequest(), timeout=0.5)
        for _ in range(self._dice.randrange(1, 5)):
            await call.read()
        call.cancel()


async def main(address: str, seed: int) -> None:
    """Runs until killed."""
    async with grpc.aio.insecure_channel(address) as channel, asyncio.TaskGroup() as group:
        for number in range(TASKS):
            group.create_task(Client(channel, seed * TASKS + number).live())


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1], int(sys.argv[2])))
