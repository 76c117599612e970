"""A connection between accept and its first SETTINGS: waiting its turn, TLS, then the HTTP/2 handshake."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from laura_fast.limits import transport as limits
from laura_fast.transport.native.peers import is_certified
from laura_fast.transport.native.protocol import ServerProtocol

if TYPE_CHECKING:
    import socket
    import ssl
    from collections.abc import Callable

    from laura_fast.transport.native.admission import Place
    from laura_fast.transport.native.state import ServerState

    ContextSource = Callable[[], ssl.SSLContext]


class Newcomer:
    """An accepted socket until a protocol has it.

    Args:
        server: Shared state.
        connection: The socket, which this closes unless a protocol takes it over.
        ssl_context: Called when TLS begins; None for plain text.
    """

    def __init__(self, server: ServerState, connection: socket.socket, ssl_context: ContextSource | None) -> None:
        self._server = server
        self._connection = connection
        self._ssl_context = ssl_context
        self._loop = asyncio.get_running_loop()
        self._timeout_s = server.settings.connection_timeout_ms / 1000
        self._place: Place | None = None
        self._patience: asyncio.TimerHandle | None = None
        self._handshake: asyncio.Task[None] | None = None

    def enter(self, host: str) -> bool:
        """Comes in, at once or in turn; False if there is no place, and then the socket is closed."""
        self._place = self._server.admission.enter(host, self._begin, self.turn_away)
        if self._place is None:
            self._connection.close()
        elif self._handshake is None:
            self._server.newcomers.add(self)
            self._patience = self._loop.call_later(limits.WAITING_TIMEOUTS * self._timeout_s, self.turn_away)
        return self._place is not None

    def turn_away(self) -> None:
        """Ends whatever it is at. Nothing was read while it waited, so nothing is said."""
        if self._handshake is not None:
            self._handshake.cancel()
        else:
            self._close()

    def _begin(self) -> None:
        """Its turn: the connection timeout starts anew, for having waited is not its fault."""
        if self._patience is not None:
            self._patience.cancel()
        self._server.newcomers.add(self)
        self._connection.setblocking(False)  # the name of the method says what it sets
        self._handshake = self._loop.create_task(self._connect())
        self._handshake.add_done_callback(self._done)

    async def _connect(self) -> None:
        place = self._place
        assert place is not None  # noqa: S101  # a task's first step is behind the end of `enter`
        protocol = Handshake(ServerProtocol(self._server, self._loop, place.leave), place)
        options: dict[str, Any] = {}
        if self._ssl_context is not None:
            options = {"ssl": self._ssl_context(), "ssl_handshake_timeout": self._timeout_s}
        try:
            await self._loop.connect_accepted_socket(lambda: protocol, self._connection, **options)
        except OSError:  # ssl.SSLError is one
            self._close()

    def _done(self, handshake: asyncio.Task[None]) -> None:
        self._server.newcomers.discard(self)
        if handshake.cancelled():  # maybe before its first step
            self._close()

    def _close(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
        self._server.newcomers.discard(self)
        self._connection.close()
        if self._place is not None:
            self._place.leave()


class Handshake(asyncio.Protocol):
    """A connection's protocol until its peer is known; then the connection's own takes over.

    So nothing is asked at each read of a connection that is in use.
    """

    def __init__(self, connection: ServerProtocol, place: Place) -> None:
        self._connection = connection
        self._place = place
        self._transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """TLS, if any, is done: a certificate that was asked for is verified."""
        self._transport = transport
        if is_certified(transport):
            self._place.prove()
        self._connection.connection_made(transport)

    def data_received(self, data: bytes) -> None:
        self._connection.data_received(data)
        if self._connection.machine.settings_received:
            self._place.prove()
            self._transport.set_protocol(self._connection)

    def eof_received(self) -> bool:
        return self._connection.eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        self._connection.connection_lost(exc)

    def pause_writing(self) -> None:
        self._connection.pause_writing()

    def resume_writing(self) -> None:
        self._connection.resume_writing()
