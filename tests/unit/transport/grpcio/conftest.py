"""A grpcio server with one small service, on loopback."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import grpc
import pytest

from laura_fast.transport.grpcio import create_server
from laura_fast.transport.settings import RpcObserver, TransportSettings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from contextlib import AbstractAsyncContextManager

    Serve = Callable[..., AbstractAsyncContextManager[Any]]


class Recorder(RpcObserver):
    """An RpcObserver that remembers."""

    def __init__(self) -> None:
        self.started: list[str] = []
        self.handled: list[tuple[str, int, str]] = []

    def rpc_started(self, method: str) -> None:
        self.started.append(method)

    def rpc_handled(self, method: str, code: int, seconds: float, peer: str) -> None:
        assert seconds >= 0
        self.handled.append((method, code, peer))

    async def codes(self, count: int = 1) -> list[int]:
        """Codes reported so far, once there are `count`: the client may hear of the end first."""
        await until(lambda: len(self.handled) >= count)
        return [code for _, code, _ in self.handled]


async def until(condition: Callable[[], bool]) -> None:
    """Polls; TimeoutError after 5 s."""
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110  # the observer's calls are plain, there is no event to wait for
            await asyncio.sleep(0.001)


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


@pytest.fixture
def serve(recorder: Recorder) -> Serve:
    """Runs a server with these handlers and settings, and gives a channel to it."""

    @asynccontextmanager
    async def running(handlers: dict[str, Any], **settings: int) -> AsyncIterator[Any]:
        server = create_server(TransportSettings(**settings), recorder)
        server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler("t.T", handlers)])
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        try:
            async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
                yield channel
        finally:
            await server.stop(None)

    return running
