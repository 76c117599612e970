"""`python -m bench.generator.delayed READY NOTED SEED`: a server whose answers take a known time.

Heartbeats wait for a time of the seed's stream, log-normal around 20 ms. How long each one really took, from its
handler's first line to its last, is noted, and written at SIGTERM: what a generator measures must agree with it but
for the fraction of a millisecond that network and framing take.
"""

from __future__ import annotations

import asyncio
import math
import random
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
import uvloop

from laura_fast.pb.lauradb.cluster import cluster_pb2 as pb
from laura_fast.pb.lauradb.cluster import cluster_pb2_grpc as rpc
from laura_fast.transport.native import create_server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MEDIAN_S = 0.02
SIGMA = 0.5
LONGEST_S = 0.2
ANSWER = pb.HeartbeatResponse(ack=True, timestamp=1)
"""To every beat."""


def delays(seed: int) -> Iterator[float]:
    """Endless delays in seconds."""
    rng = random.Random(seed)
    while True:
        yield min(LONGEST_S, rng.lognormvariate(math.log(MEDIAN_S), SIGMA))


class Delayed(rpc.ClusterServiceServicer):
    """Says yes to everything.

    Attributes:
        noted_us: How long each heartbeat took.
    """

    def __init__(self, seed: int) -> None:
        self.noted_us: list[int] = []
        self._delays = delays(seed)

    async def RegisterNode(self, _request: Any, _context: Any) -> pb.NodeRegistrationResponse:  # noqa: N802
        return pb.NodeRegistrationResponse(success=True)

    async def DeregisterNode(self, _request: Any, _context: Any) -> pb.NodeDeregistrationResponse:  # noqa: N802
        return pb.NodeDeregistrationResponse(success=True)

    async def GetTopology(self, _request: Any, _context: Any) -> pb.ClusterTopology:  # noqa: N802
        return pb.ClusterTopology(version=1)

    async def Heartbeat(self, _request: Any, _context: Any) -> pb.HeartbeatResponse:  # noqa: N802
        started = time.perf_counter_ns()
        await asyncio.sleep(next(self._delays))
        self.noted_us.append((time.perf_counter_ns() - started) // 1000)
        return ANSWER


async def serve(service: Delayed, ready: Callable[[str], object]) -> None:
    """Until SIGTERM; `ready` hears the address."""
    server, stopped = create_server(), asyncio.Event()
    rpc.add_ClusterServiceServicer_to_server(service, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    ready(f"127.0.0.1:{port}")
    await stopped.wait()
    await server.stop(1)


def main(ready: Path, noted: Path, seed: int) -> None:
    """Serves, then writes what was noted."""
    service = Delayed(seed)
    uvloop.run(serve(service, ready.write_text))
    noted.write_bytes(orjson.dumps(service.noted_us))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
