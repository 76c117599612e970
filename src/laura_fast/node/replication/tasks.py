"""The background work of one member, which ends with it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from laura_fast.errors import ClientError, StorageFailedError
from laura_fast.observability import log

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from typing import Any

_log = log.get("laura_fast.replication")


class Tasks:
    """Tasks that nobody waits for. Belongs to one event loop."""

    def __init__(self, me: str) -> None:
        self._me = me
        self._tasks: set[asyncio.Task[Any]] = set()

    def spawn(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Begins it. What others don't answer is nothing to speak of; any other error is our bug, and logged."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    async def stop(self) -> None:
        """Ends everything at once. Twice is fine."""
        tasks = [*self._tasks]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if task.cancelled():
            return
        error = task.exception()
        if error and not isinstance(
            error, (ClientError, TimeoutError, StorageFailedError)
        ):  # the node hears of its disk
            _log.critical("replica_set_task_failed", node=self._me, exc_info=error)
