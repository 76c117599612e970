"""Commits of cluster state: what durability costs, alone and when callers share an fsync."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from laura_fast.metadata.embedded import EmbeddedMetadata
from laura_fast.metadata.memory import MemoryMetadata
from laura_fast.storage.environment import Environment

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bench.harness import Measure
    from laura_fast.metadata.store import MetadataStore

VALUE = b"v" * 120
"""As long as a member's record."""


@pytest.fixture(params=["embedded", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[MetadataStore]:
    """Each store; the one in memory is the floor."""
    if request.param == "memory":
        yield MemoryMetadata()
    else:
        environment = Environment.open(tmp_path)
        yield EmbeddedMetadata(environment)
        environment.close()


@pytest.mark.benchmark(group="metadata")
@pytest.mark.grid("concurrency", default=(1, 64), full=(1, 8, 64, 512))
def test_commit(measure: Measure, store: MetadataStore, concurrency: int) -> None:
    """One key put; as many callers as `concurrency` wait for their commits at once."""

    async def commit(number: int) -> bool:
        await store.commit(put={b"member/%d" % number: VALUE})
        return True

    measure(commit, bool, calls=max(50, 2 * concurrency), concurrency=concurrency)
    assert (b"member/0", VALUE) in store.read(b"member/")


@pytest.mark.benchmark(group="metadata")
def test_compare_and_swap(measure: Measure, store: MetadataStore) -> None:
    """One key put if the version is the expected one, as membership's writer does."""
    version = b"0"

    async def swap(number: int) -> bool:
        nonlocal version
        expected, version = version, b"%d" % (number + 1)
        await store.commit(expect={b"version": expected if number else None}, put={b"version": version})
        return True

    measure(swap, bool, calls=50)
    assert store.read(b"version") == [(b"version", version)]
