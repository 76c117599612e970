"""The thread that reads, so that the event loop never waits for the disk nor long for a scan.

A read is a generator that yields after every slice of work. One thread takes a slice of each running read in turn, so
a point lookup does not wait behind a scan; a second thread would only fight the first for the interpreter's lock.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from time import monotonic
from typing import TYPE_CHECKING, Any, TypeVar

from laura_fast.domain.documents.expressions.watching import watched
from laura_fast.errors import OverloadedError, UnavailableError
from laura_fast.limits import database as limits

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    Slices = Generator[None, None, Any]

Value = TypeVar("Value")


class Readers:
    """Runs reads, `limits.RUNNING_READS` at a time, the others in the order they came. Create in the event loop."""

    def __init__(self) -> None:
        self._wake = threading.Condition()
        self._waiting: deque[_Read] = deque()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="database-reader", daemon=True)
        self._thread.start()

    async def run(self, start: Callable[[], Generator[None, None, Value]]) -> Value:
        """The value that `start()` returns, run on the reader thread; closed at its next slice when nobody waits.

        Raises:
            OverloadedError: OVERLOADED: too many reads wait.
            UnavailableError: SHUTTING_DOWN.
            Exception: Whatever the read raised.
        """
        read = _Read(start, asyncio.get_running_loop())
        with self._wake:
            if self._stopping:
                raise _stopping()
            if len(self._waiting) >= limits.WAITING_READS:
                raise OverloadedError("too many reads wait", "OVERLOADED", retry_after_ms=100)
            self._waiting.append(read)
            self._wake.notify()
        try:
            value: Value = await read.future
        except asyncio.CancelledError:
            read.abandoned = True
            raise
        return value

    def stop(self) -> None:
        """Ends every read, and the thread."""
        with self._wake:
            self._stopping = True
            self._wake.notify()
        self._thread.join()

    def _run(self) -> None:
        running: list[_Read] = []
        while not self._stopping:
            running += self._admit(limits.RUNNING_READS - len(running), wait=not running)
            ended = [read for read in running if read.step()]
            if ended:
                running = [read for read in running if not read.ended]
                _settle(ended)
        running += self._waiting
        for read in running:
            read.refuse(_stopping())
        _settle(running)

    def _admit(self, room: int, *, wait: bool) -> list[_Read]:
        with self._wake:
            while wait and not self._waiting and not self._stopping:
                self._wake.wait()
            return [self._waiting.popleft() for _ in range(min(room, len(self._waiting)))]


class _Read:
    """One read and the future of its caller."""

    __slots__ = ("abandoned", "ended", "error", "future", "loop", "slices", "start", "value")

    def __init__(self, start: Callable[[], Slices], loop: asyncio.AbstractEventLoop) -> None:
        self.start = start
        self.slices: Slices | None = None
        self.loop = loop
        self.future: asyncio.Future[Any] = loop.create_future()
        self.value: Any = None
        self.error: BaseException | None = None
        self.abandoned = False
        self.ended = False

    def step(self) -> bool:
        """One slice; whether it was the last."""
        try:
            if self.slices is None:
                self.slices = self.start()
            if self.abandoned:
                self.slices.close()
                self.ended = True
            else:
                with watched(_time_limit()):
                    next(self.slices)
        except StopIteration as end:
            self.value, self.ended = end.value, True
        except Exception as error:  # noqa: BLE001 - the caller gets it, the thread goes on
            self.error, self.ended = error, True
        return self.ended

    def refuse(self, error: Exception) -> None:
        """Ends it before its end."""
        if self.slices is not None:
            self.slices.close()
        self.error, self.ended = error, True

    def settle(self) -> None:
        """Wakes the caller; on the event loop."""
        if self.future.done():  # the caller was cancelled
            return
        if self.error is None:
            self.future.set_result(self.value)
        else:
            self.future.set_exception(self.error)


def _time_limit() -> Callable[[], None]:
    """For the loops of an `$expr` in one slice: all other reads wait for it."""
    end = monotonic() + limits.SLICE_LOOP_S

    def look() -> None:
        if monotonic() > end:
            raise OverloadedError(
                "the loops of $expr take too long; an aggregation has more time", "EXPRESSION_TOO_LONG"
            )

    return look


def _settle(ended: list[_Read]) -> None:
    """Wakes the callers: one hand-over per loop and round, not one per read."""
    by_loop: dict[asyncio.AbstractEventLoop, list[_Read]] = {}
    for read in ended:
        by_loop.setdefault(read.loop, []).append(read)
    for loop, reads in by_loop.items():
        if not loop.is_closed():
            loop.call_soon_threadsafe(_settle_all, reads)


def _settle_all(reads: list[_Read]) -> None:
    for read in reads:
        read.settle()


def _stopping() -> UnavailableError:
    return UnavailableError("the server is stopping", "SHUTTING_DOWN", retry_after_ms=1_000)
