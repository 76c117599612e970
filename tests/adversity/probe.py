"""A well-behaved client in a process of its own: python -m tests.adversity.probe PORT.

Calls every few milliseconds on one connection, and on a new one for every hundredth call. For each line on stdin it
prints what happened since the line before: calls, failures, and latencies in milliseconds.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time

from tests.contract.http2_conformance.peer import Peer

PAUSE_S = 0.002
CALLS_PER_CONNECTION = 100


class Probe:
    """Counts since the last report."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._latencies_ms: list[float] = []
        self._failures: list[str] = []

    async def run(self) -> None:
        """Calls for ever."""
        while True:
            try:
                peer = await Peer.connect(self._port)
                for number in range(CALLS_PER_CONNECTION):
                    await self._call(peer, 2 * number + 1)
                    await asyncio.sleep(PAUSE_S)
                await peer.close()
            except Exception as error:  # noqa: BLE001  # whatever it is, the probe failed
                self._failures.append(repr(error))
                await asyncio.sleep(PAUSE_S)

    async def _call(self, peer: Peer, stream_id: int) -> None:
        started = time.perf_counter()
        if not await peer.is_served(stream_id):
            self._failures.append("wrong answer")
        self._latencies_ms.append((time.perf_counter() - started) * 1000)

    def report(self) -> str:
        latencies, failures = sorted(self._latencies_ms), self._failures
        self._latencies_ms, self._failures = [], []
        at = [round(latencies[int(share * (len(latencies) - 1))], 2) if latencies else 0.0 for share in (0.5, 0.99, 1)]
        report = {"calls": len(latencies), "failures": len(failures), "examples": failures[:3]}
        return json.dumps(report | dict(zip(("p50_ms", "p99_ms", "max_ms"), at, strict=True)))


async def main(port: int) -> None:
    """Probes until stdin ends."""
    probe = Probe(port)
    running = asyncio.create_task(probe.run())
    lines = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    while await lines.readline():
        print(probe.report(), flush=True)
    running.cancel()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
