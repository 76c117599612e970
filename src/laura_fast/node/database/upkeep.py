"""What the store must let go of, again and again: old images, outcomes of requests, the oplog's beginning."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from laura_fast.errors import OverloadedError, StorageFailedError
from laura_fast.observability import log

if TYPE_CHECKING:
    from laura_fast.storage.documents.store import DocumentStore

PAUSE_S: Final = 1.0
"""Between two rounds; within one, slice follows slice until nothing is left."""

FULL_PAUSE_S: Final = 5.0
"""After the disk was so full that nothing could be let go."""

_log = log.get("laura_fast.database")


class Upkeep:
    """A task that collects. Start it in the event loop."""

    def __init__(self, store: DocumentStore) -> None:
        self._store = store
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Collects from now on."""
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Ends it; a slice under way is finished by the store."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def _run(self) -> None:
        pause_s = PAUSE_S
        while True:
            await asyncio.sleep(pause_s)
            pause_s = await self._round()

    async def _round(self) -> float:
        """Collects until nothing is left; seconds until the next round."""
        try:
            while await self._store.collect():
                pass
        except OverloadedError as error:
            _log.warning("collecting_failed", error=error.message)
            return FULL_PAUSE_S
        except StorageFailedError:  # the server stops, and says why
            return FULL_PAUSE_S
        except Exception:  # noqa: BLE001 - whatever went wrong, the next round tries again
            _log.exception("collecting_failed")
            return FULL_PAUSE_S
        return PAUSE_S
