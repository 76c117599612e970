"""`laura.fast.v1.MembershipService`: heartbeats on one stream, and the topology pushed."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING

from laura_fast.services import nodes
from laura_fast.services.binding import unparsed
from laura_fast.services.cluster import BeatReader
from laura_fast.services.exchange import exchange
from laura_fast.services.idle import IdleLimit

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from laura_fast.node.membership import Membership
    from laura_fast.node.ports import Clock
    from laura_fast.pb.laura.fast.v1 import membership_pb2
    from laura_fast.services.binding import Context
    from laura_fast.services.endless import EndlessStreams
    from laura_fast.transport.marks import End


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
        self.idle_s = idle_s
        self.endless = endless
        self.beats = BeatReader(membership, clock, require_identity)

    @property
    def beats_taken(self) -> int:
        """Heartbeats acknowledged since the start."""
        return self.beats.taken

    @exchange
    @unparsed
    def HeartbeatStream(self, context: Context, end: End) -> BeatExchange:  # noqa: N802 - the RPC's name
        self.endless.add(end)
        return BeatExchange(self, context, end)

    async def WatchTopology(  # noqa: N802 - the RPC's name
        self,
        request: membership_pb2.WatchTopologyRequest,
        context: Context,  # noqa: ARG002 - the form of every behaviour
    ) -> AsyncIterator[bytes]:
        async with aclosing(self._membership.watch(request.from_version)) as watch:
            async for news in watch:
                yield nodes.topology_event(news)


class BeatExchange:
    """One stream of heartbeats."""

    __slots__ = ("_answer", "_context", "_end", "_endless", "_idle")

    def __init__(self, servicer: MembershipServicer, context: Context, end: End) -> None:
        self._context = context
        self._end = end
        self._endless = servicer.endless
        self._answer = servicer.beats.answer
        self._idle = IdleLimit(servicer.idle_s, end)

    def answer(self, request: bytes) -> bytes:
        """As the unary method answers."""
        self._idle.heard()
        return self._answer(request, self._context)

    def close(self) -> None:
        """The stream is over."""
        self._endless.discard(self._end)
        self._idle.close()
