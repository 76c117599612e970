"""The server's id is made once and stays with its data."""

from __future__ import annotations

import pytest

from laura_fast.app.identity import own_id
from laura_fast.errors import DataDirectoryError
from laura_fast.metadata.memory import MemoryMetadata


async def test_a_generated_id_is_kept() -> None:
    store = MemoryMetadata()
    first = await own_id(store, "")
    assert first.startswith("node-")
    assert await own_id(store, "") == first
    assert await own_id(MemoryMetadata(), "") != first


async def test_a_configured_id_is_kept_when_it_is_no_longer_configured() -> None:
    store = MemoryMetadata()
    assert await own_id(store, "n1") == await own_id(store, "") == await own_id(store, "n1") == "n1"


async def test_the_data_of_another_node_is_refused() -> None:
    store = MemoryMetadata()
    await own_id(store, "n1")
    with pytest.raises(DataDirectoryError, match="belongs to node n1, not to n2"):
        await own_id(store, "n2")
