"""`python -m bench.streams.server TRANSPORT`: serves the streams, prints its port, ends on SIGTERM."""

from __future__ import annotations

import asyncio
import importlib
import signal
import sys
from typing import TYPE_CHECKING, Any

import grpc
import uvloop

from laura_fast.services.binding import stream_behaviour
from laura_fast.services.exchange import exchange

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

SERVICE = "bench.Streams"
MODULES = {"native": "laura_fast.transport.native", "grpc.aio": "grpc.aio"}


async def repeat(request: bytes, _context: Any) -> AsyncIterator[bytes]:
    """`count size` → so many messages of that size."""
    count, size = map(int, request.split())
    message = bytes(size)
    for _ in range(count):
        yield message


async def echo(requests: AsyncIterator[bytes], _context: Any) -> AsyncIterator[bytes]:
    """Each message back."""
    async for request in requests:
        yield request


async def swallow(requests: AsyncIterator[bytes], _context: Any) -> bytes:
    """How many messages came."""
    count = 0
    async for _ in requests:
        count += 1
    return b"%d" % count


class Echo:
    """Each message back at once."""

    def answer(self, request: bytes) -> bytes:
        """The same."""
        return request

    def close(self) -> None:
        """Holds nothing."""


@exchange
def exchanged(_context: Any, _end: Any) -> Echo:
    """One stream."""
    return Echo()


def handler() -> grpc.GenericRpcHandler:
    """All methods."""
    return grpc.method_handlers_generic_handler(
        SERVICE,
        {
            "Repeat": grpc.unary_stream_rpc_method_handler(repeat),
            "Echo": grpc.stream_stream_rpc_method_handler(echo),
            "Swallow": grpc.stream_unary_rpc_method_handler(swallow),
            "Exchange": grpc.stream_stream_rpc_method_handler(stream_behaviour(exchanged)),
        },
    )


async def main(transport: str) -> None:
    """Serves until SIGTERM."""
    server = importlib.import_module(MODULES[transport]).server()
    server.add_generic_rpc_handlers((handler(),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    print(port, flush=True)
    told = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, told.set)
    await told.wait()
    await server.stop(0)


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1]))
