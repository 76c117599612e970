"""Where a server's data is: on disk, or for tests in memory."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from laura_fast.metadata.embedded import EmbeddedMetadata
from laura_fast.metadata.memory import MemoryMetadata
from laura_fast.observability import log
from laura_fast.storage.embedded import EmbeddedStore
from laura_fast.storage.environment import Environment
from laura_fast.storage.memory import MemoryStore

if TYPE_CHECKING:
    from collections.abc import Callable

    from laura_fast.config import Config
    from laura_fast.errors import StorageFailedError
    from laura_fast.metadata.store import MetadataStore
    from laura_fast.storage.ordered import Store

_log = log.get("laura_fast.server")


class Data(NamedTuple):
    """Both views of one engine. Closing the store closes it."""

    store: Store
    metadata: MetadataStore


def open_data(config: Config, on_failure: Callable[[StorageFailedError], None]) -> Data:
    """Opens what `config` asks for. It may wait for the disk.

    Args:
        config: Says where.
        on_failure: Called once, on another thread, when nothing can be made durable any more.

    Raises:
        DataDirectoryError: The directory can't be used.
    """
    if config.storage == "memory":
        _log.warning("storage_in_memory", note="nothing survives the end of this process")
        return Data(MemoryStore(), MemoryMetadata())
    environment = Environment.open(Path(config.data_dir))
    environment.on_failure = on_failure
    return Data(EmbeddedStore(environment), EmbeddedMetadata(environment))
