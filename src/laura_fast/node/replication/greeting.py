"""What a member that knows nothing asks of all the others, and what it may conclude from their answers."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from laura_fast.domain.replication.members import BEGINNING
from laura_fast.errors import ClientError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from laura_fast.domain.replication.election import Election
    from laura_fast.domain.replication.members import Configuration, ReplicaMember
    from laura_fast.node.replication.messages import Report
    from laura_fast.node.replication.ports import Peers


class Greetings:
    """Asks the other members how far they are."""

    def __init__(self, machine: Election, peers: Peers, timeout_s: float) -> None:
        self._machine = machine
        self._peers = peers
        self._timeout_s = timeout_s

    async def ask(self) -> list[Report | None]:
        """What each of the others says; None where it does not answer in time."""
        others = (each for each in self._machine.configuration.members if each.id != self._machine.me)
        return await asyncio.gather(*map(self._greet, others))

    async def confirm(self, term: int) -> bool:
        """See `is_confirmed`."""
        configuration = self._machine.configuration
        answers = await self.ask()
        return is_confirmed(configuration, self._machine.me, term, answers)

    async def _greet(self, member: ReplicaMember) -> Report | None:
        try:
            async with asyncio.timeout(self._timeout_s):
                return await self._peers.greet(member)
        except (ClientError, TimeoutError):
            return None


def is_new(answers: Sequence[Report | None]) -> bool:
    """Whether the set is new, by what all the others say: nobody has a log, or nobody was ever in an election."""
    reports = [report for report in answers if report]
    if len(reports) < len(answers):
        return False
    return all(report.durable == BEGINNING for report in reports) or not any(report.term for report in reports)


def is_confirmed(configuration: Configuration, me: str, term: int, answers: Sequence[Report | None]) -> bool:
    """Whether nothing that this member ever took part in was of a later term.

    An election or a commit of a later term had a majority of the voters, all of which know that term. So many others
    know none that every majority would have one of them in it. Another one that lost its directory does not know of
    what terms it took part in.
    """
    others = configuration.voters - {me}
    known = (report for report in answers if report and report.may_vote)
    unaware = {report.member for report in known if report.term <= term} & others
    return len(unaware) > len(configuration.voters) - configuration.majority
