"""Accepting connections, for as long as there are descriptors for them."""

from __future__ import annotations

import asyncio
import errno
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from laura_fast.limits import transport as limits
from laura_fast.limits.http2 import MAX_SETTINGS_ENTRIES
from laura_fast.observability import log
from laura_fast.transport.native import descriptors
from laura_fast.transport.native.newcomers import Newcomer
from laura_fast.wire.http2 import constants as h2

if TYPE_CHECKING:
    from laura_fast.transport.native.newcomers import ContextSource
    from laura_fast.transport.native.state import ServerState

_log = log.get("laura_fast.transport")
_GREETING_BYTES: Final = len(h2.PREFACE) + h2.FRAME_HEAD_BYTES + 6 * MAX_SETTINGS_ENTRIES
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
            proven = self._ssl_context is None and _has_greeted(connection)
            Newcomer(self._server, connection, self._ssl_context).enter("" if proven else _host(address))
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


def _has_greeted(connection: socket.socket) -> bool:
    """Whether the client's preface and whole SETTINGS are here already: it need not wait its turn to prove itself.

    Honest clients send them with their handshake, so a crowd of those comes in at once (bench.rivals, 1000 × 1).
    """
    try:
        first = connection.recv(_GREETING_BYTES, socket.MSG_PEEK | socket.MSG_DONTWAIT)
    except OSError:
        return False
    at = len(h2.PREFACE)
    if len(first) < at + h2.FRAME_HEAD_BYTES or not first.startswith(h2.PREFACE) or first[at + 3] != h2.SETTINGS:
        return False
    return len(first) >= at + h2.FRAME_HEAD_BYTES + int.from_bytes(first[at : at + 3], "big")


def _host(address: Any) -> str:
    return address[0] if isinstance(address, tuple) else ""
