"""Changes that wait for the membership writer: bounded, in order, each with the promise of an answer."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, NamedTuple

from laura_fast.errors import OverloadedError, UnavailableError
from laura_fast.limits import membership as limits

if TYPE_CHECKING:
    from laura_fast.domain.membership.changes import Change, Outcome
    from laura_fast.domain.membership.topology import TopologySnapshot


class Answer(NamedTuple):
    """What became of a change, and the topology that shows it."""

    outcome: Outcome
    topology: TopologySnapshot


class Pending(NamedTuple):
    """A change and who waits for it."""

    change: Change
    answer: asyncio.Future[Answer]

    def resolve(self, answer: Answer) -> None:
        """Answers, unless the caller went away."""
        if not self.answer.done():
            self.answer.set_result(answer)

    def fail(self, error: Exception) -> None:
        """Answers with an error, unless the caller went away."""
        if not self.answer.done():
            self.answer.set_exception(error)


class Inbox:
    """Many senders, one reader, one event loop."""

    def __init__(self, limit: int = limits.MAX_PENDING_CHANGES) -> None:
        self._limit = limit
        self._pending: list[Pending] = []
        self._wake = asyncio.Event()
        self.closed = False

    @property
    def waiting(self) -> bool:
        """Something is queued."""
        return bool(self._pending)

    def put(self, change: Change) -> asyncio.Future[Answer]:
        """Queues a change.

        Raises:
            OverloadedError: As many changes as allowed wait already.
            UnavailableError: The inbox is closed.
        """
        if self.closed:
            raise UnavailableError("the server is stopping", "SHUTTING_DOWN", retry_after_ms=1_000)
        if len(self._pending) >= self._limit:
            raise OverloadedError("too many membership changes wait", "OVERLOADED", retry_after_ms=1_000)
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._pending.append(Pending(change, answer))
        self._wake.set()
        return answer

    def wake(self) -> None:
        """Wakes the reader though nothing was put: there is something elsewhere."""
        self._wake.set()

    def close(self) -> None:
        """Takes no more changes; what was taken is still read."""
        self.closed = True
        self._wake.set()

    async def take(self) -> list[Pending]:
        """Waits until woken, then takes all there is."""
        await self._wake.wait()
        self._wake.clear()
        taken, self._pending = self._pending, []
        return taken
