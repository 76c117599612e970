"""The driver of one member: events in, one step of the machine, then persist, send, change roles, in that order.

Steps are taken one at a time. Only a ballot makes one wait for the disk; beats of the primary that is followed anyway
never do, so that a stalled disk does not look like a dead member.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from laura_fast.domain.replication import events
from laura_fast.domain.replication.election import BEATS_PER_TIMEOUT, Election
from laura_fast.domain.replication.events import Role
from laura_fast.domain.replication.members import Position
from laura_fast.errors import ClientError, FailedPreconditionError, StorageFailedError
from laura_fast.node.replication.following import Following
from laura_fast.node.replication.leading import Leading, outcome_unknown
from laura_fast.node.replication.messages import Beat, Question, Reply, Report
from laura_fast.observability import log

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any

    from laura_fast.domain.replication.events import Event, Step
    from laura_fast.domain.replication.members import Configuration, ReplicaMember
    from laura_fast.domain.replication.progress import WriteConcern
    from laura_fast.node.ports import Clock
    from laura_fast.node.replication.messages import Batch, Fetch
    from laura_fast.node.replication.ports import Peers, ReplicaLog

_log = log.get("laura_fast.replication")


class ReplicaSet:
    """This node's part in its replica set. Belongs to one event loop.

    Attributes:
        on_change: Called with nothing whenever this node's role or its primary changed.
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
        self.on_change: Callable[[], None] = lambda: None
        self._log = replica_log
        self._peers = peers
        self._clock = clock
        self._timeout_s = timeout_s
        self._machine = Election(
            me,
            configuration,
            replica_log.ballot(),
            replica_log.last,
            timeout_s=timeout_s,
            jitter=jitter,
            now=clock.monotonic(),
        )
        self._turn = asyncio.Lock()
        self._woken = asyncio.Event()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._office: asyncio.Task[None] | None = None
        self._leading: Leading | None = None
        self._following = Following(me, replica_log, peers, timeout_s, self._heard_batch)
        self._followed = ("", 0)
        replica_log.on_growth = self._grew

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
    def primary(self) -> ReplicaMember | None:
        """Who leads, as far as this node knows."""
        return self._machine.configuration.get(self._machine.primary)

    def lead(self) -> Leading:
        """This node's office.

        Raises:
            FailedPreconditionError: NOT_PRIMARY, with the primary's address where it is known.
        """
        if self._leading is None:
            primary = self.primary
            hint = {"primary_id": primary.id, "primary_address": primary.address} if primary else {}
            told = f"the primary is {primary.id} at {primary.address}" if primary else "no primary is known now"
            raise FailedPreconditionError(f"not primary: {told}", "NOT_PRIMARY", metadata=hint)
        return self._leading

    @property
    def leads(self) -> bool:
        """Whether this node is in office."""
        return self._leading is not None

    async def settle(self, concern: WriteConcern) -> None:
        """Returns when all that is in our log is as safe as asked.

        Raises:
            UnavailableError: OUTCOME_UNKNOWN: this node leads no more, and what it wrote may be undone or not.
        """
        if self._leading is None:
            raise outcome_unknown()
        await self._leading.wait(self._log.last.op_id, concern)

    async def wait(self, op_id: int, concern: WriteConcern) -> None:
        """Returns when one of our own entries is as safe as asked. Raises as `Leading.wait` and `lead`."""
        await self.lead().wait(op_id, concern)

    async def start(self) -> None:
        """Begins as a follower."""
        self._log.fence()
        self._spawn(self._keep_time())

    async def stop(self) -> None:
        """Ends at once; what is on disk stays. Twice is fine."""
        tasks = [*self._tasks]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    # --- what others ask ----------------------------------------------------------------------------------------------

    async def vote(self, question: Question) -> Reply:
        """Answers a candidate; a vote is on disk by then."""
        step = await self._take(
            events.VoteAsked(
                self._now(),
                question.candidate,
                question.term,
                question.last,
                question.replica_set,
                question.config_version,
                question.dry_run,
                question.hand_off,
            )
        )
        granted = step.answer is not None and step.answer.granted
        return Reply(self.me, step.answer.term if step.answer else self.term, granted)

    async def beat(self, beat: Beat) -> Report:
        """Answers a primary, or whoever believes to be one."""
        await self._hear(beat.primary, beat.term, beat.last)
        last = self._log.last
        return Report(self.me, self.term, last, last)

    async def fetch(self, fetch: Fetch) -> Batch:
        """Serves our log. Raises as `lead` and `Leading.fetch`."""
        return await self.lead().fetch(fetch)

    async def acknowledge(self, report: Report) -> bool:
        """A member told how far it is; whether that was taken: it is one of ours and not ahead of us."""
        if self._machine.configuration.get(report.member) is None or report.applied.op_id > self._log.last.op_id:
            return False
        await self._take(events.MemberHeard(self._now(), report.member, report.term, report.durable))
        if self._leading and report.term == self._leading.progress.term:
            self._leading.report(report.member, report.applied, report.durable)
        return True

    async def run_now(self, term: int) -> None:
        """The primary of this term handed over to us."""
        await self._take(events.RunAsked(self._now(), term))

    async def hand_over(self, successor: str) -> None:
        """Begins to hand over to a member that wants it. Raises as `step_down`."""
        await self.step_down(self._timeout_s, successor)

    async def step_down(self, seconds: float, successor: str = "", *, force: bool = False) -> None:
        """Begins to hand over; see `events.StepDownAsked`.

        Raises:
            FailedPreconditionError: NOT_PRIMARY.
        """
        self.lead()
        now = self._now()
        await self._take(events.StepDownAsked(now, now + seconds, force, successor))

    # --- steps --------------------------------------------------------------------------------------------------------

    async def _take(self, event: Event) -> Step:
        async with self._turn:
            step = self._machine.step(event)
            if step.ballot:
                await self._log.keep_ballot(step.ballot)
            self._act(step)
        return step

    def _act(self, step: Step) -> None:
        if step.ask:
            for member in self._others():
                if member.votes:
                    self._spawn(self._ask(member, step.ask))
        if step.role:
            _log.info("role", node=self.me, role=step.role.value, term=self.term, reason=step.reason)
        self._change_office()
        if step.beat:
            for member in self._others():
                self._spawn(self._beat(member))
        if successor := self._machine.configuration.get(step.hand_off):
            self._spawn(self._peers.hand_off(successor, self.term))
        if better := self._machine.configuration.get(step.ask_hand_off):
            self._spawn(self._peers.ask_hand_off(better, self.me))
        self._woken.set()

    def _change_office(self) -> None:
        """Leads, follows somebody else, or waits for news, as the machine says now."""
        wanted = (self._machine.primary, self.term)
        if wanted == self._followed:
            return
        self._followed = wanted
        if self._office:
            self._office.cancel()
        if self._leading:
            self._leading.end()
            self._leading = None
        if self.role is not Role.PRIMARY:
            self._log.fence()
        primary = self.primary
        if self.role is Role.PRIMARY:
            self._office = self._spawn(self._take_office(self.term))
        elif primary:
            self._office = self._spawn(self._following.follow(primary, self.term))
        self.on_change()

    async def _take_office(self, term: int) -> None:
        try:
            no_op = await self._log.lead(term)
        except FailedPreconditionError:
            return  # another term began before this one's first entry
        self._leading = Leading(self.me, self._machine.configuration, term, self._log, no_op)
        await self._take(events.LogGrew(self._log.last))
        self.on_change()

    def _grew(self) -> None:
        if self._leading:
            self._leading.grew()
            self._spawn(self._take(events.LogGrew(self._log.last)))

    # --- talking to others --------------------------------------------------------------------------------------------

    async def _ask(self, member: ReplicaMember, ask: events.AskVote) -> None:
        configuration = self._machine.configuration
        version = configuration.version
        question = Question(self.me, ask.term, ask.last, configuration.name, version, ask.dry_run, ask.hand_off)
        async with asyncio.timeout(self._timeout_s):
            reply = await self._peers.ask_vote(member, question)
        now, asked = self._now(), ask.term
        await self._take(events.VoteTold(now, reply.voter, asked, reply.term, reply.granted, ask.dry_run))

    async def _beat(self, member: ReplicaMember) -> None:
        commit = self._leading.progress.commit if self._leading else 0
        async with asyncio.timeout(self._timeout_s):
            await self.acknowledge(await self._peers.beat(member, Beat(self.me, self.term, self._log.last, commit)))

    async def _heard_batch(self, batch: Batch) -> bool:
        """A batch arrived, or has been applied: whether it is of the primary that we follow."""
        await self._take(events.LogGrew(self._log.last))
        newest = batch.entries[-1] if batch.entries else self._log.last
        await self._hear(batch.primary, batch.term, Position(newest.term, newest.op_id))
        return self._followed == (batch.primary, batch.term)

    async def _hear(self, primary: str, term: int, last: Position) -> None:
        event = events.PrimaryHeard(self._now(), primary, term, last)
        if self._followed == (primary, term):
            self._machine.step(event)  # changes no term and no role, so it need not wait for anybody's disk
        else:
            await self._take(event)

    # --- time ---------------------------------------------------------------------------------------------------------

    async def _keep_time(self) -> None:
        while True:
            self._woken.clear()
            delay = self._machine.wake_at - self._now()
            if delay <= 0:
                await self._take(events.Ticked(self._now()))
                continue
            try:
                await asyncio.wait_for(self._woken.wait(), min(delay, self._timeout_s / BEATS_PER_TIMEOUT))
            except TimeoutError:
                continue

    def _now(self) -> float:
        return self._clock.monotonic()

    def _others(self) -> list[ReplicaMember]:
        return [member for member in self._machine.configuration.members if member.id != self.me]

    def _spawn(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if task.cancelled():
            return
        error = task.exception()
        if error and not isinstance(
            error, (ClientError, TimeoutError, StorageFailedError)
        ):  # the node hears of its disk
            _log.critical("replica_set_task_failed", node=self.me, exc_info=error)
