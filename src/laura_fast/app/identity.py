"""Who this server is: an id that stays with the data directory."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Final

from laura_fast.errors import DataDirectoryError

if TYPE_CHECKING:
    from laura_fast.metadata.store import MetadataStore

KEY: Final = b"server/node_id"


async def own_id(store: MetadataStore, configured: str) -> str:
    """The id of the server whose data this is, made and kept at the first start.

    Raises:
        DataDirectoryError: The directory belongs to another id than the configured one. Its votes and log entries
            were made in that name, so taking them over under another would break promises made to other nodes.
    """
    kept = _read(store)
    if kept is None:
        kept = configured or f"node-{secrets.token_hex(6)}"
        await store.commit(expect={KEY: None}, put={KEY: kept.encode()})
    if configured and configured != kept:
        raise DataDirectoryError(f"the data directory belongs to node {kept}, not to {configured}; choose another")
    return kept


def _read(store: MetadataStore) -> str | None:
    return next((value.decode() for key, value in store.read(KEY) if key == KEY), None)
