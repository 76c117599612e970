"""The agent in this process: what it reports, and how it ends."""

from __future__ import annotations

import asyncio
import os
import signal
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from laura_fast.client.agent import run_agent
from laura_fast.client.machine import Machine
from laura_fast.client.session import MemberOptions
from laura_fast.errors import ConfigError, RefusedError
from laura_fast.pb.lauradb.cluster import cluster_pb2 as pb

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.unit.client.fake_cluster import FakeCluster

NODE = pb.Node(id="n1", host="10.0.0.1", port=27017, role=pb.SHARD)
FAST = MemberOptions(interval_s=0.02)


def test_the_figures_are_those_of_the_machine(tmp_path: Path) -> None:
    figures = Machine(tmp_path).resources()
    assert 0 <= figures.cpu_percent <= 100
    assert 0 < figures.memory_bytes < psutil.virtual_memory().total
    assert figures.disk_bytes_total == psutil.disk_usage(str(tmp_path)).total
    assert 0 < figures.disk_bytes_used <= figures.disk_bytes_total


def test_a_disk_that_vanishes_does_not_stop_the_beats(tmp_path: Path) -> None:
    folder = tmp_path / "mounted"
    folder.mkdir()
    machine = Machine(folder)
    folder.rmdir()
    figures = machine.resources()
    assert (figures.disk_bytes_total, figures.memory_bytes > 0) == (0, True)


def test_a_data_directory_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="nowhere"):
        Machine(tmp_path / "nowhere")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_deregisters_and_returns(cluster: FakeCluster, tmp_path: Path, number: signal.Signals) -> None:
    running = asyncio.create_task(run_agent(NODE, [cluster.address], tls=None, options=FAST, data_dir=tmp_path))
    await cluster.reached("Heartbeat", 1)
    os.kill(os.getpid(), number)
    await running
    assert not cluster.nodes
    beat = next(request for request in cluster.requests if isinstance(request, pb.HeartbeatRequest))
    assert (beat.status.role, beat.status.resources.disk_bytes_total > 0) == (pb.SHARD, True)


async def test_a_signal_ends_the_wait_for_a_server(
    cluster: FakeCluster, tmp_path: Path, logged: Callable[[], list[dict[str, Any]]]
) -> None:
    await cluster.stop()
    running = asyncio.create_task(run_agent(NODE, [cluster.address], tls=None, options=FAST, data_dir=tmp_path))
    async with asyncio.timeout(10):
        while not logged():  # noqa: ASYNC110 - a line in a log has no event
            await asyncio.sleep(0.01)
    os.kill(os.getpid(), signal.SIGTERM)
    await running
    assert "connection refused" in logged()[0]["error"]


async def test_a_refusal_ends_it(cluster: FakeCluster, tmp_path: Path) -> None:
    cluster.put(pb.Node(id="n1", host="10.0.0.2", port=1, state=pb.HEALTHY))
    with pytest.raises(RefusedError, match=r"already registered at 10\.0\.0\.2:1"):
        await run_agent(NODE, [cluster.address], tls=None, options=FAST, data_dir=tmp_path)
