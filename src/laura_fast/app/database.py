"""The database of one server: its store, and the secret of its cursors."""

from __future__ import annotations

import asyncio
import secrets
from typing import TYPE_CHECKING, Any, Final, cast

from laura_fast.domain.documents.indexing.definitions import parse_definition
from laura_fast.domain.documents.indexing.entries import compile_index
from laura_fast.node.database.cursors import SECRET_BYTES, Cursors
from laura_fast.node.database.database import Database
from laura_fast.node.database.settings import DatabaseSettings
from laura_fast.storage.documents.retention import Retention
from laura_fast.storage.documents.store import DocumentStore

if TYPE_CHECKING:
    from collections.abc import Mapping

    from laura_fast.app.data import Data
    from laura_fast.config import Config
    from laura_fast.metadata.store import MetadataStore
    from laura_fast.node.ports import Clock
    from laura_fast.storage.documents.catalog import CompiledIndex

SECRET_KEY: Final = b"database/cursor_secret"
ANSWER_SHARE: Final = 0.95
"""Of the largest message, what results may take; the rest is for their frame."""


async def open_database(config: Config, data: Data, clock: Clock) -> Database:
    """Opens the documents in `data`."""
    store = await asyncio.to_thread(
        DocumentStore, data.store, _compiled, now_ms=clock.wall_ms, max_bytes=config.quota_bytes
    )
    store.retention = Retention(config.snapshot_window_ms, config.oplog_bytes, config.oplog_age_ms)
    settings = DatabaseSettings(
        max_examined=config.max_examined,
        query_memory_bytes=config.query_memory_bytes,
        max_answer_bytes=int(config.max_message_bytes * ANSWER_SHARE),
    )
    cursors = Cursors(await _cursor_secret(data.metadata), clock, config.cursor_lifetime_ms)
    return Database(store, cursors, clock, settings)


async def _cursor_secret(store: MetadataStore) -> bytes:
    """What signs cursors, made at the first start: a page can be continued after a restart."""
    for key, value in store.read(SECRET_KEY):
        if key == SECRET_KEY:
            return value
    secret = secrets.token_bytes(SECRET_BYTES)
    await store.commit(expect={SECRET_KEY: None}, put={SECRET_KEY: secret})
    return secret


def _compiled(definition: Mapping[str, Any]) -> CompiledIndex:
    """The storage sees no more of an index than it needs; the planner gets it back whole."""
    return cast("CompiledIndex", compile_index(parse_definition(definition)))
