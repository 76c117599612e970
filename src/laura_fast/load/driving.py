"""Who sends when: the open loop keeps to its schedule, the closed loop answers each answer with the next call."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from typing import TYPE_CHECKING

from laura_fast.errors import Code
from laura_fast.load.ticking import Ticker

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from laura_fast.load.calls import Workload
    from laura_fast.load.link import Link
    from laura_fast.load.plan import Schedule
    from laura_fast.load.saturation import Saturation


class Loop:
    """What both loops have in common.

    Attributes:
        done: Set when all calls are over, or all connections.
        lost_connections: How many ended before that.
    """

    def __init__(self, links: Sequence[Link], workload: Workload) -> None:
        self.done = asyncio.Event()
        self.lost_connections = 0
        self._links = deque(links)
        self._workload = workload
        for link in links:
            link.owner = self

    def answered(self, link: Link) -> None:
        raise NotImplementedError

    def lost(self, link: Link) -> None:
        self._links.remove(link)
        if not self.done.is_set():
            self.lost_connections += 1
        self._end_if_over()

    def _over(self) -> bool:
        """No call will be sent any more."""
        raise NotImplementedError

    def _end_if_over(self) -> None:
        if not self._links or (self._over() and not any(link.in_flight for link in self._links)):
            self.done.set()


class OpenLoop(Loop):
    """Calls at the times of a schedule.

    Args:
        links: Connections; calls go to each in turn.
        workload: The calls.
        schedule: Their times.
        saturation: Hears how late the ticks are.
        clock_ns: The monotonic clock.
    """

    def __init__(
        self,
        links: Sequence[Link],
        workload: Workload,
        schedule: Schedule,
        saturation: Saturation,
        clock_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        super().__init__(links, workload)
        self._schedule = schedule
        self._saturation = saturation
        self._clock_ns = clock_ns
        self._backlog: deque[tuple[float, int]] = deque()  # intended time, calls that had no room yet
        self._start_ns = 0
        self._ticker: Ticker | None = None

    def start(self, start_ns: int) -> None:
        """The first call is due then."""
        self._start_ns = start_ns
        self._ticker = Ticker(start_ns, self._schedule.tick_ns, self.tick)

    def end_sending(self) -> None:
        """Nothing to do: the schedule ends by itself, and what is in the backlog was due."""

    def give_up(self) -> None:
        """No more calls: those that were not sent have failed."""
        if self._ticker is not None:
            self._ticker.close()
        unsent = sum(calls for _, calls in self._backlog) + self._schedule.remaining
        if unsent:
            status = Code.DEADLINE_EXCEEDED if self._links else Code.UNAVAILABLE
            self._workload.methods[0].failures[status.name] += unsent
        self._backlog.clear()

    def tick(self) -> None:
        """Sends what is due."""
        elapsed_ns = self._clock_ns() - self._start_ns
        for batch in self._schedule.due(elapsed_ns):
            self._saturation.ticked((elapsed_ns - batch.offset_ns) // 1000)
            self._backlog.append(((self._start_ns + batch.offset_ns) / 1e9, batch.calls))
        if self._schedule.exhausted and self._ticker is not None:
            self._ticker.close()
        self._send()

    def answered(self, link: Link) -> None:  # noqa: ARG002  # any connection may have room
        if self._backlog:
            self._send()
        if self._schedule.exhausted:
            self._end_if_over()

    def _over(self) -> bool:
        return self._schedule.exhausted and not self._backlog

    def _send(self) -> None:
        backlog = self._backlog
        written: dict[Link, None] = {}
        while backlog:
            intended, calls = backlog.popleft()
            left = self._spread(calls, intended, written)
            if left:
                backlog.appendleft((intended, left))
                break
        for link in written:
            link.flush()

    def _spread(self, calls: int, intended: float, written: dict[Link, None]) -> int:
        """Gives each connection an equal share, as far as it has room; how many calls are left."""
        links, full = self._links, 0
        share = max(1, calls // len(links)) if links else 0
        while calls and full < len(links):
            link = links[0]
            links.rotate(-1)
            count = min(share, calls, link.room)
            if count <= 0:
                full += 1
                continue
            full = 0
            link.send(self._workload.calls, count, intended)
            written[link] = None
            calls -= count
        return calls


class ClosedLoop(Loop):
    """As many calls at once as there are streams, and another one for each answer: hides queueing."""

    def __init__(
        self, links: Sequence[Link], workload: Workload, clock_s: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__(links, workload)
        self._clock_s = clock_s
        self._stopped = False

    def start(self) -> None:
        """Sends the first calls."""
        for link in tuple(self._links):
            self.answered(link)

    def end_sending(self) -> None:
        """No more calls."""
        self._stopped = True
        self._end_if_over()

    def give_up(self) -> None:
        """Nothing to do: every call was sent."""

    def answered(self, link: Link) -> None:
        if self._stopped:
            self._end_if_over()
        elif link.room > 0:
            link.send(self._workload.calls, link.room, self._clock_s())
            link.flush()

    def _over(self) -> bool:
        return self._stopped
