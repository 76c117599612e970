"""Four trials, each of which asks whether memory comes back: idle connections, calls, reconnects, cancelled streams."""

from __future__ import annotations

import asyncio
import time
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import psutil

from bench.cluster import PLAIN_ACK_MAX_BYTES
from bench.endurance.rawclient import RawConnection, connect, message
from laura_fast.pb.lauradb.cluster import cluster_pb2

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from bench.processes import Process

    Address = tuple[str, int]

HEARTBEAT = "/lauradb.cluster.ClusterService/Heartbeat"
GET_TOPOLOGY = "/lauradb.cluster.ClusterService/GetTopology"
NODE_ID = "endurance-1"
SAMPLES = 20
CHURN_IN_FLIGHT = 50
CANCELS_PER_CONNECTION = 150
"""Below the burst of resets that one connection may send."""


@dataclass
class Trial:
    """What one trial did and what the server's memory did meanwhile (RssAnon, KiB)."""

    name: str
    count: int
    seconds: float = 0.0
    memory_kib: list[int] = field(default_factory=list)
    descriptors: list[int] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def second_half_growth_kib(self) -> int:
        """Growth after the first half: what a leak would show, with the warm-up left out."""
        return self.memory_kib[-1] - self.memory_kib[len(self.memory_kib) // 2]

    def as_dict(self) -> dict[str, Any]:
        """For the raw file."""
        return asdict(self) | {"second_half_growth_kib": self.second_half_growth_kib}


class Probe:
    """The server process as the operating system sees it."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._handle = psutil.Process(process.pid)

    def sample(self, trial: Trial) -> None:
        """Adds one reading."""
        trial.memory_kib.append(self._process.rss_anon_bytes() // 1024)
        trial.descriptors.append(self._handle.num_fds())


async def idle(address: Address, probe: Probe, count: int) -> Trial:
    """Opens `count` connections that complete the handshake and then say nothing."""
    trial = Trial("idle connections", count)
    started = time.monotonic()
    probe.sample(trial)
    connections: list[RawConnection] = []
    for _ in range(0, count, 100):
        missing = count - len(connections)
        connections += await asyncio.gather(*(_open_ready(address) for _ in range(min(100, missing))))
        probe.sample(trial)
    alive = sum(not connection.closed.done() for connection in connections)
    assert alive == count, f"{count - alive} idle connections were closed"
    trial.facts["kib_per_connection"] = (trial.memory_kib[-1] - trial.memory_kib[0]) / count
    for connection in connections:
        connection.abort()
    trial.seconds = time.monotonic() - started
    return trial


async def _open_ready(address: Address) -> RawConnection:
    connection = await connect(address, HEARTBEAT, b"")
    await connection.ready
    return connection


async def calls(address: Address, probe: Probe, count: int) -> Trial:
    """Makes `count` heartbeats over ten connections of ten streams."""
    trial = Trial("calls", count)
    payload = heartbeat()
    connections = [await connect(address, HEARTBEAT, payload) for _ in range(10)]
    per_turn = count // SAMPLES // len(connections)

    async def turn(_: int) -> None:
        await asyncio.gather(*(connection.run(per_turn, 10) for connection in connections))

    await _sampled(trial, probe, turn)
    answered = sum(connection.finished for connection in connections)
    received = sum(connection.data_bytes for connection in connections)
    assert answered == SAMPLES * per_turn * len(connections)
    assert received == answered * len(message(bytes(PLAIN_ACK_MAX_BYTES))), "an answer was not a plain acknowledgement"
    trial.facts |= {"answers": answered, "answer_bytes": received / answered}
    for connection in connections:
        connection.abort()
    return trial


async def churn(address: Address, probe: Probe, count: int) -> Trial:
    """Connects, makes one call and leaves, `count` times; every second one leaves without a goodbye."""
    trial = Trial("connect and disconnect", count)
    payload = heartbeat()
    answered = 0

    async def cycle(number: int) -> None:
        nonlocal answered
        connection = await connect(address, HEARTBEAT, payload)
        await connection.run(1, 1)
        answered += connection.finished
        connection.abort()

    async def turn(index: int) -> None:
        per_turn = count // SAMPLES
        for begun in range(0, per_turn, CHURN_IN_FLIGHT):
            await asyncio.gather(*(cycle(index + begun + i) for i in range(min(CHURN_IN_FLIGHT, per_turn - begun))))

    await _sampled(trial, probe, turn)
    assert answered == count // SAMPLES * SAMPLES, f"{count - answered} calls were not answered"
    return trial


async def cancels(address: Address, probe: Probe, count: int, version: int) -> Trial:
    """Begins `count` long polls for what follows `version` and resets each, over as many connections as that takes."""
    trial = Trial("cancelled streams", count)
    payload = cluster_pb2.GetTopologyRequest(min_version=version, wait_ms=20_000).SerializeToString()
    reached = cluster_pb2.GetTopologyRequest().SerializeToString()
    killed = 0

    async def turn(_: int) -> None:
        nonlocal killed
        for _ in range(count // SAMPLES // CANCELS_PER_CONNECTION):
            connection = await connect(address, GET_TOPOLOGY, payload)
            await connection.cancel(CANCELS_PER_CONNECTION, 50)
            killed += connection.gone_away is not None
            connection.abort()
        probe_call = await connect(address, GET_TOPOLOGY, reached)
        await probe_call.run(1, 1)
        assert probe_call.finished == 1
        probe_call.abort()

    await _sampled(trial, probe, turn)
    trial.facts["connections_ended_by_the_server"] = killed
    return trial


async def _sampled(trial: Trial, probe: Probe, turn: Callable[[int], Awaitable[None]]) -> None:
    started = time.monotonic()
    probe.sample(trial)
    for index in range(SAMPLES):
        await turn(index)
        probe.sample(trial)
    trial.seconds = time.monotonic() - started


def heartbeat() -> bytes:
    """A beat of the registered node that knows the newest topology."""
    request = cluster_pb2.HeartbeatRequest(node_id=NODE_ID, timestamp=1, known_topology_version=2**40)
    return request.SerializeToString()
