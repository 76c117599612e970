"""A native server per test, and connections to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from laura_fast.transport.settings import TransportSettings
from tests.contract.http2_conformance import echo
from tests.contract.http2_conformance.peer import Peer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    Connect = Callable[..., Awaitable[Peer]]


@pytest.fixture
def settings() -> TransportSettings:
    """Override in a module to test others."""
    return TransportSettings(max_message_bytes=1 << 20, min_ping_interval_ms=1)


@pytest.fixture
async def port(settings: TransportSettings) -> AsyncIterator[int]:
    server, port = await echo.start(settings)
    yield port
    await server.stop(0)


@pytest.fixture
async def connect(port: int) -> AsyncIterator[Connect]:
    """Makes connections that end with the test."""
    peers: list[Peer] = []

    async def make(**how: bytes) -> Peer:
        peers.append(await Peer.connect(port, **how))
        return peers[-1]

    yield make
    for peer in peers:
        await peer.close()


@pytest.fixture
async def peer(connect: Connect) -> Peer:
    return await connect()
