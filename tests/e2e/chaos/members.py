"""The processes of the set, and what they say of themselves."""

from __future__ import annotations

import asyncio
import json
import signal
from typing import TYPE_CHECKING, Any

import grpc

from bench.rivals.process import free_port
from laura_fast.client.channel import open_channel
from laura_fast.pb.laura.fast.v1 import admin_pb2, admin_pb2_grpc, replica_set_pb2, replica_set_pb2_grpc
from tests.e2e.chaos.links import HOST, Links
from tests.e2e.processes import ServerProcess, until

if TYPE_CHECKING:
    from pathlib import Path

NAMES = ("n1", "n2", "n3")
REPLICA_SET = "rs0"
TIMEOUT_S = 1.0
"""Of elections."""
READY_S = 120.0
ASK_S = 1.0
STEP_DOWN_S = 30.0


class Members:
    """The three of them. `start` and `kill` wait, so they belong into threads; the others belong to the event loop.

    Attributes:
        ports: Their own, which clients use.
        links: Between them.
    """

    def __init__(self, directory: Path) -> None:
        self.ports = {name: free_port() for name in NAMES}
        self.links = Links(NAMES, lambda: {name: process.pid for name, process in self._running.items()})
        self._directory = directory
        self._running: dict[str, ServerProcess] = {}
        self._channels: dict[str, grpc.aio.Channel] = {}

    @property
    def addresses(self) -> list[str]:
        """Without proxies between."""
        return [f"{HOST}:{port}" for port in self.ports.values()]

    async def open(self) -> None:
        """Starts everything."""
        await self.links.start(self.ports)
        for name in NAMES:
            self._channels[name] = open_channel(f"{HOST}:{self.ports[name]}", None)
        await asyncio.gather(*(asyncio.to_thread(self.start, name) for name in NAMES))

    async def close(self) -> None:
        """Ends everything."""
        for name in list(self._running):
            await asyncio.to_thread(self.kill, name)
        await asyncio.gather(*(channel.close() for channel in self._channels.values()))
        await self.links.stop()

    def start(self, name: str) -> None:
        """Starts a member that does not run."""
        members = ",".join(f"{each}={HOST}:{port}" for each, port in self.links.ports.items())
        flags = ("--node-id", name, "--replica-set", REPLICA_SET, "--members", members)
        timeout = ("--election-timeout", f"{TIMEOUT_S:g}s")
        process = ServerProcess(self._directory / name, *flags, *timeout, port=self.ports[name])
        self._running[name] = process
        until(lambda: process.ready or not process.running, f"ready file; the log ends {process.log[-1_000:]}", READY_S)

    def kill(self, name: str) -> None:
        """Kill -9."""
        self._running.pop(name).kill()

    def stop(self, name: str) -> None:
        """SIGSTOP."""
        self._running[name].signal(signal.SIGSTOP)

    def resume(self, name: str) -> None:
        """SIGCONT."""
        self._running[name].signal(signal.SIGCONT)

    def channel(self, name: str) -> grpc.aio.Channel:
        """To one member, and no other."""
        return self._channels[name]

    async def step_down(self, name: str) -> None:
        """Asks a primary to hand over, and waits until it has."""
        stub: Any = admin_pb2_grpc.AdminServiceStub(self._channels[name])
        await stub.StepDown(admin_pb2.StepDownRequest(replica_set=REPLICA_SET), timeout=STEP_DOWN_S)

    async def views(self) -> dict[str, replica_set_pb2.ReplicaSetState]:
        """How each member that answers sees the set."""
        answers = await asyncio.gather(*map(self._view, NAMES))
        return {name: answer for name, answer in zip(NAMES, answers, strict=True) if answer}

    async def _view(self, name: str) -> replica_set_pb2.ReplicaSetState | None:
        stub: Any = replica_set_pb2_grpc.ReplicaSetServiceStub(self._channels[name])
        try:
            answer: replica_set_pb2.ReplicaSetState = await stub.GetReplicaSet(
                replica_set_pb2.GetReplicaSetRequest(), timeout=ASK_S
            )
        except grpc.aio.AioRpcError:
            return None
        return answer

    async def primary(self) -> tuple[str, int]:
        """Who leads, and in which term, once somebody says that it does."""
        while True:
            leading = [(view.term, name) for name, view in (await self.views()).items() if view.primary_id == name]
            if leading:
                term, name = max(leading)
                return name, term
            await asyncio.sleep(0.05)

    def events(self, name: str) -> list[dict[str, Any]]:
        """What a member logged over all its lives; a line that a kill cut short is left out."""
        found = []
        for line in (self._directory / name / "stderr").read_text(errors="replace").splitlines():
            try:
                found.append(json.loads(line))
            except ValueError:
                found.append({"level": "none", "event": line})
        return found
