"""An event loop whose time is virtual: it never waits, it moves its clock to the next thing that happens.

The same program with the same seed takes the same steps, whatever the machine does meanwhile. What runs in the context
of a `Process` runs only while that process does: a paused one goes on later with everything that came meanwhile, as
after SIGSTOP and SIGCONT; of a killed one nothing runs any more, no handler and no clean-up, as after `kill -9`.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from contextvars import Context, ContextVar
from enum import Enum
from heapq import heappop, heappush
from itertools import count
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

WALL_MS = 1_700_000_000_000
Value = TypeVar("Value")
current: ContextVar[Process | None] = ContextVar("current", default=None)
"""The process that runs now."""
NOWHERE = Context()
"""Of what belongs to no process."""


class IdleError(Exception):
    """Everything waits for something that will never happen."""


class State(Enum):
    """What a process does."""

    RUNNING = 1
    PAUSED = 2
    DEAD = 3


class Process:
    """One life of a simulated process.

    Attributes:
        context: What runs in it belongs to the process.
    """

    def __init__(self) -> None:
        self.state = State.RUNNING
        self.context = Context()
        self.context.run(current.set, self)
        self.waiting: list[Handle] = []


class Handle:
    """A callback to come."""

    __slots__ = ("args", "callback", "context")

    def __init__(self, callback: Callable[..., Any], args: tuple[Any, ...], context: Context | None) -> None:
        self.callback: Callable[..., Any] | None = callback
        self.args = args
        self.context = context if context is not None else _copy_context()

    def cancel(self) -> None:
        """It will not be called."""
        self.callback = None
        self.args = ()

    def cancelled(self) -> bool:
        """Whether `cancel` was called."""
        return self.callback is None


def _copy_context() -> Context:
    process = current.get()
    return process.context if process else NOWHERE


class VirtualLoop(asyncio.BaseEventLoop):
    """A loop without sockets, threads or signals; also the `Clock` of what runs on it.

    Attributes:
        broken: What ends the run at once, wherever it was raised.
    """

    def __init__(self) -> None:
        super().__init__()
        self.broken: BaseException | None = None
        self._now = 0.0
        self._soon: deque[Handle] = deque()
        self._timers: list[tuple[float, int, Handle]] = []
        self._numbers = count()
        self._tasks: list[asyncio.Task[Any]] = []

    # --- clock --------------------------------------------------------------------------------------------------------

    def time(self) -> float:
        return self._now

    def monotonic(self) -> float:
        """`Clock`: seconds since the loop was made."""
        return self._now

    def wall_ms(self) -> int:
        """`Clock`: a date that moves with `time`."""
        return WALL_MS + int(self._now * 1000)

    # --- scheduling ---------------------------------------------------------------------------------------------------

    def call_soon(self, callback: Callable[..., Any], *args: Any, context: Context | None = None) -> Handle:  # type: ignore[override]  # as much of a handle as asyncio uses
        handle = Handle(callback, args, context)
        self._soon.append(handle)
        return handle

    call_soon_threadsafe = call_soon  # type: ignore[assignment]  # there are no threads

    def call_at(self, when: float, callback: Callable[..., Any], *args: Any, context: Context | None = None) -> Handle:  # type: ignore[override]  # as above
        handle = Handle(callback, args, context)
        heappush(self._timers, (when, next(self._numbers), handle))
        return handle

    def call_later(self, delay: float, callback: Callable[..., Any], *args: Any, context: Context | None = None) -> Any:  # type: ignore[override]  # as above
        return self.call_at(self._now + delay, callback, *args, context=context)

    def create_future(self) -> asyncio.Future[Any]:
        return asyncio.Future(loop=self)

    def create_task(  # type: ignore[override]  # never a factory's
        self, coro: Coroutine[Any, Any, Value], *, name: str | None = None, context: Context | None = None
    ) -> asyncio.Task[Value]:
        task = asyncio.Task(coro, loop=self, name=name or "", context=context or _copy_context())
        self._tasks.append(task)
        return task

    # --- processes ----------------------------------------------------------------------------------------------------

    def resume(self, process: Process) -> None:
        """A paused process goes on."""
        if process.state is State.PAUSED:
            process.state = State.RUNNING
            self._soon.extend(process.waiting)
            process.waiting.clear()

    def fail(self, error: BaseException) -> None:
        """Ends the run."""
        self.broken = self.broken or error

    # --- running ------------------------------------------------------------------------------------------------------

    def run_until_complete(self, future: Any) -> Any:
        """Runs until this is done.

        Raises:
            IdleError: Nothing is scheduled any more.
            Exception: What `fail` was given, what a callback raised, or what the future ended with.
        """
        task = future if isinstance(future, asyncio.Future) else self.create_task(future, context=NOWHERE)
        asyncio._set_running_loop(self)  # noqa: SLF001 - how a loop says that it runs
        try:
            self._run(task)
        finally:
            asyncio._set_running_loop(None)  # noqa: SLF001 - as above
        return task.result()

    def _run(self, until: asyncio.Future[Any]) -> None:
        ready, timers, done = self._soon, self._timers, until.done
        while not done():
            if self.broken:
                raise self.broken
            if ready:
                handle = ready.popleft()
            elif timers:
                when, _, handle = heappop(timers)
                if handle.callback is None:
                    continue
                self._now = max(self._now, when)
            else:
                raise IdleError
            if handle.callback is None:
                continue
            process = handle.context.get(current)
            if process is not None and process.state is not State.RUNNING:
                if process.state is State.PAUSED:
                    process.waiting.append(handle)
                continue
            handle.context.run(handle.callback, *handle.args)

    def get_debug(self) -> bool:
        return False

    def close(self) -> None:
        """Ends what is left, so that no collector does it in the midst of another run."""
        for task in self._tasks:
            if not task.done():
                with contextlib.suppress(RuntimeError):  # it would wait again
                    task.get_coro().close()
        self._closed = True
        self._tasks.clear()
        self._soon.clear()
        self._timers.clear()

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """Tasks of killed processes are never finished; that is no news."""
