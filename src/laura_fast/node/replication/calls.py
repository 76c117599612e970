"""What a member asks of the others, and what it makes of their answers."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from laura_fast.domain.replication import events
from laura_fast.errors import ClientError
from laura_fast.node.replication.messages import Question

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from laura_fast.domain.replication.election import Election
    from laura_fast.domain.replication.members import ReplicaMember
    from laura_fast.node.replication.messages import Beat, Report
    from laura_fast.node.replication.ports import Peers
    from laura_fast.node.replication.steps import Steps
    from laura_fast.node.replication.tasks import Tasks

_NO_ANSWER: Final = (ClientError, TimeoutError)


class Calls:
    """Calls to the other members, each in its own task, none longer than an election timeout."""

    def __init__(self, machine: Election, peers: Peers, steps: Steps, tasks: Tasks, timeout_s: float) -> None:
        self._machine = machine
        self._peers = peers
        self._steps = steps
        self._tasks = tasks
        self._timeout_s = timeout_s

    def ask_votes(self, ask: events.AskVote) -> None:
        """Asks every other voter."""
        for member in self._others():
            if member.votes:
                self._tasks.spawn(self._ask_vote(member, ask))

    async def _ask_vote(self, member: ReplicaMember, ask: events.AskVote) -> None:
        me, configuration = self._machine.me, self._machine.configuration
        name, version, config_term = configuration.name, configuration.version, configuration.term
        asked = (ask.term, ask.last, name, version, ask.dry_run, ask.hand_off, config_term)
        question = Question(me, *asked, self._steps.configuration)
        async with asyncio.timeout(self._timeout_s):
            reply = await self._peers.ask_vote(member, question)
        if reply.configuration:
            await self._steps.learn(reply.configuration)
        now = self._steps.now()
        await self._steps.take(events.VoteTold(now, reply.voter, ask.term, reply.term, reply.granted, ask.dry_run))

    def beat(
        self,
        departed: Sequence[ReplicaMember],
        beat: Callable[[str], Beat],
        heard: Callable[[Report], Awaitable[object]],
    ) -> None:
        """Sends beats to every other member, and to those that were members, and hands on what they report.

        Args:
            departed: Who were members.
            beat: For a member; made at once.
            heard: Is told of each answer.
        """
        for member in (*self._others(), *departed):
            self._tasks.spawn(self._beat(member, beat(member.id), heard))

    async def _beat(self, member: ReplicaMember, beat: Beat, heard: Callable[[Report], Awaitable[object]]) -> Report:
        async with asyncio.timeout(self._timeout_s):
            report = await self._peers.beat(member, beat)
            await heard(report)
            return report

    async def confirm(
        self, term: int, beat: Callable[[str], Beat], heard: Callable[[Report], Awaitable[object]]
    ) -> bool:
        """Whether a majority, with us in it, answers a beat of now in a term, each within a timeout.

        Who lost its directory does not count: it may have voted for the next primary, and does not know.
        """
        configuration = self._machine.configuration
        agreed = {self._machine.me}
        beats = [self._beat(each, beat(each.id), heard) for each in self._others() if each.votes]
        asked = {asyncio.ensure_future(each) for each in beats}
        try:
            while asked and not configuration.is_majority(agreed):
                done, asked = await asyncio.wait(asked, return_when=asyncio.FIRST_COMPLETED)
                reports = (each.result() for each in done if not isinstance(each.exception(), _NO_ANSWER))
                agreed |= {report.member for report in reports if report.term == term and report.may_vote}
        finally:
            for each in asked:
                each.cancel()
            await asyncio.gather(*asked, return_exceptions=True)
        return configuration.is_majority(agreed) and self._machine.term == term

    def hand_off(self, member_id: str, reason: str) -> None:
        """Tells a member to run at once."""
        if successor := self._machine.configuration.get(member_id):
            self._tasks.spawn(self._peers.hand_off(successor, self._machine.term, reason))

    def ask_hand_off(self, member_id: str) -> None:
        """Asks the primary to hand over to us."""
        if primary := self._machine.configuration.get(member_id):
            self._tasks.spawn(self._peers.ask_hand_off(primary, self._machine.me))

    def _others(self) -> list[ReplicaMember]:
        return [member for member in self._machine.configuration.members if member.id != self._machine.me]
