"""The driver of one member: events in, one step of the machine, then persist, send, change roles, in that order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from laura_fast.domain.replication import events
from laura_fast.domain.replication.election import Election
from laura_fast.domain.replication.events import Role
from laura_fast.domain.replication.history import ElectionRecord, History
from laura_fast.domain.replication.members import Position
from laura_fast.domain.replication.progress import WriteConcern
from laura_fast.node.replication.answering import Answering
from laura_fast.node.replication.calls import Calls
from laura_fast.node.replication.confirming import Confirmations, no_quorum
from laura_fast.node.replication.following import Following
from laura_fast.node.replication.greeting import Greetings
from laura_fast.node.replication.joining import Joining
from laura_fast.node.replication.messages import Beat
from laura_fast.node.replication.news import News
from laura_fast.node.replication.office import Office
from laura_fast.node.replication.operating import Operating
from laura_fast.node.replication.steps import Steps
from laura_fast.node.replication.syncing import Syncing
from laura_fast.node.replication.tasks import Tasks
from laura_fast.observability import log

if TYPE_CHECKING:
    from collections.abc import Callable

    from laura_fast.domain.replication.events import Step
    from laura_fast.domain.replication.members import Configuration
    from laura_fast.node.ports import Clock
    from laura_fast.node.replication.messages import Batch
    from laura_fast.node.replication.ports import Peers, ReplicaLog

_log = log.get("laura_fast.replication")


class ReplicaSet(Answering, Operating):
    """This node's part in its replica set. Belongs to one event loop."""

    def __init__(
        self,
        me: str,
        configuration: Configuration,
        replica_log: ReplicaLog,
        peers: Peers,
        clock: Clock,
        *,
        timeout_s: float,
        jitter: Callable[[], float],
    ) -> None:
        """Prepares; nothing happens before `start`.

        Args:
            me: This node's id.
            configuration: In force.
            replica_log: This node's.
            peers: The others.
            clock: To measure time with; the event loop must keep the same.
            timeout_s: Of elections.
            jitter: Numbers in [0, 1) that spread them.
        """
        self.me = me
        self.history = History()
        self.news = News()
        self._log = replica_log
        self._clock = clock
        self._commit = 0
        self._timeout_s = timeout_s
        ballot, last, now = replica_log.ballot(), replica_log.last, clock.monotonic()
        copies = replica_log.copies
        state = copies.state if copies else None
        self._machine = Election(
            me,
            configuration,
            ballot,
            last,
            timeout_s=timeout_s,
            jitter=jitter,
            now=now,
            may_stand=copies is None or copies.admitted,
            acknowledged=state.acknowledged if state else None,
        )
        self._tasks = Tasks(me)
        self._steps = Steps(
            self._machine, replica_log, clock, timeout_s, tasks=self._tasks, act=self._act, withdraw=self._withdraw
        )
        self._calls = Calls(self._machine, peers, self._steps, self._tasks, timeout_s)
        self._confirmations = Confirmations(self._ask_majority, self._tasks)
        greetings = Greetings(self._machine, peers, timeout_s)
        self._syncing = (
            Syncing(
                self._machine,
                replica_log,
                copies,
                peers,
                take=self._steps.take,
                confirm=greetings.confirm,
                tasks=self._tasks,
            )
            if copies
            else None
        )
        self._joining = Joining(self._machine, greetings, self._syncing, timeout_s) if self._syncing else None
        self._following = Following(me, replica_log, peers, timeout_s, self._heard_batch, syncing=self._syncing)
        self._office = Office(self._machine, replica_log, self._following, self._tasks, self._steps.take)
        replica_log.on_growth = self._office.grew

    async def confirm(self) -> None:
        """Returns when it is certain that nobody else was primary when it was called.

        Raises:
            FailedPreconditionError: NOT_PRIMARY.
            UnavailableError: NO_QUORUM.
        """
        leading = self.lead()
        await leading.wait(leading.progress.first, WriteConcern())  # what earlier terms committed, we know by then
        await self._confirmations.confirm()
        if self.lead() is not leading:
            raise no_quorum()

    async def start(self) -> None:
        """Begins as a follower."""
        self._log.fence()
        self._tasks.spawn(self._steps.keep_time())
        if self._joining:
            self._tasks.spawn(self._joining.run())

    async def stop(self) -> None:
        """Ends at once; what is on disk stays. Twice is fine."""
        await self._tasks.stop()

    def _act(self, step: Step) -> None:
        if step.ask:
            self._calls.ask_votes(step.ask)
        if step.role:
            self._tell_role(step.role, step.reason)
        self._office.change()
        if step.configuration:
            self._tell_configuration(step.configuration)
            self._office.configure()
        if step.beat:
            leading = self._office.leading
            self._calls.beat(leading.rollout.departed if leading else (), self._beat, self.acknowledge)
        self._calls.hand_off(step.hand_off, step.reason)
        self._calls.ask_hand_off(step.ask_hand_off)
        if step.writes:
            self._log.resume()
        self.news.tell()

    def _withdraw(self) -> None:
        self._office.withdraw()

    def _tell_role(self, role: Role, reason: str) -> None:
        _log.info("role", node=self.me, role=role.value, term=self.term, reason=reason)
        if role is Role.PRIMARY:
            self.history.add(ElectionRecord(self.term, self.me, self._clock.wall_ms(), reason))

    def _tell_configuration(self, configuration: Configuration) -> None:
        ids = [member.id for member in configuration.members]
        told = {"node": self.me, "version": configuration.version, "term": configuration.term, "members": ids}
        if self._machine.belongs:
            _log.info("replica_set_configuration", **told)
        else:
            _log.warning("removed_from_replica_set", **told)

    async def _ask_majority(self) -> bool:
        leading = self._office.leading
        return leading is not None and await self._calls.confirm(leading.progress.term, self._beat, self.acknowledge)

    def _beat(self, member_id: str) -> Beat:
        leading = self._office.leading
        lacks = leading is None or leading.rollout.lacks(member_id)
        return Beat(
            self.me,
            self.term,
            self._log.last,
            leading.progress.commit if leading else 0,
            next(iter(self.history.newest_first), None),
            self._steps.configuration if lacks else None,
        )

    async def _heard_batch(self, batch: Batch) -> bool:
        """A batch was read, or has been applied: whether it is of the primary that we follow.

        It may have waited for long, as the buffer of a stream holds many: only beats tell that a primary is alive now.
        """
        await self._steps.take(events.LogGrew(self._log.last))
        if self._office.followed != (batch.primary, batch.term):
            newest = batch.entries[-1] if batch.entries else self._log.last
            await self._hear(batch.primary, batch.term, Position(newest.term, newest.op_id))
        return self._office.followed == (batch.primary, batch.term)
