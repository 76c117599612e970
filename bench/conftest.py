"""Fixtures and options of the benchmarks.

``--full`` runs the whole grid; without it the run stays under three minutes; with ``--benchmark-disable`` everything
runs once with its smallest input.
"""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, Any

import grpc
import pytest
import uvloop

from bench.harness import Measure
from bench.processes import CLIENT_CPUS, NEVER_DOWN, serve, transports

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pytest_benchmark.fixture import BenchmarkFixture

    from bench.processes import Process


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds ``--full``."""
    parser.addoption("--full", action="store_true", help="benchmarks: run the full grid, not the three-minute one")


def pytest_configure(config: pytest.Config) -> None:
    """Registers the grid marker."""
    config.addinivalue_line(
        "markers", "grid(name, default=(...), full=(...)): values of one argument; a smoke run takes default[0]"
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Expands every grid marker to the values that this run asks for."""
    for mark in metafunc.definition.iter_markers("grid"):
        metafunc.parametrize(mark.args[0], _grid_values(metafunc.config, mark.kwargs), ids=lambda value: f"{value:_}")


def _grid_values(config: pytest.Config, grid: Mapping[str, Any]) -> tuple[Any, ...]:
    if config.getoption("benchmark_disable"):
        return (grid["default"][0],)
    return tuple(grid["full"] if config.getoption("--full") else grid["default"])


@pytest.fixture(scope="session")
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    """The session's only event loop, in a process kept off the server's core."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, CLIENT_CPUS)
    loop = uvloop.new_event_loop()
    asyncio.set_event_loop(loop)
    yield loop
    asyncio.set_event_loop(None)
    loop.close()
    os.sched_setaffinity(0, before)


@pytest.fixture
def measure(benchmark: BenchmarkFixture, loop: asyncio.AbstractEventLoop) -> Measure:
    """Measures awaited calls; see `Measure`."""
    return Measure(benchmark, loop)


@pytest.fixture(scope="session", params=transports())
def transport(request: pytest.FixtureRequest) -> str:
    """Every transport of the server in turn."""
    return str(request.param)


@pytest.fixture(scope="session")
def server(transport: str) -> Iterator[Process]:
    """One server per transport, in its own process on its own core.

    Nodes that no benchmark beats any more stay healthy, so the topology is what the benchmark made it.
    """
    with serve(transport, *NEVER_DOWN) as process:
        yield process


@pytest.fixture
def channel(server: Process, loop: asyncio.AbstractEventLoop) -> Iterator[grpc.aio.Channel]:
    """A client channel on the session's loop."""

    async def connect() -> grpc.aio.Channel:
        channel = grpc.aio.insecure_channel(server.address, options=[("grpc.max_receive_message_length", -1)])
        await channel.channel_ready()
        return channel

    channel = loop.run_until_complete(connect())
    yield channel
    loop.run_until_complete(channel.close())
