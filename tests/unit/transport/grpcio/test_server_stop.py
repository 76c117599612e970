"""Stopping a server from several places at once."""

from __future__ import annotations

import asyncio
import subprocess
import sys

STOP_OFTEN = """
import asyncio
from laura_fast.observability.rpc import RpcStats
from laura_fast.transport.grpcio.server import create_server
from laura_fast.transport.settings import TransportSettings

async def stop_later(server, turns):
    for _ in range(turns):
        await asyncio.sleep(0)
    await server.stop(0)

async def main():
    for _ in range(1000):
        server = create_server(TransportSettings(), RpcStats())
        server.add_insecure_port("127.0.0.1:0")
        await server.start()
        await asyncio.gather(*(stop_later(server, turns) for turns in range(6)))

asyncio.run(main())
"""


async def test_stops_that_overlap_do_not_kill_the_process() -> None:
    """In a process of its own: what it guards against is a crash inside C-core's binding."""
    done = await asyncio.to_thread(subprocess.run, [sys.executable, "-c", STOP_OFTEN], capture_output=True, check=False)
    assert (done.returncode, done.stderr.decode()) == (0, "")
