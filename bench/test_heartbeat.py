"""End to end: what a heartbeat and an unchanged topology cost, server and client each in a process of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bench.cluster import Population, is_plain_ack, raw
from laura_fast.pb.lauradb.cluster import cluster_pb2

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Iterator

    import grpc

    from bench.harness import Measure
    from bench.processes import Process

SIZES = pytest.mark.grid("size", default=(10, 1_000), full=(1, 10, 100, 1_000, 10_000))


@pytest.fixture
def population(channel: grpc.aio.Channel, loop: asyncio.AbstractEventLoop, size: int) -> Iterator[Population]:
    """`size` registered nodes, gone again afterwards."""
    population = Population(channel, size)
    loop.run_until_complete(population.resize(size))
    yield population
    loop.run_until_complete(population.resize(0))


@pytest.mark.benchmark(group="heartbeat")
@SIZES
@pytest.mark.grid("concurrency", default=(1, 64), full=(1, 8, 64, 100))
def test_unary(
    measure: Measure, server: Process, channel: grpc.aio.Channel, population: Population, size: int, concurrency: int
) -> None:
    """One Heartbeat call per beat, round robin over the members, the topology known."""
    heartbeat, beats = raw(channel, "Heartbeat"), population.beats()
    measure(
        lambda number: heartbeat(beats[number % size]),
        is_plain_ack,
        calls=400,
        concurrency=concurrency,
        server=server,
    )


@pytest.mark.benchmark(group="heartbeat")
@SIZES
def test_stream(
    measure: Measure, server: Process, channel: grpc.aio.Channel, population: Population, size: int
) -> None:
    """One HeartbeatStream for all beats, each answered before the next is sent."""
    beats = population.beats()
    stream = measure.run(_open_stream(channel))

    async def beat(number: int) -> bytes:
        await stream.write(beats[number % size])
        return await _read(stream)

    measure(beat, is_plain_ack, calls=400, server=server)
    stream.cancel()


@pytest.mark.benchmark(group="heartbeat")
@SIZES
def test_topology_unchanged(
    measure: Measure, server: Process, channel: grpc.aio.Channel, population: Population, size: int
) -> None:
    """GetTopology with the current version: the answer is empty whatever the size of the cluster."""
    topology = raw(channel, "GetTopology")
    request = cluster_pb2.GetTopologyRequest(min_version=population.version).SerializeToString()
    measure(lambda _: topology(request), lambda answer: answer == b"", calls=400, server=server)


async def _open_stream(channel: grpc.aio.Channel) -> grpc.aio.StreamStreamCall[bytes, bytes]:
    call: grpc.aio.StreamStreamCall[bytes, bytes] = channel.stream_stream(
        "/laura.fast.v1.MembershipService/HeartbeatStream"
    )()
    return call


async def _read(stream: grpc.aio.StreamStreamCall[bytes, bytes]) -> bytes:
    answer = await stream.read()
    assert isinstance(answer, bytes), "the server ended the stream"
    return answer
