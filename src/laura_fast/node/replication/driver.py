"""The driver of one member: events in, one step of the machine, then persist, send, change roles, in that order."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from laura_fast.domain.replication import events
from laura_fast.domain.replication.election import Election
from laura_fast.domain.replication.events import Role
from laura_fast.domain.replication.history import ElectionRecord, History
from laura_fast.domain.replication.members import BEGINNING, Position
from laura_fast.domain.replication.progress import WriteConcern
from laura_fast.domain.replication.reconfiguration import check_change
from laura_fast.errors import FailedPreconditionError
from laura_fast.node.replication.calls import Calls
from laura_fast.node.replication.confirming import Confirmations, no_quorum
from laura_fast.node.replication.following import Following
from laura_fast.node.replication.greeting import Greetings
from laura_fast.node.replication.joining import Joining
from laura_fast.node.replication.leading import outcome_unknown
from laura_fast.node.replication.messages import Beat, Question, Reply, Report
from laura_fast.node.replication.news import News
from laura_fast.node.replication.office import Office
from laura_fast.node.replication.status import Moment, status_of
from laura_fast.node.replication.steps import Steps
from laura_fast.node.replication.syncing import Syncing
from laura_fast.node.replication.tasks import Tasks
from laura_fast.observability import log

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from laura_fast.domain.replication.events import Step
    from laura_fast.domain.replication.members import Configuration, ReplicaMember
    from laura_fast.node.ports import Clock
    from laura_fast.node.replication.leading import Leading
    from laura_fast.node.replication.messages import Batch, Copied, Copy, Fetch
    from laura_fast.node.replication.ports import Peers, ReplicaLog
    from laura_fast.node.replication.status import SetStatus

_log = log.get("laura_fast.replication")


class ReplicaSet:
    """This node's part in its replica set. Belongs to one event loop.

    Attributes:
        me: This node's id.
        history: The elections that it has seen.
        news: Told after every step.
    """

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
        self._machine = Election(
            me,
            configuration,
            ballot,
            last,
            timeout_s=timeout_s,
            jitter=jitter,
            now=now,
            may_vote=copies is None or copies.admitted,
        )
        self._tasks = Tasks(me)
        self._steps = Steps(self._machine, replica_log, clock, self._act, timeout_s)
        self._calls = Calls(self._machine, peers, self._steps, self._tasks, timeout_s)
        self._confirmations = Confirmations(self._ask_majority, self._tasks)
        greetings = Greetings(self._machine, peers, timeout_s)
        self._syncing = (
            Syncing(me, replica_log, copies, peers, take=self._steps.take, confirm=greetings.confirm)
            if copies
            else None
        )
        self._joining = Joining(self._machine, greetings, self._syncing, timeout_s) if self._syncing else None
        self._following = Following(me, replica_log, peers, timeout_s, self._heard_batch, syncing=self._syncing)
        self._office = Office(self._machine, replica_log, self._following, self._tasks, self._steps.take)
        replica_log.on_growth = self._office.grew

    # --- what others see ----------------------------------------------------------------------------------------------

    @property
    def role(self) -> Role:
        """What this node is."""
        return self._machine.role

    @property
    def term(self) -> int:
        """The current term."""
        return self._machine.term

    @property
    def configuration(self) -> Configuration:
        """In force."""
        return self._steps.configuration

    @property
    def primary(self) -> ReplicaMember | None:
        """Who leads, as far as this node knows."""
        return self._office.primary

    @property
    def tags(self) -> Mapping[str, str]:
        """This node's, in the configuration in force."""
        me = self._machine.configuration.get(self.me)
        return me.tags if me else {}

    @property
    def sync_progress(self) -> str:
        """How far this member's initial sync is; empty when it needs none."""
        return self._syncing.progress if self._syncing else ""

    @property
    def level_s_ago(self) -> float:
        """Seconds since this follower last had all that its primary had."""
        return self._steps.now() - self._following.level_at

    @property
    def leads(self) -> bool:
        """Whether this node is in office."""
        return self._office.leading is not None

    @property
    def on_change(self) -> Callable[[], None]:
        """See `Office.on_change`."""
        return self._office.on_change

    @on_change.setter
    def on_change(self, call: Callable[[], None]) -> None:
        self._office.on_change = call

    def status(self) -> SetStatus:
        """The set as this member sees it."""
        leading, now = self._office.leading, self._steps.now()
        commit = leading.progress.commit if leading else self._commit
        return status_of(self._machine, leading, self.history, commit, Moment(now, self._timeout_s))

    def lead(self) -> Leading:
        """This node's office. Raises as `Office.lead`."""
        return self._office.lead()

    async def settle(self, concern: WriteConcern) -> None:
        """Returns when all that is in our log is as safe as asked.

        Raises:
            UnavailableError: OUTCOME_UNKNOWN: this node leads no more, and what it wrote may be undone or not.
        """
        if self._office.leading is None:
            raise outcome_unknown()
        await self._office.leading.wait(self._log.last.op_id, concern)

    async def wait(self, op_id: int, concern: WriteConcern) -> None:
        """Returns when one of our own entries is as safe as asked. Raises as `Leading.wait` and `lead`."""
        await self.lead().wait(op_id, concern)

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

    # --- what others ask ----------------------------------------------------------------------------------------------

    async def vote(self, question: Question) -> Reply:
        """Answers a candidate; a vote is on disk by then."""
        if question.configuration:
            await self._steps.learn(question.configuration)
        step = await self._steps.take(
            events.VoteAsked(
                self._steps.now(),
                question.candidate,
                question.term,
                question.last,
                question.replica_set,
                question.config_version,
                question.dry_run,
                question.hand_off,
                question.config_term,
            )
        )
        granted = step.answer is not None and step.answer.granted
        ours = self.configuration
        newer = question.replica_set == ours.name and ours.stamp > (question.config_term, question.config_version)
        return Reply(self.me, step.answer.term if step.answer else self.term, granted, ours if newer else None)

    async def beat(self, beat: Beat) -> Report:
        """Answers a primary, or whoever believes to be one."""
        if beat.configuration:
            await self._steps.learn(beat.configuration)
        self._commit = max(self._commit, beat.commit)
        if beat.election:
            self.history.add(beat.election)
        await self._hear(beat.primary, beat.term, beat.last)
        held = self._log.last if self._machine.may_vote else BEGINNING  # half a copy counts for nothing
        return Report(self.me, self.term, held, held, self.configuration.stamp)

    async def greet(self) -> Report:
        """Tells a member that knows nothing how far this one is, whatever it is."""
        last = self._log.last
        return Report(self.me, self.term, last, last, self.configuration.stamp)

    async def copy(self, copy: Copy) -> Copied:
        """Serves a part of a copy of everything. Raises as `lead` and `Leading.copy`."""
        return await self.lead().copy(copy)

    async def fetch(self, fetch: Fetch) -> Batch:
        """Serves our log. Raises as `lead` and `Leading.fetch`."""
        return await self.lead().fetch(fetch)

    async def acknowledge(self, report: Report) -> bool:
        """A member told how far it is; whether that was taken: it is one of ours and not ahead of us."""
        leading = self._office.leading
        ours = leading is not None and report.term == leading.progress.term
        if leading and ours and report.stamp:
            leading.holds(report.member, report.stamp)
        if self._machine.configuration.get(report.member) is None or report.applied.op_id > self._log.last.op_id:
            return False
        if leading and ours:  # first: a hand-over leaves no write without its answer
            leading.report(report.member, report.applied, report.durable)
        await self._steps.take(events.MemberHeard(self._steps.now(), report.member, report.term, report.durable))
        return True

    async def run_now(self, term: int, reason: str) -> None:
        """The primary of this term handed over to us."""
        await self._steps.take(events.RunAsked(self._steps.now(), term, reason))

    async def hand_over(self, successor: str) -> None:
        """Begins to hand over to a member that wants it. Raises as `step_down`."""
        await self.step_down(self._timeout_s, successor, reason=f"{successor} has the higher priority")

    async def step_down(
        self,
        seconds: float,
        successor: str = "",
        *,
        force: bool = False,
        freeze_s: float = 0.0,
        reason: str = "a step-down was asked for",
    ) -> None:
        """Begins to hand over, with no new writes from now on; see `events.StepDownAsked`.

        Raises:
            FailedPreconditionError: NOT_PRIMARY.
        """
        self.lead()
        await self._log.pause()
        now = self._steps.now()
        await self._steps.take(events.LogGrew(self._log.last))
        await self._steps.take(events.StepDownAsked(now, now + seconds, force, successor, reason, freeze_s))

    async def lead_known(self) -> None:
        """Returns once this node is in office, or another leads; after two election timeouts in any case."""
        if self.leads and not self._machine.handing_over:
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(2 * self._timeout_s):
                await self.news.until(self._is_lead_known)

    def _is_lead_known(self) -> bool:
        if self._machine.role is Role.PRIMARY:
            return self.leads and not self._machine.handing_over
        return self.primary is not None

    async def succeeded(self, term: int) -> None:
        """Returns once another member leads, after this one began to hand over in a term.

        Raises:
            FailedPreconditionError: NO_SUCCESSOR: nobody who may lead had caught up in time; this node leads on.
        """
        await self.news.until(lambda: not self._machine.handing_over and (self.primary is not None))
        if self.term == term:
            told = "no member that may lead has caught up in time; this one leads on"
            raise FailedPreconditionError(told, "NO_SUCCESSOR")

    async def reconfigure(self, edit: Callable[[Configuration], Configuration]) -> Configuration:
        """Changes the configuration, and returns when a majority has the new one.

        Args:
            edit: Makes the next version of the one in force, leaves it as it is, or refuses to.

        Raises:
            FailedPreconditionError: NOT_PRIMARY, or a reason of `check_change`.
            UnavailableError: OUTCOME_UNKNOWN: this node leads no more.
        """
        leading = self.lead()
        after = edit(leading.rollout.configuration)
        if after == leading.rollout.configuration:
            await leading.rolled_out(after.version)
            return after
        now = self._steps.now()
        check_change(self.me, leading.progress, leading.rollout, after, self._machine.alive(now))
        await self._steps.take(events.ChangeAsked(now, after))
        if leading.rollout.configuration != after:
            raise FailedPreconditionError("another change of the configuration came first", "CHANGE_PENDING")
        await leading.rolled_out(after.version)
        return after

    # --- what a step asks for -----------------------------------------------------------------------------------------

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
        """One of the office's own term: the machine's may be a newer one already, which others lead."""
        leading = self._office.leading
        lacks = leading is None or leading.rollout.lacks(member_id)
        return Beat(
            self.me,
            leading.progress.term if leading else self.term,
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

    async def _hear(self, primary: str, term: int, last: Position) -> None:
        event = events.PrimaryHeard(self._steps.now(), primary, term, last)
        if self._office.followed == (primary, term):
            self._steps.note(event)
        else:
            await self._steps.take(event)
