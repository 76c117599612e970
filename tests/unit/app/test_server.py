"""Start and stop of a server inside another program."""

from __future__ import annotations

import asyncio
import errno
from pathlib import Path

import grpc
import msgspec
import pytest

from laura_fast.app import Server
from laura_fast.config import Config
from laura_fast.errors import AddressInUseError, DataDirectoryError, StartupError, StorageFailedError
from laura_fast.pb.lauradb.cluster import cluster_pb2, cluster_pb2_grpc


def _ready_line(config: Config) -> str | None:
    path = Path(config.ready_file)
    return path.read_text() if path.exists() else None


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return Config(host="127.0.0.1", port=0, data_dir=str(tmp_path / "data"), ready_file=str(tmp_path / "ready"))


async def test_it_starts_tells_its_address_and_stops(config: Config) -> None:
    server = Server(config)
    assert server.address == ""
    await server.start()
    assert _ready_line(config) == f"{server.address}\n"
    waiter = asyncio.create_task(server.wait())
    await server.stop(grace_s=0)
    async with asyncio.timeout(5):
        await waiter
    assert _ready_line(config) is None


async def test_a_server_starts_once(config: Config) -> None:
    server = Server(config)
    await server.start()
    with pytest.raises(StartupError, match="started before"):
        await server.start()
    await server.stop(grace_s=0)
    with pytest.raises(StartupError, match="started before"):
        await server.start()


async def test_stopping_is_idempotent(config: Config) -> None:
    server = Server(config)
    await server.stop()
    await server.start()
    await asyncio.gather(server.stop(grace_s=0), server.stop(grace_s=0))
    await server.stop()


async def test_a_data_directory_in_use_is_refused_and_the_first_server_goes_on(config: Config) -> None:
    first, second = Server(config), Server(config)
    await first.start()
    with pytest.raises(DataDirectoryError):
        await second.start()
    assert _ready_line(config) == f"{first.address}\n"
    await first.stop(grace_s=0)


async def test_a_failed_start_leaves_nothing_behind(config: Config, tmp_path: Path) -> None:
    first = Server(config)
    await first.start()
    port = int(first.address.rpartition(":")[2])
    taken = msgspec.structs.replace(config, port=port, data_dir=str(tmp_path / "other"), ready_file="")
    with pytest.raises(AddressInUseError, match=str(port)):
        await Server(taken).start()
    await first.stop(grace_s=0)

    again = Server(taken)  # neither the port nor the directory's lock is held any more
    await again.start()
    await again.stop(grace_s=0)


async def test_a_failed_disk_stops_the_server(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing can be acknowledged any more, so the process ends and its supervisor starts a fresh one."""
    server = Server(config)
    await server.start()

    def fail(*_arguments: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr("laura_fast.storage.environment._run_jobs", fail)
    node = cluster_pb2.Node(id="a", host="127.0.0.1", port=1)
    async with grpc.aio.insecure_channel(server.address) as channel:
        cluster = cluster_pb2_grpc.ClusterServiceStub(channel)
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await cluster.RegisterNode(cluster_pb2.NodeRegistrationRequest(node=node), timeout=5)
    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
    async with asyncio.timeout(5):
        with pytest.raises(StorageFailedError, match=r"the disk failed: .*Input/output error"):
            await server.wait()
    assert _ready_line(config) is None
