"""A router in memory and a client of its documents."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from laura_fast.client import ClusterClient
from laura_fast.client.documents import DocumentClient
from tests.unit.client.documents.fake_router import FakeRouter
from tests.unit.client.virtual_time import VirtualTime

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@pytest.fixture
async def router() -> AsyncIterator[FakeRouter]:
    fake = await FakeRouter().start()
    yield fake
    await fake.stop()


@pytest.fixture
async def documents(router: FakeRouter) -> AsyncIterator[DocumentClient]:
    async with ClusterClient(router.address, timing=VirtualTime().timing) as cluster:
        yield DocumentClient(cluster)
