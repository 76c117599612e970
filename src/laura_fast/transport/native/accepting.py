"""Accepting connections, for as long as there are descriptors for them."""

from __future__ import annotations

import asyncio
import errno
from pathlib import Path
from typing import TYPE_CHECKING, Any

from laura_fast import limits
from laura_fast.observability import log
from laura_fast.transport.native import descriptors
from laura_fast.transport.native.newcomers import Newcomer

if TYPE_CHECKING:
    import socket

    from laura_fast.transport.native.newcomers import ContextSource
    from laura_fast.transport.native.state import ServerState

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

    def start(self) -> None:
        """Accepts from now on."""
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._listener.fileno(), self._accept)

    def close(self) -> None:
        """Accepts no more."""
        if self._listener.fileno() >= 0 and self._loop is not None:
            self._loop.remove_reader(self._listener.fileno())
        path = self._listener.getsockname() if self._listener.fileno() >= 0 else None
        self._listener.close()
        if path and isinstance(path, str):
            Path(path).unlink(missing_ok=True)

    def _accept(self) -> None:
        for _ in range(limits.MAX_ACCEPTS_PER_TURN):
            try:
                connection, address = self._listener.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                self._on_error(error)
                return
            short = self._server.descriptors.are_short(connection.fileno())
            Newcomer(self._server, connection, self._ssl_context).enter(_host(address))
            if short and not self._server.admission.turn_one_away():
                self._pause("few descriptors are left")
                return

    def _on_error(self, error: OSError) -> None:
        """Without descriptors or memory, accepting again at once would spin."""
        if error.errno in _OUT_OF_RESOURCES:
            self._pause(str(error))
        else:
            _log.warning("accept_failed", error=str(error))

    def _pause(self, reason: str) -> None:
        """Leaves further connections to the kernel's backlog until descriptors are plenty again."""
        _log.warning(
            "accept_paused", reason=reason, descriptors=descriptors.in_use(), most=self._server.descriptors.most
        )
        self._loop.remove_reader(self._listener.fileno())
        self._loop.call_later(limits.ACCEPT_PAUSE_S, self._resume)

    def _resume(self) -> None:
        if self._listener.fileno() < 0:
            return
        if not self._server.descriptors.are_plenty():
            self._loop.call_later(limits.ACCEPT_PAUSE_S, self._resume)
            return
        _log.info("accept_resumed", descriptors=descriptors.in_use(), most=self._server.descriptors.most)
        self._loop.add_reader(self._listener.fileno(), self._accept)


def _host(address: Any) -> str:
    return address[0] if isinstance(address, tuple) else ""
