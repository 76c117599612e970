"""Commit times of a member: of its newest entry, and of the newest that no rollback takes back; who waits for them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from laura_fast.storage.documents.store import DocumentStore


class Moments:
    """Reads wait here until this member has come far enough. Belongs to one event loop.

    Attributes:
        waited_for: Whether anybody waits; may be asked from any thread.
    """

    def __init__(self, store: DocumentStore) -> None:
        self._store = store
        self._waiting: dict[asyncio.Future[None], Callable[[], bool]] = {}

    @property
    def waited_for(self) -> bool:
        return bool(self._waiting)

    def newest(self) -> int:
        """Of the last entry."""
        return self._store.head.time

    def committed(self) -> int | None:
        """Of the state that no rollback takes back; None until this member has heard of a commit point.

        It is the last moment before the first entry that may be rolled back: that one is always kept.
        """
        head, point = self._store.head, self._store.commit_point
        if not point:
            return None
        if point >= head.op_id:
            return head.time
        return self._store.read_oplog(point + 1, 1, 1)[0].time - 1

    def committed_since(self, time: int) -> bool:
        """Whether the state that no rollback takes back is known, and as new as this time."""
        committed = self.committed()
        return committed is not None and committed >= time

    async def wait(self, reached: Callable[[], bool]) -> None:
        """Returns when the condition holds. It is looked at when this member comes further."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting[future] = reached  # before the first look: what comes between the two wakes it
        try:
            if not reached():
                await future
        finally:
            del self._waiting[future]

    def moved(self) -> None:
        """This member has come further."""
        for future, reached in self._waiting.items():
            if not future.done() and reached():
                future.set_result(None)
