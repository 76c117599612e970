"""One server at every size: up, down, up again, measuring on the way."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import grpc

from bench.cluster import CALLS_IN_FLIGHT, Population, is_ack_with_topology, is_plain_ack, raw
from bench.processes import NEVER_DOWN, serve
from bench.scaling import beats, joins
from laura_fast.report.raw.scaling import BeatPoint, Curve, Fill, MemoryPoint

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from bench.processes import Process
    from bench.scaling.beats import Load
    from laura_fast.report.raw.rivals import Topology

JOINS = 20
UNLIMITED: list[tuple[str, int]] = [("grpc.max_receive_message_length", -1)]


@dataclass(frozen=True, slots=True)
class Plan:
    """What to measure."""

    sizes: Sequence[int]
    rounds: int
    load: Load

    def route(self) -> Iterator[tuple[int, int]]:
        """(round, size): even rounds go up, odd ones down."""
        for round_ in range(self.rounds):
            for size in self.sizes if round_ % 2 == 0 else reversed(self.sizes):
                yield round_, size


async def measure(transport: str, topology: Topology, plan: Plan, tell: Callable[[str], None]) -> Curve:
    """Measures one curve. Joins are measured only where answers are as small as they can be.

    Args:
        transport: Of the server.
        topology: When a beat's answer carries the topology.
        plan: Sizes, rounds, load.
        tell: Gets one line per point.
    """
    curve = Curve(transport, topology, [], [], [], [])
    with serve(transport, *NEVER_DOWN, "--heartbeat-topology", topology) as server:
        async with grpc.aio.insecure_channel(server.address, options=UNLIMITED) as channel:
            walk = _Walk(server, channel, Population(channel, max(plan.sizes) + JOINS), curve)
            for round_, size in plan.route():
                tell(f"{curve.label}: round {round_}, {await walk.measure(round_, size, plan.load)}")
    return curve


class _Walk:
    """The server under measurement and what was found so far."""

    def __init__(self, server: Process, channel: grpc.aio.Channel, population: Population, curve: Curve) -> None:
        self._server = server
        self._channel = channel
        self._population = population
        self._curve = curve
        self._largest = len(population.everyone) - JOINS
        self._filling_s = 0.0

    async def measure(self, round_: int, size: int, load: Load) -> str:
        """Everything at one size; returns a line to show."""
        await self._resize(size)
        point = await self._beats(round_, load)
        self._curve.memory.append(MemoryPoint(size, round_, self._server.rss_anon_bytes() // 1024))
        if self._curve.topology == "changed":
            await self._joins(round_)
        return f"{size} nodes, {point.server_cpu_us_per_call:.1f} µs CPU per beat"

    async def _resize(self, size: int) -> None:
        started = time.perf_counter()
        await self._population.resize(size)
        self._filling_s += time.perf_counter() - started
        if not self._curve.fills and size == self._largest:
            self._curve.fills.append(Fill(size, CALLS_IN_FLIGHT, self._filling_s))

    async def _beats(self, round_: int, load: Load) -> BeatPoint:
        bodies = self._population.beats()
        answer = await raw(self._channel, "Heartbeat")(bodies[0])
        right = is_ack_with_topology if self._curve.topology == "always" else is_plain_ack
        assert right(answer), f"a wrong answer: {answer[:32]!r}"
        found = await beats.measure(self._server, bodies, len(answer), load)
        point = BeatPoint(
            nodes=len(bodies),
            round=round_,
            calls=found.calls,
            seconds=found.seconds,
            server_cpu_us_per_call=found.cpu_us_per_call,
            answer_bytes=len(answer),
        )
        self._curve.beats.append(point)
        return point

    async def _joins(self, round_: int) -> None:
        for omit in (False, True):
            self._curve.joins.append(
                await joins.measure(
                    self._server, self._channel, self._population, round_=round_, joins=JOINS, omit_members=omit
                )
            )
