"""End to end: what joining and leaving cost, durable on disk when answered."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bench import data
from bench.cluster import Population, raw
from laura_fast.pb.lauradb.cluster import cluster_pb2

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Iterator

    import grpc

    from bench.harness import Measure
    from bench.processes import Process

JOINS = 100


@pytest.fixture
def population(channel: grpc.aio.Channel, loop: asyncio.AbstractEventLoop, size: int) -> Iterator[Population]:
    """`size` nodes registered before the measured ones; all gone again afterwards."""
    population = Population(channel, size + JOINS)
    loop.run_until_complete(population.resize(size))
    yield population
    loop.run_until_complete(population.resize(0))


@pytest.mark.benchmark(group="registration")
@pytest.mark.grid("size", default=(10, 1_000), full=(1, 10, 100, 1_000, 10_000))
@pytest.mark.grid("concurrency", default=(64,), full=(1, 8, 64, 100))
@pytest.mark.parametrize("members", ["listed", "omitted"])
def test_join(
    measure: Measure,
    server: Process,
    channel: grpc.aio.Channel,
    population: Population,
    size: int,
    concurrency: int,
    members: str,
) -> None:
    """New nodes join a cluster of `size`; the answer lists every node, or leaves the list out."""
    register = raw(channel, "RegisterNode")
    omit = members == "omitted"
    requests = [data.registration(node, omit_members=omit).SerializeToString() for node in population.everyone[size:]]

    async def leave_again() -> None:
        await population.recount()
        await population.resize(size)

    measure(
        lambda number: register(requests[number % JOINS]),
        _joined,
        calls=JOINS,
        concurrency=concurrency,
        server=server,
        undo=leave_again,
    )


def _joined(answer: bytes) -> bool:
    response = cluster_pb2.NodeRegistrationResponse.FromString(answer)
    return response.success and response.incarnation > 0
