"""Messages between simulated processes: late, lost, twice, out of order, or on a link that is cut."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from laura_fast.errors import ClientError, Code, RemoteError, RpcError, StorageFailedError, UnreachableError
from laura_fast.testing.sim.loop import NOWHERE

if TYPE_CHECKING:
    import asyncio
    import random
    from collections.abc import Callable, Coroutine

    from laura_fast.domain.replication.members import ReplicaMember
    from laura_fast.node.replication.messages import Batch, Beat, Copied, Copy, Fetch, Question, Reply, Report
    from laura_fast.testing.sim.journal import Journal
    from laura_fast.testing.sim.loop import Process, VirtualLoop

FASTEST_S: Final = 0.0005
LATE_S: Final = 0.25
"""Messages that take longer are counted."""


class RefusedConnectionError(UnreachableError):
    """Nobody listens there: the question was not even read."""


@dataclass
class Weather:
    """How bad the network is.

    Attributes:
        loss: Probability that a message never arrives; asked for each way.
        repeat: Probability that a request of a member arrives twice.
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
        stuck: Members whose streams of the log bring nothing, while everything else arrives.
        servers: Who answers now: process and handler, by id.
    """

    def __init__(self, loop: VirtualLoop, dice: random.Random, journal: Journal) -> None:
        self.weather = Weather()
        self.cut: set[tuple[str, str]] = set()
        self.stuck: set[str] = set()
        self.servers: dict[str, tuple[Process, Callable[[str, tuple[Any, ...]], Coroutine[Any, Any, Any]]]] = {}
        self._loop = loop
        self._dice = dice
        self._journal = journal
        self._arrived: dict[tuple[str, str], float] = {}

    def call(
        self, sender: str, receiver: str, method: str, given: tuple[Any, ...], timeout_s: float, *, once: bool = False
    ) -> asyncio.Future[Any]:
        """Calls a method of another process; the future of its answer.

        It ends with UnreachableError when question or answer was lost, with RemoteError when the other refused.

        Args:
            sender: Who calls.
            receiver: Whom.
            method: Of the handler.
            given: Arguments.
            timeout_s: When the caller gives up.
            once: It is never repeated.
        """
        future = self._loop.create_future()
        self._loop.call_later(timeout_s, _give_up, future, receiver, context=NOWHERE)
        call = (sender, receiver, method, given, future)
        self._carry(sender, receiver, method, self._arrive, *call)
        if not once and self.weather.repeat and self._dice.random() < self.weather.repeat:
            self._journal.count("repeated")
            self._carry(sender, receiver, method, self._arrive, *call)
        return future

    def _carry(self, sender: str, receiver: str, what: str, deliver: Callable[..., object], *given: Any) -> None:
        weather, journal = self.weather, self._journal
        blocked = (sender, receiver) in self.cut or (what == "fetch" and sender in self.stuck)
        if blocked or (weather.loss and self._dice.random() < weather.loss):
            journal.happened("lost", sender, receiver, what)
            return
        now = self._loop.time()
        at = now + FASTEST_S + self._dice.random() * (weather.slowest_s - FASTEST_S)
        link = (sender, receiver)
        if at < self._arrived.get(link, 0.0):
            journal.count("overtaken")
        else:
            self._arrived[link] = at
        if at - now > LATE_S:
            journal.count("late")
        self._loop.call_at(at, deliver, *given, context=NOWHERE)

    def _arrive(
        self, sender: str, receiver: str, method: str, given: tuple[Any, ...], future: asyncio.Future[Any]
    ) -> None:
        self._journal.happened("arrived", sender, receiver, method)
        server = self.servers.get(receiver)
        if server is None:
            refused = RefusedConnectionError([RemoteError(receiver, Code.UNAVAILABLE, "connection refused")])
            self._carry(receiver, sender, "refusal", _answer, future, None, refused)
            return
        process, handler = server

        def answered(task: asyncio.Task[Any]) -> None:
            if task.cancelled():
                return
            error = task.exception()
            if error is None:
                self._carry(receiver, sender, "answer", _answer, future, task.result(), None)
            else:
                self._carry(receiver, sender, "error", _answer, future, None, self._told(receiver, error))

        task = self._loop.create_task(handler(method, given), context=process.context)
        task.add_done_callback(answered, context=NOWHERE)
        future.add_done_callback(partial(self._left, sender, receiver, task), context=NOWHERE)

    def _left(self, sender: str, receiver: str, task: asyncio.Task[Any], _given_up: asyncio.Future[Any]) -> None:
        """The caller waits no longer: what still works for it is cancelled, as the transport does with handlers."""
        if not task.done():
            self._carry(sender, receiver, "cancel", task.cancel)

    def _told(self, receiver: str, error: BaseException) -> ClientError:
        if isinstance(error, RpcError):
            return RemoteError(receiver, error.code, error.message, error.reason)
        if not isinstance(error, (ClientError, StorageFailedError, TimeoutError)):
            self._loop.fail(error)
        return RemoteError(receiver, Code.INTERNAL, str(error))


def _give_up(future: asyncio.Future[Any], receiver: str) -> None:
    _answer(future, None, UnreachableError([RemoteError(receiver, Code.UNAVAILABLE, "no answer")]))


def _answer(future: asyncio.Future[Any], value: Any, error: ClientError | None) -> None:
    if future.done():
        return
    if error:
        future.set_exception(error)
        future.exception()  # who asked may be gone
    else:
        future.set_result(value)


class SimulatedPeers:
    """`Peers` of one member."""

    def __init__(self, network: Network, me: str, timeout_s: float, watch: Callable[[str, Any], None]) -> None:
        """Prepares.

        Args:
            network: Carries everything.
            me: The member.
            timeout_s: Of a call, as of the channels between servers.
            watch: Is shown each message before it leaves.
        """
        self._network = network
        self._me = me
        self._timeout_s = timeout_s
        self._watch = watch

    def _call(self, member: ReplicaMember, method: str, *given: Any, timeout_s: float = 0.0) -> asyncio.Future[Any]:
        if given:
            self._watch(self._me, given[0])
        return self._network.call(self._me, member.id, method, given, timeout_s or self._timeout_s)

    async def ask_vote(self, member: ReplicaMember, question: Question) -> Reply:
        reply: Reply = await self._call(member, "vote", question)
        return reply

    async def beat(self, member: ReplicaMember, beat: Beat) -> Report:
        report: Report = await self._call(member, "beat", beat)
        return report

    async def fetch(self, member: ReplicaMember, fetch: Fetch) -> Batch:
        batch: Batch = await self._call(member, "fetch", fetch, timeout_s=self._timeout_s + fetch.wait_s)
        return batch

    async def report(self, member: ReplicaMember, report: Report) -> None:
        await self._call(member, "acknowledge", report)

    async def greet(self, member: ReplicaMember) -> Report:
        report: Report = await self._call(member, "greet")
        return report

    async def copy(self, member: ReplicaMember, copy: Copy) -> Copied:
        copied: Copied = await self._call(member, "copy", copy)
        return copied

    async def hand_off(self, member: ReplicaMember, term: int, reason: str) -> None:
        await self._call(member, "run_now", term, reason)

    async def ask_hand_off(self, member: ReplicaMember, successor: str) -> None:
        await self._call(member, "hand_over", successor)
