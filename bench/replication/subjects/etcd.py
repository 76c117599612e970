"""etcd: a cluster of three, its gRPC interface asked through the same channel as laura_fast."""

from __future__ import annotations

import asyncio
import re
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from functools import cache
from typing import TYPE_CHECKING, Any, Final
from urllib.request import urlopen

import grpc
import orjson

from bench.documents.data import package
from bench.processes import SERVER_CPU
from bench.replication.subject import WRITERS_PER_CONNECTION, Group, Subject, Writer, until
from bench.rivals import process, procfs
from bench.rivals.build import missing_tools
from bench.rivals.subjects.debian import package_version
from bench.rivals.subjects.python import missing as missing_packages
from laura_fast.client.channel import open_channel

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from pathlib import Path

    from bench.replication.subject import Totals

SCHEMA: Final = "bench/replication/subjects/kv.proto"
PUT: Final = "/etcdserverpb.KV/Put"
RANGE: Final = "/etcdserverpb.KV/Range"
STATUS: Final = "/etcdserverpb.Maintenance/Status"
FSYNCS: Final = re.compile(rb"^etcd_disk_wal_fsync_duration_seconds_count (\S+)$", re.MULTILINE)
FIRST: Final = b"packages/"
BEHIND: Final = b"packages0"
"""The first key that does not begin with `FIRST`."""
PAGE: Final = 1_000
TIMEOUT_S: Final = 60.0
NAMES: Final = ("e1", "e2", "e3")


@cache
def messages() -> Any:
    """The schema's message classes, generated in memory; the schema's folder is on the path as this module's is."""
    return grpc.protos(SCHEMA)


async def ask(channel: grpc.aio.Channel, method: str, request: Any, answer: Any) -> Any:
    """One call."""
    call: Any = channel.unary_unary(method)
    return answer.FromString(await call(request.SerializeToString(), timeout=TIMEOUT_S))


class Putter:
    """One client."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._channel = channel

    async def write(self, number: int) -> bool:
        request = messages().PutRequest(key=FIRST + b"%010d" % number, value=orjson.dumps(package(number)))
        answer = await ask(self._channel, PUT, request, messages().PutResponse)
        return bool(answer.header.revision > 1)  # that of a cluster without any key


class Etcd:
    """A cluster that has a leader."""

    members = NAMES

    def __init__(self, addresses: dict[str, str], pids: Sequence[int]) -> None:
        self._addresses = addresses
        self._pids = pids
        self._leader = ""

    async def until_led(self) -> None:
        """Returns when a member says that it leads."""

        async def led() -> bool:
            for name in NAMES:
                if await self._leads(name):
                    self._leader = name
            return bool(self._leader)

        await until(led, "etcd elected no leader")

    async def _leads(self, name: str) -> bool:
        try:
            async with open_channel(self._addresses[name], None) as channel:
                state = await ask(channel, STATUS, messages().StatusRequest(), messages().StatusResponse)
        except grpc.aio.AioRpcError:  # it has not begun to serve
            return False
        return bool(state.leader == state.header.member_id)

    @asynccontextmanager
    async def writers(self, count: int) -> AsyncIterator[Sequence[Writer]]:
        async with AsyncExitStack() as stack:
            address, connections = self._addresses[self._leader], range(-(-count // WRITERS_PER_CONNECTION))
            channels = [await stack.enter_async_context(open_channel(address, None)) for _ in connections]
            yield [Putter(channels[number % len(channels)]) for number in range(count)]

    async def totals(self, member: str) -> Totals:
        totals: Totals = {}
        request = messages().RangeRequest(key=FIRST, range_end=BEHIND, limit=PAGE, serializable=True)
        async with open_channel(self._addresses[member], None) as channel:
            more = True
            while more:
                answer = await ask(channel, RANGE, request, messages().RangeResponse)
                for pair in answer.kvs:
                    held = orjson.loads(pair.value)
                    packages, kib = totals.get(held["section"], (0, 0))
                    totals[held["section"]] = packages + 1, kib + held["size"]
                    request.key = pair.key + b"\0"
                more = answer.more
        return totals

    async def syncs(self) -> int:
        told = await asyncio.to_thread(_metrics, self._addresses[self._leader])
        found = FSYNCS.search(told)
        assert found, "etcd counts its fsyncs no more"
        return int(float(found[1]))

    def cpu_s(self) -> float:
        return sum(map(procfs.cpu_seconds, self._pids))


def _metrics(address: str) -> bytes:
    with urlopen(f"http://{address}/metrics") as answer:
        return bytes(answer.read())


@asynccontextmanager
async def start(folder: Path) -> AsyncIterator[Group]:
    """Three members, each with a data folder of its own."""
    peers = {name: f"http://127.0.0.1:{process.free_port()}" for name in NAMES}
    addresses = {name: f"127.0.0.1:{process.free_port()}" for name in NAMES}
    with ExitStack() as stack:
        pids = [stack.enter_context(_member(folder / name, peers, addresses[name])).pid for name in NAMES]
        cluster = Etcd(addresses, pids)
        await cluster.until_led()
        yield cluster


def _member(home: Path, peers: dict[str, str], address: str) -> Any:
    home.mkdir()
    options = [
        f"--name={home.name}",
        f"--data-dir={home / 'data'}",
        f"--listen-client-urls=http://{address}",
        f"--advertise-client-urls=http://{address}",
        f"--listen-peer-urls={peers[home.name]}",
        f"--initial-advertise-peer-urls={peers[home.name]}",
        f"--initial-cluster={','.join(f'{name}={url}' for name, url in peers.items())}",
        "--logger=zap",
    ]
    # A member serves only once two are there, so nobody waits for the first one.
    return process.serve(["etcd", *options], SERVER_CPU, home, lambda: address)


def version() -> str | None:
    """Of the installed server."""
    missing = missing_tools("etcd") or missing_packages(("grpcio-tools",))
    return None if missing else package_version("etcd-server")


SUBJECT: Final = Subject("etcd", version, start)
