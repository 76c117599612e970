"""The members of one laura_fast set: processes that can be stopped, killed and started again on their directories."""

from __future__ import annotations

import os
import shutil
import signal
import sys
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Final

import bson
import lmdb

from bench.documents.subjects.laura import COLLECTION, DATABASE, ROUTER
from bench.processes import SERVER_CPU
from bench.replication.subject import LEVEL_S, until
from bench.rivals import process, procfs
from laura_fast.client.channel import open_channel
from laura_fast.pb.laura.fast.v1 import options_pb2, replica_set_pb2
from laura_fast.pb.lauradb.cluster import routing_pb2

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType
    from typing import Self

    from bench.replication.subject import Totals

THREE: Final = ("n1", "n2", "n3")
GET_REPLICA_SET: Final = "/laura.fast.v1.ReplicaSetService/GetReplicaSet"


class Members:
    """One set. All processes have ended at the end of the block."""

    def __init__(self, folder: Path, names: tuple[str, ...] = THREE) -> None:
        self.names = names
        self._folder = folder
        self._ports = {name: process.free_port() for name in names}
        self._running: dict[str, tuple[ExitStack, process.Running]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for name in list(self._running):
            self.stop(name)

    def address(self, name: str) -> str:
        """Where it serves."""
        return f"127.0.0.1:{self._ports[name]}"

    def start(self, name: str) -> None:
        """Returns when it is ready. Raises as `process.serve`."""
        home = self._folder / name
        home.mkdir(exist_ok=True)
        (home / "ready").unlink(missing_ok=True)
        members = ",".join(f"{each}={self.address(each)}" for each in self.names)
        flags = ["--node-id", name, "--replica-set", "rs0", "--members", members, "--log-level", "warning"]
        flags += ["--host", "127.0.0.1", "--port", str(self._ports[name])]
        flags += ["--data-dir", str(home / "data"), "--ready-file", str(home / "ready")]
        stack = ExitStack()
        command = [sys.executable, "-m", "laura_fast", "serve", *flags]
        ready = process.from_ready_file(home / "ready")
        self._running[name] = stack, stack.enter_context(process.serve(command, SERVER_CPU, home, ready))

    def stop(self, name: str) -> None:
        """Ends it as an operator does."""
        self._running.pop(name)[0].close()

    def kill(self, name: str) -> None:
        """Ends it with SIGKILL."""
        os.kill(self._running[name][1].pid, signal.SIGKILL)
        self.stop(name)

    def forget(self, name: str) -> None:
        """Removes the data of a member that does not run."""
        shutil.rmtree(self._folder / name / "data", ignore_errors=True)

    async def primary(self) -> str:
        """Who leads, as soon as somebody does and knows it."""
        found = ""

        async def elected() -> bool:
            nonlocal found
            for name in self._running:
                if (await self.state(name)).observer_state == "primary":
                    found = name
            return bool(found)

        await until(elected, "no primary")
        return found

    async def state(self, name: str) -> Any:
        """The set as this member sees it."""
        async with open_channel(self.address(name), None) as channel:
            call: Any = channel.unary_unary(GET_REPLICA_SET)
            return replica_set_pb2.ReplicaSetState.FromString(await call(b"", timeout=LEVEL_S))

    async def until_level(self, name: str, primary: str) -> None:
        """Returns when this member says that it has all that the primary has, and that it lacks nothing else."""
        wanted = await self.newest(primary)

        async def level() -> bool:
            state = await self.state(name)
            return state.observer_state == "secondary" and _newest(state) >= wanted

        await until(level, f"{name} is not level with {primary}")

    async def newest(self, name: str) -> int:
        """Op id of this member's last entry."""
        return _newest(await self.state(name))

    async def totals(self, name: str, section: str = "section", size: str = "size") -> Totals:
        """See `subject.Group.totals`: read from this very member, leader or not; the fields by name."""
        group = {"_id": f"${section}", "packages": {"$sum": 1}, "sizes": {"$sum": f"${size}"}}
        request = routing_pb2.AggregationRequest(database=DATABASE, collection=COLLECTION)
        request.pipeline.append(bson.encode({"$group": group}))
        request.read_preference.mode = options_pb2.ReadPreference.SECONDARY_PREFERRED
        async with open_channel(self.address(name), None) as channel:
            call: Any = channel.unary_unary(f"{ROUTER}Aggregate")
            told = await call(request.SerializeToString(), timeout=LEVEL_S)
        rows = map(bson.decode, routing_pb2.AggregationResponse.FromString(told).results)
        return {row["_id"]: (row["packages"], row["sizes"]) for row in rows}

    def commits(self, name: str) -> int:
        """Transactions that this member's LMDB has synced, from its meta page."""
        with lmdb.open(str(self._folder / name / "data"), readonly=True, lock=False) as environment:
            return int(environment.info()["last_txnid"])

    def data_bytes(self, name: str) -> int:
        """What its data file takes on the disk."""
        return (self._folder / name / "data" / "data.mdb").stat().st_blocks * 512

    def rss_anon_bytes(self, name: str) -> int:
        """Its resident memory without LMDB's map."""
        return procfs.rss_anon_kib(self._running[name][1].pid) * 1024

    def cpu_s(self) -> float:
        """CPU time of all that run."""
        return sum(procfs.cpu_seconds(running.pid) for _, running in self._running.values())


def _newest(state: Any) -> int:
    """Op id of the last entry that the observer has."""
    [own] = [each for each in state.members if each.member.id == state.observer_id]
    return int(own.applied.op_id)
