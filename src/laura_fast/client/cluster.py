"""`ClusterClient`: the calls that a node, an application or an operator makes to a cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from laura_fast.client.addresses import parse_seeds
from laura_fast.client.channel import open_channel
from laura_fast.client.link import Link
from laura_fast.client.links import Links
from laura_fast.client.registration import accepted, registration
from laura_fast.client.retry import Caller, RetryPolicy, RetryScheduled
from laura_fast.client.session import MemberOptions, MemberSession
from laura_fast.client.timing import Timing
from laura_fast.client.topology import Topology
from laura_fast.client.watch import watch_topology
from laura_fast.errors import RefusedError
from laura_fast.pb.laura.fast.v1 import admin_pb2, admin_pb2_grpc
from laura_fast.pb.lauradb.cluster import cluster_pb2, cluster_pb2_grpc

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Sequence
    from typing import Self

    import grpc

    from laura_fast.client.channel import ClientTls, OpenChannel

DEFAULT_TIMEOUT_S: Final = 10.0
LONGEST_POLL_S: Final = 20.0
"""Below the 30 s after which a server ends a unary call by default."""
POLL_SLACK_S: Final = 2.0
"""What a long-poll's call may take beyond the wait it asked for."""


class ClusterClient:
    """Talks to a cluster through whichever of its servers answers.

    Every method retries within its `timeout_s`, with jittered back-off, over all seeds; None waits for ever. Methods
    raise `UnreachableError` when no server answered in time and `RemoteError` when one answered with a status that
    a repetition would not change.

    Args:
        seeds: Servers, ``host:port``; the first that answers is kept until it fails.
        tls: Trust and identity; None = plain text.
        policy: Pace of the retries.
        on_retry: Hears of each failed pass that is followed by another.
        open_channel: Makes the channels; see `client.channel`.
        timing: Clock, sleep and dice.

    Raises:
        ConfigError: Seeds that can't be read.
        TlsMaterialError: TLS files that can't be used.
    """

    def __init__(
        self,
        seeds: str | Sequence[str],
        *,
        tls: ClientTls | None = None,
        policy: RetryPolicy | None = None,
        on_retry: Callable[[RetryScheduled], None] = lambda _: None,
        open_channel: OpenChannel = open_channel,
        timing: Timing | None = None,
    ) -> None:
        self.seeds = parse_seeds(seeds)
        self.timing = timing or Timing()
        self.policy = policy or RetryPolicy()
        self._links = Links(self.seeds, lambda address: Link(address, tls, open_channel))
        self.caller = Caller(self._links, self.policy, self.timing, on_retry)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Ends all connections; calls in flight fail."""
        await self._links.close()

    @property
    def address(self) -> str:
        """The server that answered last."""
        return self.caller.link.address

    async def register(
        self, node: cluster_pb2.Node, *, take_over: bool = False, timeout_s: float | None = DEFAULT_TIMEOUT_S
    ) -> cluster_pb2.NodeRegistrationResponse:
        """Makes `node` a member; durable when it returns.

        With `take_over`, a live entry of the same id *and address* is replaced: what a restarted process needs, and
        what makes a repeated registration whose first answer was lost succeed.

        Raises:
            RefusedError: The id belongs to another live node, or the node is malformed.
        """
        answer = await self.caller.until(registration(node, self.seeds, take_over=take_over), timeout_s)
        return accepted(node, answer, take_over=take_over)

    async def deregister(self, node_id: str, reason: str = "", *, timeout_s: float | None = DEFAULT_TIMEOUT_S) -> str:
        """Takes a node out of the cluster; answers the server's remarks.

        Raises:
            RefusedError: There is no such node.
        """
        request = cluster_pb2.NodeDeregistrationRequest(node_id=node_id, reason=reason)

        async def call(channel: grpc.aio.Channel, seconds: float) -> cluster_pb2.NodeDeregistrationResponse:
            return await cluster_pb2_grpc.ClusterServiceStub(channel).DeregisterNode(request, timeout=seconds)

        answer = await self.caller.until(call, timeout_s)
        if not answer.success:
            raise RefusedError(answer.message)
        return answer.message

    async def topology(self, *, timeout_s: float | None = DEFAULT_TIMEOUT_S) -> Topology:
        """The cluster now."""
        return Topology.from_message(await self._get_topology(0, 0.0, timeout_s))

    async def wait_newer(self, version: int, timeout_s: float) -> Topology | None:
        """The first version after `version`, or None when none came in time.

        A server whose version is lower (it lost its data) answers at once with what it has.
        """
        deadline = self.timing.monotonic() + timeout_s
        while (remaining := deadline - self.timing.monotonic()) > 0:
            asked = self.timing.monotonic()
            wait_s = min(remaining, LONGEST_POLL_S)
            answer = await self._get_topology(version, wait_s, remaining + POLL_SLACK_S)
            if answer.version:
                return Topology.from_message(answer)
            if self.timing.monotonic() - asked < wait_s / 2:  # a server that knows no long poll answers at once
                await self.timing.sleep(min(1.0, remaining))
        return None

    def watch(self, known: Topology | None = None) -> AsyncGenerator[Topology]:
        """Each version of the cluster from now on, beginning with the current one (or with the first after `known`).

        Never ends by itself: it reconnects and goes on where it was, and one version may then stand for several.
        """
        return watch_topology(self, known or Topology())

    async def status(self, *, timeout_s: float | None = DEFAULT_TIMEOUT_S) -> admin_pb2.GetClusterStatusResponse:
        """What one server knows of every member: state, last beat, resources, lag."""

        async def call(channel: grpc.aio.Channel, seconds: float) -> admin_pb2.GetClusterStatusResponse:
            request = admin_pb2.GetClusterStatusRequest()
            return await admin_pb2_grpc.AdminServiceStub(channel).GetClusterStatus(request, timeout=seconds)

        return await self.caller.until(call, timeout_s)

    def member(
        self,
        node: cluster_pb2.Node,
        *,
        status: Callable[[], cluster_pb2.NodeStatus] | None = None,
        options: MemberOptions | None = None,
    ) -> MemberSession:
        """A membership to be held with ``async with``: registered on entry, beating inside, deregistered on exit."""
        return MemberSession(self, node, status, options or MemberOptions())

    async def _get_topology(
        self, min_version: int, wait_s: float, timeout_s: float | None
    ) -> cluster_pb2.ClusterTopology:
        request = cluster_pb2.GetTopologyRequest(min_version=min_version, wait_ms=int(wait_s * 1000))

        async def call(channel: grpc.aio.Channel, seconds: float) -> cluster_pb2.ClusterTopology:
            stub = cluster_pb2_grpc.ClusterServiceStub(channel)
            return await stub.GetTopology(request, timeout=max(seconds, wait_s + POLL_SLACK_S) if wait_s else seconds)

        return await self.caller.until(call, timeout_s)
