"""The engines that keep the contract of `storage.ordered`, for parametrised fixtures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from laura_fast.storage.embedded import EmbeddedStore
from laura_fast.storage.environment import Environment
from laura_fast.storage.memory import MemoryStore

if TYPE_CHECKING:
    from pathlib import Path

    from laura_fast.storage.ordered import Store

ENGINES = ("memory", "embedded")


def open_store(engine: str, path: Path) -> Store:
    """A store of the engine; a durable one in `path`."""
    return MemoryStore() if engine == "memory" else EmbeddedStore(Environment.open(path))
