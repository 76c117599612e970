"""`laura.fast.v1.MembershipService`: heartbeats on one stream, and the topology pushed."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING

from laura_fast.services import nodes
from laura_fast.services.cluster import BeatReader
from laura_fast.services.idle import IdleGuard

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from laura_fast.node.membership import Membership
    from laura_fast.node.ports import Clock
    from laura_fast.pb.laura.fast.v1 import membership_pb2
    from laura_fast.pb.lauradb.cluster import cluster_pb2
    from laura_fast.services.binding import Context
    from laura_fast.services.endless import EndlessStreams


class MembershipServicer:
    """Answers both streams from membership."""

    def __init__(
        self,
        membership: Membership,
        clock: Clock,
        *,
        idle_s: float,
        require_identity: Callable[[Context, str], None],
        endless: EndlessStreams,
    ) -> None:
        """Prepares.

        Args:
            membership: The members.
            clock: Tells the server's time.
            idle_s: A heartbeat stream that brings no beat for so long is ended.
            require_identity: Raises PermissionDeniedError if the caller may not speak for a node id.
            endless: Ends the heartbeat streams of a stopping server.
        """
        self._membership = membership
        self._idle_s = idle_s
        self._require_identity = require_identity
        self._endless = endless
        self._beats = BeatReader(membership, clock)

    @property
    def beats_taken(self) -> int:
        """Heartbeats acknowledged since the start."""
        return self._beats.taken

    async def HeartbeatStream(  # noqa: N802 - the RPC's name
        self, requests: AsyncIterator[cluster_pb2.HeartbeatRequest], context: Context
    ) -> AsyncIterator[bytes]:
        with self._endless.running(), IdleGuard(requests, self._idle_s) as beats:
            async for request in beats:
                self._require_identity(context, request.node_id)
                yield self._beats.answer(request)
                self._membership.refuse_when_draining()

    async def WatchTopology(  # noqa: N802 - the RPC's name
        self,
        request: membership_pb2.WatchTopologyRequest,
        context: Context,  # noqa: ARG002 - the form of every behaviour
    ) -> AsyncIterator[bytes]:
        async with aclosing(self._membership.watch(request.from_version)) as watch:
            async for news in watch:
                yield nodes.topology_event(news)
