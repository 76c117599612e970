"""One connection of the generator: between the socket and the protocol."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any, Protocol

from laura_fast.errors import Code, ProtocolError
from laura_fast.load.connection import LoadConnection
from laura_fast.transport.native.peers import speaks_h2
from laura_fast.wire.http2.errors import ErrorCode

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from laura_fast.load.calls import Call, Method

_monotonic = time.monotonic


class Owner(Protocol):
    """Who decides what a connection sends."""

    def answered(self, link: Link) -> None:
        """Answers have come: there may be room for other calls."""

    def lost(self, link: Link) -> None:
        """The connection is gone; its calls have failed."""


class Link(asyncio.Protocol):
    """A connection to the server.

    Attributes:
        ready: Done when the server's SETTINGS are here; an exception if the connection ended before.
        owner: Set before the first call.
        transport: The socket.

    Args:
        methods: Whose answers may come.
        streams: Most calls at once.
    """

    def __init__(self, methods: Sequence[Method], streams: int) -> None:
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.owner: Owner | None = None
        self.transport: Any = None
        self._machine = LoadConnection()
        self._methods = methods
        self._streams = streams

    @property
    def room(self) -> int:
        """Calls that it takes now."""
        return min(self._machine.room, self._streams - self._machine.in_flight)

    @property
    def in_flight(self) -> int:
        """Calls that are not over."""
        return self._machine.in_flight

    @property
    def is_local(self) -> bool:
        """Both ends have the same address, so the server runs on this machine."""
        ends = [self.transport.get_extra_info(name) for name in ("sockname", "peername")]
        return all(ends) and ends[0][0] == ends[1][0]

    def send(self, calls: Iterator[Call], count: int, intended: float) -> None:
        """Prepares calls; `flush` writes them."""
        self._machine.send(calls, count, intended)

    def flush(self) -> None:
        """Writes what was prepared, all at once."""
        machine = self._machine
        more = machine.pump()
        if machine.out and not self.transport.is_closing():
            self.transport.write(b"".join(machine.out))
        machine.out.clear()
        machine.written()
        if machine.closed or (machine.goaway_code is not None and not machine.in_flight):
            self.transport.close()
        elif more:
            asyncio.get_running_loop().call_soon(self.flush)

    def close(self) -> None:
        """Says goodbye. Calls that are not over have had their time."""
        self._machine.abandon(Code.DEADLINE_EXCEEDED.name)
        self._machine.fail(ProtocolError("", ErrorCode.NO_ERROR))
        self.flush()

    # --- from the socket -----------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        if not speaks_h2(transport):
            self.ready.set_exception(ConnectionError("the server did not agree to HTTP/2 in its TLS handshake (ALPN)"))
            self.transport.abort()
            return
        self.flush()

    def data_received(self, data: bytes) -> None:
        machine, now = self._machine, _monotonic()
        more = machine.receive(data, now)
        while more:
            more = machine.receive(b"", now)
        for method in self._methods:
            if method.done:
                method.take(now)
        if self.owner is not None:
            self.owner.answered(self)
        if machine.settings_received and not self.ready.done():
            self.ready.set_result(None)
        if machine.out or machine.queued or machine.closed or machine.goaway_code is not None:
            self.flush()

    def connection_lost(self, exc: Exception | None) -> None:
        self._machine.closed = True
        self._machine.abandon(Code.UNAVAILABLE.name)
        if not self.ready.done():
            self.ready.set_exception(ConnectionError(str(exc or "the connection was closed during the handshake")))
        if self.owner is not None:
            self.owner.lost(self)

    def pause_writing(self) -> None:
        self._machine.blocked = True

    def resume_writing(self) -> None:
        self._machine.blocked = False
        self.flush()
