"""Streams that end only when their client goes: a stopping server ends them itself.

Otherwise one watcher would hold up every graceful stop for the whole grace time. Finite calls are left to finish.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from laura_fast.errors import UnavailableError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from laura_fast.services.binding import Context, StreamBehaviour


class EndlessStreams:
    """The running endless streams of one server. As many as the transport lets in; each costs one set entry."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()
        self._ending = False

    def end_all(self) -> None:
        """Ends each with UNAVAILABLE, so that its client looks for another server. Later ones end at once."""
        self._ending = True
        for task in self._tasks:
            task.cancel()

    def endless(self, behaviour: StreamBehaviour) -> StreamBehaviour:
        """`behaviour`, ended when the server stops."""

        async def ended(request: Any, context: Context) -> AsyncIterator[Any]:
            task = asyncio.current_task()
            assert task is not None, "a streaming handler runs in a task"  # noqa: S101 - transports promise it
            if self._ending:
                raise _stopping()
            self._tasks.add(task)
            try:
                async for answer in behaviour(request, context):
                    yield answer
            except asyncio.CancelledError:
                if not self._ending:
                    raise
                task.uncancel()
                raise _stopping() from None
            finally:
                self._tasks.discard(task)

        return ended


def _stopping() -> UnavailableError:
    return UnavailableError("the server is stopping; use another one", "STOPPING", retry_after_ms=1000)
