"""Servers and clients for the tests of the client."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.unit.client.fake_cluster import FakeCluster
from tests.unit.client.virtual_time import VirtualTime

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@pytest.fixture
async def cluster() -> AsyncIterator[FakeCluster]:
    fake = await FakeCluster().start()
    yield fake
    await fake.stop()


@pytest.fixture
def time() -> VirtualTime:
    return VirtualTime()
