"""Checks the documents of a data directory whose server is stopped."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from laura_fast.client.documents.outcomes import Verification
from laura_fast.errors import DataDirectoryError
from laura_fast.storage.documents.store import DocumentStore
from laura_fast.storage.embedded import EmbeddedStore
from laura_fast.storage.environment import Environment
from laura_fast.storage.memory import MemoryStore

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from laura_fast.storage.documents.verification.report import Report


async def verify_directory(path: Path, *, replay: bool = False) -> AsyncGenerator[Verification]:
    """Checks everything against everything and tells how far it is; the last value is complete.

    Args:
        path: The data directory.
        replay: Also replay the oplog on an empty engine in memory, where it reaches back to its beginning.

    Raises:
        DataDirectoryError: No server ever ran there, or one does now.
    """
    if not (path / "FORMAT").is_file():
        raise DataDirectoryError(f"{path} is not the data directory of a server")
    environment = await asyncio.to_thread(Environment.open, path)
    try:
        store = await asyncio.to_thread(DocumentStore, EmbeddedStore(environment))
        async for report in store.verify(MemoryStore() if replay else None):
            yield _verification(report)
    finally:
        environment.close()


def _verification(report: Report) -> Verification:
    more = [f"and {report.more} more"] if report.more else []
    return Verification(
        complete=report.finished,
        documents=report.documents,
        index_entries=report.entries,
        oplog_entries=report.oplog,
        problems=tuple(report.findings + more) if report.finished else (),
    )
