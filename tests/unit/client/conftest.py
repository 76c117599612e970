"""Servers and clients for the tests of the client."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, cast

import pytest

from tests.unit.client.fake_cluster import FakeCluster
from tests.unit.client.virtual_time import VirtualTime

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable


@pytest.fixture
async def cluster() -> AsyncIterator[FakeCluster]:
    fake = await FakeCluster().start()
    yield fake
    await fake.stop()


@pytest.fixture
def time() -> VirtualTime:
    return VirtualTime()


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture) -> Callable[[], list[dict[str, Any]]]:
    """Answers the lines of laura_fast's own logs so far, as the mappings they are."""
    caplog.set_level(logging.INFO, "laura_fast")
    return lambda: [cast("dict[str, Any]", record.msg) for record in caplog.records if record.name.startswith("laura")]
