"""A time limit on the gaps of a request stream that costs two stores per message instead of a timer per message."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Generic, TypeVar

from laura_fast.errors import DeadlineError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from types import TracebackType

T = TypeVar("T")


class IdleGuard(Generic[T]):
    """Iterates over `requests`; while it waits for one longer than `idle_s`, it raises DeadlineError.

    One timer runs per stream and looks, when it fires, at how long the current wait really is. Enter it and iterate
    over it in the task that runs the handler.
    """

    def __init__(self, requests: AsyncIterator[T], idle_s: float) -> None:
        self._requests = requests
        self._idle_s = idle_s
        self._waits_since: float | None = None
        self._expired = False
        self._loop = asyncio.get_running_loop()
        self._task = asyncio.current_task()
        self._timer = self._loop.call_later(idle_s, self._check)

    def __enter__(self) -> IdleGuard[T]:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._timer.cancel()

    def __aiter__(self) -> IdleGuard[T]:
        return self

    async def __anext__(self) -> T:
        self._waits_since = self._loop.time()
        try:
            return await anext(self._requests)
        except asyncio.CancelledError:
            if self._expired and self._task is not None and self._task.uncancel() == 0:
                raise DeadlineError(f"no message for {self._idle_s:g} s", "STREAM_IDLE") from None
            raise
        finally:
            self._waits_since = None

    def _check(self) -> None:
        now = self._loop.time()
        since = now if self._waits_since is None else self._waits_since
        if now - since < self._idle_s:
            self._timer = self._loop.call_at(since + self._idle_s, self._check)
        elif self._task is not None:
            self._expired = True
            self._task.cancel()
