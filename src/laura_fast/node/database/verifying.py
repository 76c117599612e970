"""A check of everything stored, on a thread of its own, told about while it runs."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Final

from laura_fast.errors import OverloadedError, UnavailableError
from laura_fast.limits import database as limits

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from laura_fast.storage.documents.store import DocumentStore
    from laura_fast.storage.documents.verification.report import Report

PROGRESS_S: Final = 1.0
"""Between two looks at how far it is."""


class Verifications:
    """Runs checks, `limits.RUNNING_VERIFICATIONS` at a time."""

    def __init__(self, store: DocumentStore) -> None:
        self._store = store
        self._running = 0
        self._stopping = threading.Event()

    def stop(self) -> None:
        """Ends what runs at its next slice."""
        self._stopping.set()

    async def run(self) -> AsyncGenerator[Report, None]:
        """How far the check is, from time to time; the last report has everything. It ends when nobody listens.

        Raises:
            OverloadedError: OVERLOADED: as many as may run at once do.
        """
        if self._running >= limits.RUNNING_VERIFICATIONS:
            raise OverloadedError("another verification runs", "OVERLOADED", retry_after_ms=10_000)
        gone = threading.Event()
        reports: list[Report] = []
        self._running += 1
        work = asyncio.create_task(asyncio.to_thread(self._work, reports, gone))
        try:
            while not work.done():
                await asyncio.wait({work}, timeout=PROGRESS_S)
                if reports and not work.done():
                    yield reports[-1]
            await work
            yield reports[-1]
        finally:
            gone.set()
            self._running -= 1
            await asyncio.wait({work})

    def _work(self, reports: list[Report], gone: threading.Event) -> None:
        asyncio.run(self._verify(reports, gone))

    async def _verify(self, reports: list[Report], gone: threading.Event) -> None:
        async for report in self._store.verify():
            reports[:] = [report]
            if gone.is_set() or self._stopping.is_set():
                raise UnavailableError("the verification was ended", "SHUTTING_DOWN")
