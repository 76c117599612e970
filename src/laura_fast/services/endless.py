"""Streams that end only when their client goes: a stopping server ends them itself.

Otherwise one silent client would hold up every graceful stop. Calls that end by themselves are left to finish.
"""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from laura_fast.errors import UnavailableError

if TYPE_CHECKING:
    from collections.abc import Iterator


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

    @contextmanager
    def running(self) -> Iterator[None]:
        """Around the body of a streaming handler, in the task that runs it.

        Raises:
            UnavailableError: The server is stopping.
        """
        task = asyncio.current_task()
        assert task is not None, "a streaming handler runs in a task"  # noqa: S101 - transports promise it
        if self._ending:
            raise _stopping()
        self._tasks.add(task)
        try:
            yield
        except asyncio.CancelledError:
            if not self._ending:
                raise
            task.uncancel()
            raise _stopping() from None
        finally:
            self._tasks.discard(task)


def _stopping() -> UnavailableError:
    return UnavailableError("the server is stopping", "SHUTTING_DOWN", retry_after_ms=1_000)
