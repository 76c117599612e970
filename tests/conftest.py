"""A whole server in the test's own event loop, once per transport."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import grpc
import pytest

from laura_fast.app import Server
from laura_fast.config import Config

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

TRANSPORTS = ("grpcio", "native")
"""Every test over the wire runs on each."""


if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell starts its background jobs with Ctrl-C ignored, and every program they start would inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(params=TRANSPORTS)
def transport_name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def config(tmp_path: Path, transport_name: str) -> Config:
    """Settings of the server under test; override in a module to test others."""
    return Config(host="127.0.0.1", port=0, data_dir=str(tmp_path / "data"), transport=transport_name)  # type: ignore[arg-type]  # one of TRANSPORTS


@pytest.fixture
async def server(config: Config) -> AsyncIterator[Server]:
    running = Server(config)
    await running.start()
    yield running
    await running.stop(grace_s=0)


@pytest.fixture
async def channel(server: Server) -> AsyncIterator[grpc.aio.Channel]:
    async with grpc.aio.insecure_channel(server.address) as open_channel:
        yield open_channel
