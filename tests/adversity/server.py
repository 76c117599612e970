"""The test service on the native transport in a process of its own: python -m tests.adversity.server JSON.

Prints its port. The argument has `settings` (fields of TransportSettings), `limits` (constants of limits.transport to
replace, so that a test need not wait for the real times) and maybe `files` (open files allowed).
"""

from __future__ import annotations

import asyncio
import json
import resource
import signal
import sys
from typing import Any

import uvloop

from laura_fast.limits import transport as limits
from laura_fast.transport.settings import TransportSettings


async def main(how: dict[str, Any]) -> None:
    """Serves until SIGTERM, then stops within a second."""
    if how.get("files"):
        resource.setrlimit(resource.RLIMIT_NOFILE, (how["files"], how["files"]))
    for name, value in how.get("limits", {}).items():
        assert hasattr(limits, name), name
        setattr(limits, name, value)
    from tests.contract.http2_conformance import echo  # noqa: PLC0415  # after the limits are replaced

    server, port = await echo.start(TransportSettings(**how.get("settings", {})))
    print(port, flush=True)
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await stop.wait()
    await server.stop(1.0)


if __name__ == "__main__":
    uvloop.run(main(json.loads(sys.argv[1])))
