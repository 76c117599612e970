"""The links between members: a proxy in front of each member that knows who connects, and may let nothing through.

A member advertises its proxy's port, so its peers come through it; clients that come the same way always pass. What a
cut link holds back arrives when it is mended, as late as a network would bring it.
"""

from __future__ import annotations

import asyncio
import os
import socket
import struct
from contextlib import suppress
from itertools import permutations
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

HOST = "127.0.0.1"
LOOPBACK = "0100007F"
"""The same in /proc/net/tcp."""
CHUNK_BYTES = 1 << 16
AT_ONCE = struct.pack("ii", 1, 0)
"""Lingering that makes a close a reset (socket(7))."""
CLIENT = ""
"""The name of whoever is no member."""


class Links:
    """All of them. Belongs to one event loop.

    Attributes:
        ports: Of the proxies, by member.
    """

    def __init__(self, names: Sequence[str], pids: Callable[[], dict[str, int]]) -> None:
        """Prepares.

        Args:
            names: The members.
            pids: Of those that run.
        """
        self.ports: dict[str, int] = {}
        self._names = names
        self._pids = pids
        self._open = {pair: asyncio.Event() for pair in permutations(names, 2)}
        self._connections: dict[frozenset[str], set[asyncio.StreamWriter]] = {}
        self._servers: list[asyncio.Server] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self.mend()

    async def start(self, targets: dict[str, int]) -> None:
        """Listens for each member, whose own port is its target."""
        for name, target in targets.items():
            server = await asyncio.start_server(self._accept(name, target), HOST, 0)
            self._servers.append(server)
            self.ports[name] = server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Ends all connections."""
        for server in self._servers:
            server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def cut(self, sender: str, receiver: str) -> None:
        """Nothing gets from the one to the other any more; the other way is as it was."""
        self._open[sender, receiver].clear()

    def mend(self) -> None:
        """Everything gets through again."""
        for gate in self._open.values():
            gate.set()

    def reset(self, one: str, other: str) -> None:
        """Breaks every connection between two members, in the middle of whatever it brings."""
        for writer in self._connections.get(frozenset({one, other}), ()):
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)
            writer.transport.abort()

    def _accept(self, member: str, target: int) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], None]:
        def accepted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.create_task(self._serve(member, target, reader, writer))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

        return accepted

    async def _serve(
        self, member: str, target: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        caller = self._owner(writer.get_extra_info("peername")[1])
        connected = self._connections.setdefault(frozenset({caller, member}), set())
        connected.add(writer)
        try:
            with suppress(OSError):
                await self._passage(caller, member)
                await self._passage(member, caller)
                answers, asks = await asyncio.open_connection(HOST, target)
                there = self._pump(reader, asks, caller, member)
                back = self._pump(answers, writer, member, caller)
                await asyncio.gather(there, back)
        finally:
            connected.discard(writer)
            writer.close()

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, sender: str, receiver: str
    ) -> None:
        try:
            with suppress(OSError):
                while data := await reader.read(CHUNK_BYTES):
                    await self._passage(sender, receiver)
                    writer.write(data)
                    await writer.drain()
            await self._passage(sender, receiver)  # that a connection ended is news as well
        finally:
            writer.close()

    async def _passage(self, sender: str, receiver: str) -> None:
        """Returns when something can get from the one to the other."""
        if gate := self._open.get((sender, receiver)):
            await gate.wait()

    def _owner(self, port: int) -> str:
        """The member whose process has the other end of a connection."""
        socket_file = f"socket:[{_inode(port)}]"
        for name, pid in self._pids().items():
            with suppress(OSError):
                if any(_link(file) == socket_file for file in Path(f"/proc/{pid}/fd").iterdir()):
                    return name
        return CLIENT


def _inode(port: int) -> str:
    """Of the socket that has this port; see proc(5). To ask psutil takes so long that ten clients notice."""
    end = f"{LOOPBACK}:{port:04X}"
    with Path("/proc/net/tcp").open() as lines:
        return next((fields[9] for fields in map(str.split, lines) if fields[1] == end), "")


def _link(file: Path) -> str:
    try:
        return os.readlink(file)  # noqa: PTH115 - a path of it would cost more than the call
    except OSError:
        return ""  # closed meanwhile
