"""A membership that is held: registered, beating, and registered again when the cluster forgot it.

::

    REGISTERED   -- beat acknowledged, or not answered at all --> REGISTERED
    REGISTERED   -- beat answered NOT_FOUND ------------------>   FORGOTTEN
    FORGOTTEN    -- registered without take-over ------------->   REGISTERED
    FORGOTTEN    -- refused for longer than the patience ----->   LOST

A node that is SUSPECT or DOWN only has to beat. A node that was forgotten registers *without* take-over: two processes
that run under one id would take it from each other for ever. A refusal is waited out, because an entry of our own whose
confirmation was lost becomes SUSPECT when nobody beats for it, and may then be taken.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from laura_fast.client.explain import explain
from laura_fast.client.registration import accepted, registration
from laura_fast.client.topology import Topology
from laura_fast.errors import ClientError, Code, ConfigError, RefusedError, RemoteError, UnreachableError
from laura_fast.observability import log
from laura_fast.pb.lauradb.cluster import cluster_pb2 as pb
from laura_fast.pb.lauradb.cluster.cluster_pb2_grpc import ClusterServiceStub

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Self

    import grpc

    from laura_fast.client.cluster import ClusterClient

_log = log.get("laura_fast.member")

JITTER: Final = 0.1
"""Beats are spread by a tenth of the interval either way, so that clients started together drift apart."""
SHORTEST_BEAT_TIMEOUT_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class MemberOptions:
    """How a membership is held. Times are seconds.

    Attributes:
        interval_s: Time between beats; above a third of the server's suspect-after time the node flaps.
        take_over: Replace a live entry of the same id and address when joining: right for a restarted process.
        join_timeout_s: Time to register at first; None = until it succeeds.
        patience_s: How long a forgotten node waits for its id to be free. Must be longer than the server's
            suspect-after time.
        leave_timeout_s: Time to deregister at exit; the node is DOWN instead of gone where it fails.
        leave_reason: Reason given when deregistering.
    """

    interval_s: float = 1.0
    take_over: bool = True
    join_timeout_s: float | None = None
    patience_s: float = 15.0
    leave_timeout_s: float = 5.0
    leave_reason: str = "graceful stop"

    def __post_init__(self) -> None:
        if self.interval_s <= 0:
            raise ConfigError(f"heartbeat interval {self.interval_s} s: must be above 0")

    def first_delay_s(self, dice: float) -> float:
        """Anywhere in the first interval: thousands of nodes that join a restarted server don't beat at one instant."""
        return self.interval_s * dice

    def next_delay_s(self, failures: int, base_s: float, dice: float) -> float:
        """One interval with jitter; after failures a back-off that begins at `base_s`.

        The back-off's mean ends at one interval, so that a server that comes back meets the rate it is used to.
        """
        if not failures:
            return self.interval_s * (1 + JITTER * (2 * dice - 1))
        return 2 * dice * min(self.interval_s, base_s * 2.0 ** min(failures - 1, 62))


class MemberSession:
    """One node's membership. Made by `ClusterClient.member`.

    Attributes:
        node: What is registered.
        incarnation: Number of this registration; 0 at servers that don't count them.
        topology: The newest version that a registration or a beat brought.
    """

    def __init__(
        self,
        client: ClusterClient,
        node: pb.Node,
        status: Callable[[], pb.NodeStatus] | None,
        options: MemberOptions,
    ) -> None:
        self.node = node
        self.incarnation = 0
        self.topology = Topology()
        self._client = client
        self._status = status or (lambda: pb.NodeStatus(role=node.role))
        self._options = options
        self._timing = client.timing
        self._failures = 0
        self._forgotten_since: float | None = None
        self._beating: asyncio.Task[None] | None = None
        self._log = _log.bind(node_id=node.id)

    async def __aenter__(self) -> Self:
        """Registers.

        Raises:
            RefusedError: The id belongs to another live node, or the node is malformed.
            UnreachableError: No server answered within the join time.
        """
        take_over = self._options.take_over
        call = registration(self.node, self._client.seeds, take_over=take_over)
        answer = await self._client.caller.until(call, self._options.join_timeout_s)
        self._registered(accepted(self.node, answer, take_over=take_over))
        self._beating = asyncio.create_task(self._beat_until_lost(), name=f"heartbeat {self.node.id}")
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stops beating and deregisters; a failure is logged, not raised."""
        if self._beating is None:
            return
        lost = self._beating.done()
        self._beating.cancel()
        await asyncio.gather(self._beating, return_exceptions=True)
        if not lost:  # the id is somebody else's now: taking it out of the cluster would hit them
            await self._leave()

    async def wait_lost(self) -> None:
        """Returns never while the membership stands.

        Raises:
            RefusedError: The id belongs to somebody else now.
        """
        if self._beating is None:
            raise RuntimeError("the membership is not entered")
        await asyncio.shield(self._beating)

    async def _beat_until_lost(self) -> None:
        delay = self._options.first_delay_s(self._timing.random())
        while True:
            await self._timing.sleep(delay)
            began = self._timing.monotonic()
            retry_after_s = await self._step()
            base_s = self._client.policy.base_s
            pause = self._options.next_delay_s(self._failures, base_s, self._timing.random())
            delay = max(0.0, retry_after_s, began + pause - self._timing.monotonic())

    async def _step(self) -> float:
        """One beat, or one registration where the cluster forgot us; answers the wait that a server asked for."""
        try:
            await (self._beat() if self._forgotten_since is None else self._register_again())
        except UnreachableError as error:
            self._failed(error)
            return max(failure.retry_after_s or 0.0 for failure in error.failures)
        except RemoteError as error:
            if error.code is Code.NOT_FOUND:
                self._forgotten(error)
            else:
                self._failed(error)
        return 0.0

    async def _beat(self) -> None:
        request = pb.HeartbeatRequest(
            node_id=self.node.id,
            timestamp=self._timing.wall_ms(),
            status=self._status(),
            known_topology_version=self.topology.version,
            incarnation=self.incarnation,
        )

        async def call(channel: grpc.aio.Channel, seconds: float) -> pb.HeartbeatResponse:
            return await ClusterServiceStub(channel).Heartbeat(request, timeout=seconds)

        answer = await self._client.caller.once(call, self._beat_timeout_s)
        if answer.HasField("topology"):
            self.topology = Topology.from_message(answer.topology)
        self._answered()

    async def _register_again(self) -> None:
        call = registration(self.node, self._client.seeds, take_over=False)
        answer = await self._client.caller.once(call, self._beat_timeout_s)
        try:
            self._registered(accepted(self.node, answer, take_over=False))
        except RefusedError as error:
            waited = self._timing.monotonic() - (self._forgotten_since or 0.0)
            if waited >= self._options.patience_s:
                self._log.error("membership_lost", error=str(error))
                raise RefusedError(f"another process took node {self.node.id} over: {error}") from error

    @property
    def _beat_timeout_s(self) -> float:
        return min(self._client.policy.attempt_timeout_s, max(SHORTEST_BEAT_TIMEOUT_S, self._options.interval_s))

    def _registered(self, answer: pb.NodeRegistrationResponse) -> None:
        self.incarnation = answer.incarnation
        self._forgotten_since = None
        if answer.HasField("topology"):
            self.topology = Topology.from_message(answer.topology)
        self._log.info(
            "member_registered",
            server=self._client.address,
            incarnation=self.incarnation,
            topology_version=self.topology.version,
        )
        self._answered()

    def _forgotten(self, error: RemoteError) -> None:
        self._forgotten_since = self._timing.monotonic()
        self._failures += 1
        self._log.warning("member_forgotten", server=error.address, error=error.message)

    def _failed(self, error: ClientError) -> None:
        if not self._failures:  # one line per outage, not one per beat
            self._log.warning("heartbeat_failed", error=explain(error))
        self._failures += 1

    def _answered(self) -> None:
        if self._failures:
            self._log.info("heartbeat_recovered", server=self._client.address, failures=self._failures)
        self._failures = 0

    async def _leave(self) -> None:
        try:
            reason, timeout_s = self._options.leave_reason, self._options.leave_timeout_s
            message = await self._client.deregister(self.node.id, reason, timeout_s=timeout_s)
        except ClientError as error:
            self._log.warning("deregistration_failed", error=explain(error))
        else:
            self._log.info("member_deregistered", message=message)
