"""Messages between simulated members: late, lost, or between members that can't reach each other."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from laura_fast.errors import Code, RemoteError, RpcError, UnreachableError

if TYPE_CHECKING:
    import random

    from laura_fast.domain.replication.members import ReplicaMember
    from laura_fast.node.replication.driver import ReplicaSet
    from laura_fast.node.replication.messages import Batch, Beat, Copied, Copy, Fetch, Question, Reply, Report

GIVE_UP_S: Final = 3.0
"""How long a caller waits for an answer that was lost."""


@dataclass
class Weather:
    """How bad the network is.

    Attributes:
        loss: Probability that a message never arrives; asked for each way.
        repeat: Probability that a request arrives twice.
        slowest_s: Messages take up to this.
    """

    loss: float = 0.0
    repeat: float = 0.0
    slowest_s: float = 0.01


class Network:
    """Who can be reached, and how.

    Attributes:
        weather: For every message.
        cut: Pairs (from, to) between which nothing arrives.
        members: Those that run now, by id.
        counts: Messages, and what became of them.
    """

    def __init__(self, dice: random.Random) -> None:
        self.weather = Weather()
        self.cut: set[tuple[str, str]] = set()
        self.members: dict[str, ReplicaSet] = {}
        self.counts: Counter[str] = Counter()
        self._dice = dice

    async def call(self, sender: str, member: ReplicaMember, method: str, *given: Any) -> Any:
        """Calls a method of another member.

        Raises:
            UnreachableError: The question or the answer was lost.
            RemoteError: The other refused.
        """
        await self._carry(sender, member.id)
        if self._dice.random() < self.weather.repeat:
            self.counts["repeated"] += 1
            asyncio.get_running_loop().create_task(self._repeat(member.id, method, given))
        try:
            answer = await self._deliver(member, method, given)
        except RpcError as error:
            await self._carry(member.id, sender)
            raise RemoteError(member.address, error.code, error.message, error.reason) from None
        await self._carry(member.id, sender)
        return answer

    async def _deliver(self, member: ReplicaMember, method: str, given: tuple[Any, ...]) -> Any:
        receiver = self.members.get(member.id)
        if receiver is None:
            raise UnreachableError([RemoteError(member.address, Code.UNAVAILABLE, "connection refused")])
        return await getattr(receiver, method)(*given)

    async def _repeat(self, member_id: str, method: str, given: tuple[Any, ...]) -> None:
        await asyncio.sleep(self._dice.uniform(0, self.weather.slowest_s))
        if receiver := self.members.get(member_id):
            await asyncio.gather(getattr(receiver, method)(*given), return_exceptions=True)

    async def _carry(self, sender: str, receiver: str) -> None:
        self.counts["messages"] += 1
        if (sender, receiver) in self.cut or self._dice.random() < self.weather.loss:
            self.counts["lost"] += 1
            await asyncio.sleep(GIVE_UP_S)
            raise UnreachableError([RemoteError(receiver, Code.UNAVAILABLE, "no answer")])
        await asyncio.sleep(self._dice.uniform(0.0005, self.weather.slowest_s))


class SimulatedPeers:
    """`Peers` of one member."""

    def __init__(self, network: Network, me: str) -> None:
        self._network = network
        self._me = me

    async def ask_vote(self, member: ReplicaMember, question: Question) -> Reply:
        reply: Reply = await self._network.call(self._me, member, "vote", question)
        return reply

    async def beat(self, member: ReplicaMember, beat: Beat) -> Report:
        report: Report = await self._network.call(self._me, member, "beat", beat)
        return report

    async def fetch(self, member: ReplicaMember, fetch: Fetch) -> Batch:
        batch: Batch = await self._network.call(self._me, member, "fetch", fetch)
        return batch

    async def report(self, member: ReplicaMember, report: Report) -> None:
        await self._network.call(self._me, member, "acknowledge", report)

    async def greet(self, member: ReplicaMember) -> Report:
        report: Report = await self._network.call(self._me, member, "greet")
        return report

    async def copy(self, member: ReplicaMember, copy: Copy) -> Copied:
        copied: Copied = await self._network.call(self._me, member, "copy", copy)
        return copied

    async def hand_off(self, member: ReplicaMember, term: int, reason: str) -> None:
        await self._network.call(self._me, member, "run_now", term, reason)

    async def ask_hand_off(self, member: ReplicaMember, successor: str) -> None:
        await self._network.call(self._me, member, "hand_over", successor)
