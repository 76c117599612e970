"""The connections of one channel: opened when calls need them, with back-off, and which call goes where."""

from __future__ import annotations

import asyncio
import os
import random
import re
import socket
import ssl
from collections import deque
from typing import TYPE_CHECKING, Final

import grpc
from grpc import ChannelConnectivity

from laura_fast.limits import rpc as limits
from laura_fast.transport.native.channel.deadlines import Deadlines
from laura_fast.transport.native.channel.link import Link

if TYPE_CHECKING:
    from laura_fast.transport.native.channel.call import ClientCall
    from laura_fast.transport.native.channel.options import ChannelOptions
    from laura_fast.transport.native.channel.target import Target
    from laura_fast.wire.grpc.compression import Codec
    from laura_fast.wire.grpc.request_blocks import Route

_GROWTH: Final = 1.6
_DICE: Final = 0.2
"""Growth and spread of the back-off (gRPC connection-backoff.md)."""

_ERRNO: Final = re.compile(r"\[Errno (\d+)\]")


class Pool:
    """Connections to one target.

    Attributes:
        deadlines: Ends the calls whose time is up.
        routes: What the calls of a method say, by its path and their compression.
        state: The channel's connectivity, as gRPC defines it (connectivity-semantics-and-api.md).
    """

    def __init__(self, target: Target, options: ChannelOptions, context: ssl.SSLContext | None) -> None:
        self.deadlines = Deadlines(self.unfinished)
        self.state = ChannelConnectivity.IDLE
        self.options = options
        self.target = target
        self.context = context
        self.routes: dict[tuple[str, Codec | None], Route] = {}
        self._links: list[Link] = []
        self._waiting: deque[ClientCall] = deque()
        self._connecting: asyncio.Task[None] | None = None
        self._back_off_s = options.first_back_off_s
        self._retry: asyncio.TimerHandle | None = None
        self._failure = ""
        self._watchers: list[asyncio.Future[None]] = []
        self._emptied = asyncio.Event()  # at the end

    def start(self, call: ClientCall) -> None:
        """Sends a call, now or when there is a connection for it.

        Raises:
            UsageError: The channel is closed.
        """
        if self.state is ChannelConnectivity.SHUTDOWN:
            call.cancel()
            raise grpc.aio.UsageError("Channel is closed.")
        link = self.free()
        if link is not None:
            call.begin(link)
            return
        if self.state is ChannelConnectivity.TRANSIENT_FAILURE and not call.waits_for_ready:
            call.lost(self._failure)
            return
        self._waiting.append(call)
        self.connect()

    def free(self) -> Link | None:
        """A connection that takes a call now."""
        for link in self._links:
            machine = link.machine
            if len(machine.pending) + len(machine.streams) < machine.limit:
                return link
        return None

    def repeat(self, call: ClientCall) -> None:
        """Sends a call again, not at once: its connection is in the middle of telling others the same."""
        self._waiting.append(call)
        asyncio.get_running_loop().call_soon(self._serve)

    def forget(self, call: ClientCall) -> None:
        """A call that has no connection is over."""
        if call in self._waiting:
            self._waiting.remove(call)

    def unfinished(self) -> list[ClientCall]:
        """All calls that are not over."""
        return [*self._waiting, *(call for link in self._links for call in link.calls)]

    def connect(self) -> None:
        """Opens a connection, unless one is being opened, too many are open, or the back-off forbids it."""
        if self._connecting is not None or self._retry is not None or self.state is ChannelConnectivity.SHUTDOWN:
            return
        if len(self._links) >= limits.CHANNEL_CONNECTIONS:
            return
        if not self._links:
            self._set(ChannelConnectivity.CONNECTING)
        self._connecting = asyncio.get_running_loop().create_task(self._connect())

    def close(self) -> None:
        """Ends everything; there is no way back."""
        self._set(ChannelConnectivity.SHUTDOWN)
        for call in self.unfinished():
            call.cancel()
        self.deadlines.clear()
        if self._connecting is not None:
            self._connecting.cancel()
        if self._retry is not None:
            self._retry.cancel()
        for link in tuple(self._links):
            link.close()

    async def wait_closed(self) -> None:
        """Behind `close`: until the sockets are closed too. Over TLS that takes an answer, which must come soon."""
        if not self._links:
            return
        try:
            async with asyncio.timeout(limits.CHANNEL_CLOSE_S):
                await self._emptied.wait()
        except TimeoutError:
            for link in tuple(self._links):
                link.discard()
            await self._emptied.wait()

    async def wait_for_change(self, last: ChannelConnectivity) -> None:
        """Until `state` is another one than `last`."""
        while self.state is last:
            watcher: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._watchers.append(watcher)
            await watcher

    def _set(self, state: ChannelConnectivity) -> None:
        self.state = state
        watchers, self._watchers = self._watchers, []
        for watcher in watchers:
            if not watcher.done():
                watcher.set_result(None)

    async def _connect(self) -> None:
        try:
            link = await self._open()
        except (OSError, TimeoutError) as error:
            self._connecting = None
            self._failed(f"failed to connect to {self.target.authority}: {_describe(error)}")
        else:
            self._connecting = None
            self._back_off_s = self.options.first_back_off_s
            link.on_lost = self._lost
            self._links.append(link)
            self._set(ChannelConnectivity.READY)
            self._serve()

    async def _open(self) -> Link:
        loop, target, made = asyncio.get_running_loop(), self.target, list[Link]()

        def make() -> Link:
            made.append(Link(self.options, loop, self._serve))
            return made[-1]

        name = None if self.context is None else self.options.server_name or target.host or target.authority
        try:
            async with asyncio.timeout(self.options.connect_s):
                if target.path:
                    await loop.create_unix_connection(make, target.path, ssl=self.context, server_hostname=name)
                else:
                    await loop.create_connection(make, target.host, target.port, ssl=self.context, server_hostname=name)
                await made[-1].ready
        except BaseException:
            for link in made:
                link.discard()
            raise
        return made[-1]

    def _failed(self, reason: str) -> None:
        """No connection: calls that don't wait end, and the next attempt comes after the back-off."""
        self._failure = reason
        spread = 1 + _DICE * (2 * random.random() - 1)  # noqa: S311  # spreads reconnecting clients, guards nothing
        self._retry = asyncio.get_running_loop().call_later(self._back_off_s * spread, self._try_again)
        self._back_off_s = min(self._back_off_s * _GROWTH, self.options.longest_back_off_s)
        if self._links:
            return
        self._set(ChannelConnectivity.TRANSIENT_FAILURE)
        waiting, self._waiting = self._waiting, deque()
        for call in waiting:
            if call.waits_for_ready:
                self._waiting.append(call)
            else:
                call.lost(reason)

    def _try_again(self) -> None:
        self._retry = None
        if self._waiting:
            self.connect()
        elif not self._links:
            self._set(ChannelConnectivity.IDLE)

    def _lost(self, link: Link) -> None:
        self._links.remove(link)
        if self.state is ChannelConnectivity.SHUTDOWN:
            if not self._links:
                self._emptied.set()
            return
        if not self._links:
            self._set(ChannelConnectivity.IDLE)
        self._serve()

    def _serve(self) -> None:
        """Gives waiting calls the streams that are free."""
        waiting = self._waiting
        while waiting:
            link = self.free()
            if link is None:
                self.connect()
                return
            waiting.popleft().begin(link)


def _describe(error: OSError) -> str:
    """The system's own words, which asyncio replaces by its own for refused connections."""
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, socket.gaierror):
        return f"resolving the host: {error.strerror}"
    if error.errno is not None and not isinstance(error, ssl.SSLError):
        return os.strerror(error.errno)
    return _ERRNO.sub(lambda match: os.strerror(int(match[1])), str(error))
