"""A small service over bytes, and a native server for it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import grpc

from laura_fast.services.binding import in_coroutine
from laura_fast.transport import native
from laura_fast.transport.settings import RpcObserver, TransportSettings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


class Silent(RpcObserver):
    """An observer that counts and says nothing."""

    def __init__(self) -> None:
        self.running = 0

    def rpc_started(self, method: str) -> None:
        self.running += 1

    def rpc_handled(self, method: str, code: int, seconds: float, peer: str) -> None:
        self.running -= 1


async def unary(request: bytes, _context: Any) -> bytes:
    """The request is the answer."""
    return request


def quick(request: bytes, _context: Any) -> bytes:
    """The request is the answer, without a task."""
    return request


async def large(request: bytes, _context: Any) -> bytes:
    """`size` → so many octets."""
    return bytes(int(request))


async def hang(_request: bytes, _context: Any) -> bytes:
    """Never answers."""
    await asyncio.Event().wait()
    return b""


async def repeat(request: bytes, _context: Any) -> AsyncIterator[bytes]:
    """`count size` → so many messages of that size."""
    count, size = map(int, request.split())
    for _ in range(count):
        yield b"x" * size


async def collect(requests: AsyncIterator[bytes], _context: Any) -> bytes:
    """All messages in one."""
    return b"".join([request async for request in requests])


async def echo(requests: AsyncIterator[bytes], _context: Any) -> AsyncIterator[bytes]:
    """Each message back at once."""
    async for request in requests:
        yield request


async def deaf(_requests: AsyncIterator[bytes], _context: Any) -> AsyncIterator[bytes]:
    """Neither reads nor answers."""
    await asyncio.Event().wait()
    yield b""


HANDLER = grpc.method_handlers_generic_handler(
    "test.Echo",
    {
        "Unary": grpc.unary_unary_rpc_method_handler(unary),
        "Inline": grpc.unary_unary_rpc_method_handler(in_coroutine(quick)),
        "Large": grpc.unary_unary_rpc_method_handler(large),
        "Hang": grpc.unary_unary_rpc_method_handler(hang),
        "Repeat": grpc.unary_stream_rpc_method_handler(repeat),
        "Collect": grpc.stream_unary_rpc_method_handler(collect),
        "Deaf": grpc.stream_stream_rpc_method_handler(deaf),
        "Echo": grpc.stream_stream_rpc_method_handler(echo),
    },
)


async def start(settings: TransportSettings) -> tuple[Any, int]:
    """A running server and its port."""
    server = native.create_server(settings, Silent())
    server.add_generic_rpc_handlers((HANDLER,))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    return server, port
