"""Heartbeats of every member in turn, from prepared bytes."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.cluster import SERVICE
from bench.endurance.rawclient import RawConnection, connect, message

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.processes import Process

PATH = SERVICE + "Heartbeat"
PROBE_CALLS = 10
MIN_CALLS = 200
MAX_ANSWERED_BYTES = 1 << 30
"""Half of the window that a connection opens with: it is never reopened."""


@dataclass(frozen=True, slots=True)
class Load:
    """Closed loop of prepared beats."""

    connections: int
    streams: int
    seconds: float
    """About; the number of calls is fixed before the clock starts."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What a run of beats cost."""

    calls: int
    seconds: float
    cpu_us_per_call: float


async def measure(server: Process, bodies: Sequence[bytes], answer_bytes: int, load: Load) -> Measured:
    """Sends the bodies in turn over fresh connections.

    Args:
        server: Who answers.
        bodies: Encoded requests; repeated as often as needed.
        answer_bytes: Size of every right answer.
        load: How many, how fast.

    Raises:
        AssertionError: The answers do not add up to as many of that size.
    """
    lines = await _connect(server, bodies, load.connections)
    try:
        probe = await _run(server, lines, PROBE_CALLS, 1, answer_bytes)
        wanted = int(load.seconds * probe.calls / probe.seconds)
        calls = max(MIN_CALLS, min(wanted, MAX_ANSWERED_BYTES // answer_bytes))
        return await _run(server, lines, calls // load.connections, load.streams, answer_bytes)
    finally:
        for line in lines:
            line.abort()
        await asyncio.gather(*(line.closed for line in lines))


async def _connect(server: Process, bodies: Sequence[bytes], connections: int) -> list[RawConnection]:
    host, _, port = server.address.rpartition(":")
    shares = [bodies[first::connections] or bodies for first in range(connections)]
    return [await connect((host, int(port)), PATH, *share) for share in shares]


async def _run(
    server: Process, lines: Sequence[RawConnection], calls: int, streams: int, answer_bytes: int
) -> Measured:
    """`calls` on each connection."""
    received = sum(line.data_bytes for line in lines)
    cpu_s, started = server.cpu_s(), time.perf_counter()
    await asyncio.gather(*(line.run(calls, streams) for line in lines))
    seconds, cpu_s = time.perf_counter() - started, server.cpu_s() - cpu_s
    total = calls * len(lines)
    received = sum(line.data_bytes for line in lines) - received
    assert received == total * len(message(b"\0" * answer_bytes)), f"{total} answers have {received} bytes"
    return Measured(total, seconds, cpu_s / total * 1e6)
