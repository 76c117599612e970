"""What a client knows of a replica set's members: asked for now and then, and how long each takes to answer."""

from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING, Final

from laura_fast.client.documents.selection import Member, suitable
from laura_fast.errors import ClientError, Code, RemoteError
from laura_fast.pb.laura.fast.v1 import replica_set_pb2 as pb
from laura_fast.pb.laura.fast.v1.replica_set_pb2_grpc import ReplicaSetServiceStub

if TYPE_CHECKING:
    import grpc

    from laura_fast.client.cluster import ClusterClient
    from laura_fast.client.documents.reading import Reading

REFRESH_S: Final = 10.0
"""MongoDB's `heartbeatFrequencyMS`."""
WEIGHT: Final = 0.2
"""Of the newest round trip in the average ("Server Selection", "Round Trip Times and the Latency Window")."""
ANSWER_S: Final = 1.0
"""A member that takes longer to say how the set is counts as far away."""
_ALONE: Final = frozenset({Code.UNIMPLEMENTED, Code.FAILED_PRECONDITION})


class Members:
    """The members of one set. Belongs to one event loop."""

    def __init__(self, cluster: ClusterClient) -> None:
        self._cluster = cluster
        self._members: list[Member] = []
        self._fresh_until = -math.inf
        self._refreshing: asyncio.Task[None] | None = None

    async def suitable(self, reading: Reading) -> list[str]:
        """Addresses to try; all that are known where none is suitable, as they say best why not.

        Raises:
            UnreachableError: Nobody says who is in the set.
        """
        if self._cluster.timing.monotonic() >= self._fresh_until:
            if self._refreshing is None:
                self._refreshing = asyncio.create_task(self._refresh())
            await asyncio.shield(self._refreshing)
        found = suitable(self._members, reading, self._cluster.timing.random)
        return found or [member.address for member in self._members] or list(self._cluster.seeds)

    def doubt(self) -> None:
        """A member did not do what was expected of it: ask again before the next read."""
        self._fresh_until = -math.inf

    async def _refresh(self) -> None:
        try:
            state = await self._state()
            shown = [one for one in state.members if not one.member.arbiter]
            known = {member.address: member.round_trip_s for member in self._members}
            took = await asyncio.gather(*(self._round_trip(one.member.address) for one in shown))
            self._members = [
                Member(
                    one.member.address,
                    one.member.id == state.primary_id,
                    dict(one.member.tags),
                    _smoothed(known.get(one.member.address, math.inf), seconds),
                )
                for one, seconds in zip(shown, took, strict=True)
            ]
            self._fresh_until = self._cluster.timing.monotonic() + REFRESH_S
        finally:
            self._refreshing = None

    async def _state(self) -> pb.ReplicaSetState:
        try:
            return await self._cluster.caller.once(_ask)
        except RemoteError as error:
            if error.code in _ALONE:
                return pb.ReplicaSetState()  # a server without a set is all there is
            raise

    async def _round_trip(self, address: str) -> float:
        began = self._cluster.timing.monotonic()
        try:
            await self._cluster.caller.once(_ask, ANSWER_S, [address])
        except ClientError:
            return math.inf
        return self._cluster.timing.monotonic() - began


async def _ask(channel: grpc.aio.Channel, seconds: float) -> pb.ReplicaSetState:
    answer: pb.ReplicaSetState = await ReplicaSetServiceStub(channel).GetReplicaSet(
        pb.GetReplicaSetRequest(), timeout=seconds
    )
    return answer


def _smoothed(before: float, now: float) -> float:
    """Exponentially weighted; what did not answer, or comes back, counts as it is now."""
    if math.isinf(before) or math.isinf(now):
        return now
    return before + WEIGHT * (now - before)
