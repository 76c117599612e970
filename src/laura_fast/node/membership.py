"""Membership: one writer makes versions of the topology, everyone else reads the published one.

Registrations, departures, and what the registry noticed meet in the writer. It takes all that waits, makes one pure
step of it, waits for one commit, publishes, and answers, in that order: what anybody sees is on disk. While a commit
runs the next batch gathers, so a storm of joins shares commits. Heartbeats don't pass here, only to the registry.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, NamedTuple

import structlog

from laura_fast.domain.membership import changes
from laura_fast.domain.membership.validation import usable_seeds
from laura_fast.errors import LauraError, OverloadedError, UnavailableError
from laura_fast.node import records
from laura_fast.node.detector import FailureDetector
from laura_fast.node.feed import TopologyFeed
from laura_fast.node.inbox import Answer, Inbox
from laura_fast.node.registry import Registry
from laura_fast.node.reports import NOTHING
from laura_fast.node.statuses import clock_skews, member_statuses

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Sequence

    from laura_fast.domain.membership.changes import Batch, Outcome
    from laura_fast.domain.membership.topology import TopologyDelta, TopologySnapshot
    from laura_fast.domain.membership.values import (
        Member,
        MemberChanged,
        Observation,
        Registration,
        ReplicaSet,
        Shard,
        Tombstone,
    )
    from laura_fast.metadata.store import MetadataStore
    from laura_fast.node.inbox import Pending
    from laura_fast.node.ports import Clock
    from laura_fast.node.settings import MembershipSettings
    from laura_fast.node.statuses import MemberStatus

log = structlog.get_logger(__name__)


class RegistrationOutcome(NamedTuple):
    """What a node is told that asked to be a member.

    Attributes:
        success: It is a member, and that is on disk.
        message: For its operator.
        member: It, or the holder of its id that made it fail.
        topology: Shows the outcome.
    """

    success: bool
    message: str
    member: Member | None
    topology: TopologySnapshot


class DeregistrationOutcome(NamedTuple):
    """What a node is told that leaves."""

    success: bool
    message: str


class Membership:
    """The members of one cluster. Belongs to one event loop; `registry` may be used from any thread.

    Attributes:
        registry: Liveness.
        observers: Called with each `MemberChanged` after its version was published. They must not block.
        on_seeds: Called with the usable seed addresses of a registration.
        elected_primary: Answers the id that the elections chose, or "".
    """

    def __init__(
        self, store: MetadataStore, clock: Clock, settings: MembershipSettings, encode: Callable[[Member], bytes]
    ) -> None:
        """Prepares; nothing is read before `start`.

        Args:
            store: Where members, tombstones and the version survive.
            clock: Times of beats.
            settings: Intervals and sizes.
            encode: A member as the bytes of `lauradb.cluster.Node`.
        """
        self.observers: list[Callable[[MemberChanged], None]] = []
        self.on_seeds: Callable[[Sequence[str]], None] = lambda _seeds: None
        self.elected_primary: Callable[[], str] = lambda: ""
        self.registry = Registry(settings.stripes, always_attach=settings.heartbeat_topology == "always")
        self._store = store
        self._clock = clock
        self._settings = settings
        self._encode = encode
        self._tombstones: dict[str, Tombstone] = {}
        self._feed = TopologyFeed(self.registry)
        self._inbox = Inbox()
        self._detector = FailureDetector(self.registry, clock, settings)
        self._tasks: list[asyncio.Task[None]] = []
        self._storage_failed = False

    @property
    def topology(self) -> TopologySnapshot:
        """The published topology."""
        return self.registry.topology

    @property
    def watchers(self) -> int:
        """How many follow the topology now."""
        return self._feed.watchers

    async def start(self) -> None:
        """Restores what was committed and begins to detect failures. Every member gets its full time to beat."""
        restored = records.restore(self._store, self._encode)
        self._tombstones = restored.tombstones
        self.registry.publish(restored.topology)
        self._detector = FailureDetector(self.registry, self._clock, self._settings)
        for member in restored.topology.members:
            self._detector.expect(member)
        self._tasks = [asyncio.create_task(self._write()), asyncio.create_task(self._detect())]
        for task in self._tasks:
            task.add_done_callback(self._report_death)

    def drain(self) -> None:
        """Ends what waits for news: long polls answer, watchers are told to go elsewhere. For a graceful stop."""
        self._feed.drain()

    async def stop(self) -> None:
        """Takes no more changes, commits those that were taken, and ends the tasks. Twice is fine."""
        self.drain()
        self._inbox.close()
        writer_and_detector, self._tasks = self._tasks, []
        for task in writer_and_detector[1:]:
            task.cancel()
        await asyncio.gather(*writer_and_detector, return_exceptions=True)

    async def register(self, registration: Registration, seeds: Sequence[str] = ()) -> RegistrationOutcome:
        """Makes a node a member; durable when it returns.

        Raises:
            OverloadedError: The cluster is full, or too many changes wait.
            UnavailableError: The change could not be made durable, or the server is stopping.
        """
        answer = await self._inbox.put(changes.Join(registration))
        accepted, message, member, full = answer.outcome
        if full:
            raise OverloadedError(message, "CLUSTER_FULL")
        if accepted and (usable := usable_seeds(seeds)):
            self.on_seeds(usable)
        return RegistrationOutcome(accepted, message, member, answer.topology)

    async def deregister(self, node_id: str, reason: str) -> DeregistrationOutcome:
        """Lets a node leave for good; durable when it returns. Raises as `register`."""
        answer = await self._inbox.put(changes.Leave(node_id, reason, self._clock.wall_ms()))
        return DeregistrationOutcome(answer.outcome.accepted, answer.outcome.message)

    async def place(self, replica_sets: tuple[ReplicaSet, ...], shards: tuple[Shard, ...]) -> None:
        """Publishes who holds what data. Its owner keeps it durable and places it again after a restart."""
        await self._inbox.put(changes.Place(replica_sets, shards))

    def heartbeat(  # noqa: PLR0917 - by position: keywords would cost the hot path
        self,
        node_id: str,
        incarnation: int = 0,
        role: int = 0,
        report: bytes = NOTHING,
        clock_skew_ms: int | None = None,
        known_version: int | None = None,
    ) -> TopologySnapshot | None:
        """Renews a node's lease and answers the topology it lacks, if any. See `Registry.heartbeat`."""
        registry = self.registry
        topology = registry.heartbeat(
            node_id, incarnation, role, report, clock_skew_ms, known_version, self._detector.now()
        )
        if registry.noted and not self._storage_failed:
            self._inbox.wake()
        return topology

    async def wait_newer(self, version: int, timeout_s: float) -> TopologySnapshot | None:
        """The first topology above `version`, or None when the time is over. See `TopologyFeed.wait_newer`."""
        return await self._feed.wait_newer(version, timeout_s)

    def changes_since(self, version: int) -> list[TopologyDelta] | None:
        """Every step from `version` to now; None if the history does not reach back that far, or never had it."""
        return self._feed.changes_since(version)

    def watch(self, version: int) -> AsyncGenerator[TopologySnapshot | TopologyDelta]:
        """Follows the topology from a version the caller holds. See `TopologyFeed.watch`."""
        return self._feed.watch(version)

    def statuses(self) -> list[MemberStatus]:
        """Every member with what its beats told, sorted by id."""
        return member_statuses(self.topology, self.registry, self._detector.now())

    def clock_skews(self) -> dict[str, int]:
        """By node id its clock minus ours in milliseconds at its last beat, where it told its time."""
        return clock_skews(self.topology, self.registry)

    def tick(self) -> None:
        """One turn of the failure detector. The background task calls it; a test with its own clock may, too."""
        self._detector.tick()
        if self.registry.noted:
            self._inbox.wake()

    async def _detect(self) -> None:
        while True:
            await asyncio.sleep(self._detector.period_s)
            self.tick()

    async def _write(self) -> None:
        while not self._inbox.closed or self._inbox.waiting:
            await self._write_batch(await self._inbox.take())

    async def _write_batch(self, pending: list[Pending]) -> None:
        seen = self._collect()
        try:
            batch = self._step([changes.Observe(seen), *(each.change for each in pending)])
            if batch.deltas:
                await records.persist(self._store, self.topology, batch)
        except Exception as error:  # noqa: BLE001 - whatever went wrong, the writer lives and every caller hears of it
            self._give_up(pending, seen, error)
            return
        self._storage_failed = False
        self._publish(batch)
        self._answer(pending, batch.outcomes[1:])

    def _report_death(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()):
            log.critical("membership_stopped", exc_info=error)
            self._inbox.close()  # later changes are refused instead of never answered

    def _collect(self) -> tuple[Observation, ...]:
        seen: list[Observation] = []
        for record, observation in self.registry.collect():
            self._detector.watch(record)
            seen.append(observation)
        return tuple(seen)

    def _step(self, batch: Sequence[changes.Change]) -> Batch:
        rules = changes.Rules(self._encode, self.elected_primary(), self._settings.max_nodes)
        return changes.step(self.topology, self._tombstones, batch, rules)

    def _give_up(self, pending: list[Pending], seen: tuple[Observation, ...], error: Exception) -> None:
        log.error("membership_change_failed", changes=len(pending), exc_info=error)
        self._storage_failed = True  # so that the next tick tries again, not the next beat
        for observation in seen:
            self.registry.note(observation.id)
        refusal = UnavailableError("the change could not be made durable", "STORAGE_FAILED", retry_after_ms=1_000)
        for each in pending:
            each.fail(refusal if isinstance(error, LauraError) else error)

    def _publish(self, batch: Batch) -> None:
        self._bury(batch)
        for change in batch.changed:
            self._follow(change)
        if batch.deltas:
            self._feed.publish(batch.topology, batch.deltas)
        for change in batch.changed:
            self._tell_observers(change)

    def _bury(self, batch: Batch) -> None:
        for node_id, stone in batch.tombstones.items():
            self._tombstones.pop(node_id, None)
            if stone:
                self._tombstones[node_id] = stone

    def _follow(self, change: MemberChanged) -> None:
        before, after = change.before, change.after
        if after is None and before is not None:
            self.registry.remove(before.id)
        elif after and (before is None or before.incarnation != after.incarnation):
            self._detector.expect(after)

    def _tell_observers(self, change: MemberChanged) -> None:
        for observer in self.observers:
            try:
                observer(change)
            except Exception:
                log.exception("membership_observer_failed")

    def _answer(self, pending: list[Pending], outcomes: Sequence[Outcome]) -> None:
        topology = self.topology
        for each, outcome in zip(pending, outcomes, strict=True):
            each.resolve(Answer(outcome, topology))
