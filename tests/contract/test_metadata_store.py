"""Every metadata store keeps the same contract."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from laura_fast.errors import CompareFailedError
from laura_fast.metadata.embedded import EmbeddedMetadata
from laura_fast.metadata.memory import MemoryMetadata
from laura_fast.storage.environment import Environment

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from laura_fast.metadata.store import MetadataStore


@pytest.fixture(params=["memory", "embedded"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[MetadataStore]:
    if request.param == "memory":
        yield MemoryMetadata()
        return
    environment = Environment.open(tmp_path / "data")
    yield EmbeddedMetadata(environment)
    environment.close()


async def test_reads_a_prefix_in_key_order_and_nothing_else(store: MetadataStore) -> None:
    await store.commit(put={b"m/b": b"2", b"m/a": b"1", b"n/a": b"3", b"l/z": b"0"})
    assert store.read(b"m/") == [(b"m/a", b"1"), (b"m/b", b"2")]
    assert store.read(b"x") == []
    assert len(store.read(b"")) == 4


async def test_a_failed_expectation_applies_nothing(store: MetadataStore) -> None:
    await store.commit(put={b"k": b"1"})
    with pytest.raises(CompareFailedError) as caught:
        await store.commit(expect={b"k": b"2"}, put={b"other": b"x"}, delete=[b"k"])
    assert caught.value.key == b"k"
    assert store.read(b"") == [(b"k", b"1")]


async def test_expecting_absence(store: MetadataStore) -> None:
    await store.commit(expect={b"k": None}, put={b"k": b"1"})
    with pytest.raises(CompareFailedError):
        await store.commit(expect={b"k": None}, put={b"k": b"2"})
    assert store.read(b"k") == [(b"k", b"1")]


async def test_deletes_and_ignores_absent_keys(store: MetadataStore) -> None:
    await store.commit(put={b"a": b"1", b"b": b"2"})
    await store.commit(delete=[b"a", b"never-there"])
    assert store.read(b"") == [(b"b", b"2")]


async def test_concurrent_swaps_have_exactly_one_winner(store: MetadataStore) -> None:
    await store.commit(put={b"version": b"0"})
    swaps = [store.commit(expect={b"version": b"0"}, put={b"version": str(i).encode()}) for i in range(1, 21)]
    outcomes = await asyncio.gather(*swaps, return_exceptions=True)
    losers = [outcome for outcome in outcomes if isinstance(outcome, CompareFailedError)]
    assert (len(losers), len(outcomes)) == (19, 20)
