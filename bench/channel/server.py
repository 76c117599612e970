"""`python -m bench.channel.server`: the native server with one echoing method; prints its port, ends on SIGTERM."""

from __future__ import annotations

import asyncio
import signal
from typing import Any

import grpc
import uvloop

from laura_fast.transport.native import server as native_server

SERVICE = "bench.Channel"


async def echo(request: bytes, _context: Any) -> bytes:
    """The request back."""
    return request


async def main() -> None:
    """Serves until SIGTERM."""
    server = native_server()
    handlers: dict[str, Any] = {"Echo": grpc.unary_unary_rpc_method_handler(echo)}
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, handlers),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    print(port, flush=True)
    told = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, told.set)
    await told.wait()
    await server.stop(0)


if __name__ == "__main__":
    uvloop.run(main())
