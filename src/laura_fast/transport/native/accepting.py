"""Accepting connections: who gets in, and TLS before any byte of HTTP/2 is read."""

from __future__ import annotations

import asyncio
import errno
from pathlib import Path
from typing import TYPE_CHECKING, Any

from laura_fast import limits
from laura_fast.observability import log
from laura_fast.transport.native.protocol import ServerProtocol

if TYPE_CHECKING:
    import socket
    import ssl
    from collections.abc import Callable

    from laura_fast.transport.native.state import ServerState

    ContextSource = Callable[[], ssl.SSLContext]

_log = log.get("laura_fast.transport")
_OUT_OF_RESOURCES = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})


class Acceptor:
    """One listening socket.

    Sockets are accepted by hand and not by `loop.create_server`, because a limit must count connections from the moment
    they are accepted, not from the end of their TLS handshake, and because each takes the newest certificate.

    Args:
        server: Shared state.
        listener: A bound, listening, non-blocking socket, which the acceptor then owns.
        ssl_context: Called for each connection; None for plain text.
    """

    def __init__(self, server: ServerState, listener: socket.socket, ssl_context: ContextSource | None) -> None:
        self._server = server
        self._listener = listener
        self._ssl_context = ssl_context
        self._loop: Any = None
        self._handshakes: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        """Accepts from now on."""
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._listener.fileno(), self._accept)

    def close(self) -> None:
        """Accepts no more; whoever is still in a TLS handshake is dropped."""
        if self._listener.fileno() >= 0 and self._loop is not None:
            self._loop.remove_reader(self._listener.fileno())
        path = self._listener.getsockname() if self._listener.fileno() >= 0 else None
        self._listener.close()
        if path and isinstance(path, str):
            Path(path).unlink(missing_ok=True)
        for handshake in self._handshakes:
            handshake.cancel()

    def _accept(self) -> None:
        for _ in range(limits.MAX_ACCEPTS_PER_TURN):
            try:
                connection, address = self._listener.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                self._pause(error)
                return
            self._admit(connection, address)

    def _pause(self, error: OSError) -> None:
        """No descriptors left: accepting again at once would spin."""
        _log.warning("accept_failed", error=str(error))
        if error.errno in _OUT_OF_RESOURCES:
            self._loop.remove_reader(self._listener.fileno())
            self._loop.call_later(limits.ACCEPT_PAUSE_S, self._resume)

    def _resume(self) -> None:
        if self._listener.fileno() >= 0:
            self._loop.add_reader(self._listener.fileno(), self._accept)

    def _admit(self, connection: socket.socket, address: Any) -> None:
        host = address[0] if isinstance(address, tuple) else ""
        if not self._server.admission.enter(host, connection.fileno()):
            connection.close()
            return
        connection.setblocking(False)  # the name of the method says what it sets
        task = self._loop.create_task(self._connect(connection, host))
        self._handshakes.add(task)
        task.add_done_callback(self._handshakes.discard)

    async def _connect(self, connection: socket.socket, host: str) -> None:
        protocol = ServerProtocol(self._server, self._loop, lambda: self._server.admission.leave(host))
        timeout_s = self._server.settings.connection_timeout_ms / 1000
        options: dict[str, Any] = {}
        if self._ssl_context is not None:
            options = {"ssl": self._ssl_context(), "ssl_handshake_timeout": timeout_s}
        try:
            await self._loop.connect_accepted_socket(lambda: protocol, connection, **options)
        except (OSError, asyncio.CancelledError):  # ssl.SSLError is an OSError
            connection.close()
            if not protocol.made:
                self._server.admission.leave(host)
