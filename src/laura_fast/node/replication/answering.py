"""What a member answers the others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from laura_fast.domain.replication import events
from laura_fast.domain.replication.members import BEGINNING
from laura_fast.node.replication.member import Member
from laura_fast.node.replication.messages import Beat, Question, Reply, Report

if TYPE_CHECKING:
    from laura_fast.domain.replication.members import Position
    from laura_fast.node.replication.messages import Batch, Copied, Copy, Fetch


class Answering(Member):
    """Votes, beats, the log and reports."""

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
        held = self._log.last if self._machine.may_stand else BEGINNING  # half a copy counts for nothing
        return Report(self.me, self.term, held, held, self.configuration.stamp, self._machine.may_vote)

    async def greet(self) -> Report:
        """Tells a member that knows nothing how far this one is, whatever it is."""
        last = self._log.last
        return Report(self.me, self.term, last, last, self.configuration.stamp, self._machine.may_vote)

    async def copy(self, copy: Copy) -> Copied:
        """Serves a part of a copy of everything. Raises as `lead` and `Leading.copy`."""
        return await self.lead().copy(copy)

    async def fetch(self, fetch: Fetch) -> Batch:
        """Serves our log. Raises as `lead` and `Leading.fetch`."""
        return await self.lead().fetch(fetch)

    async def acknowledge(self, report: Report) -> bool:
        """A member told how far it is; whether that was taken: it is one of ours and not ahead of us.

        Its term is heard in any case: who is ahead of us may have run in a later term, and would never follow us.
        """
        leading = self._office.leading
        ours = leading is not None and report.term == leading.progress.term
        if leading and ours and report.stamp:
            leading.holds(report.member, report.stamp)
        if self._machine.configuration.get(report.member) is None:
            return False
        taken = report.applied.op_id <= self._log.last.op_id
        if leading and ours and taken:  # first: a hand-over leaves no write without its answer
            leading.report(report.member, report.applied, report.durable)
        held = report.durable if taken else BEGINNING
        await self._steps.take(events.MemberHeard(self._steps.now(), report.member, report.term, held))
        return taken

    async def run_now(self, term: int, reason: str) -> None:
        """The primary of this term handed over to us."""
        await self._steps.take(events.RunAsked(self._steps.now(), term, reason))

    async def _hear(self, primary: str, term: int, last: Position) -> None:
        event = events.PrimaryHeard(self._steps.now(), primary, term, last)
        if self._office.followed == (primary, term):
            self._steps.note(event)
        else:
            await self._steps.take(event)
