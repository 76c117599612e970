"""One client connection: between the socket, the HTTP/2 machine and the handlers.

The path of a unary call that is answered where it is read::

    data_received → ServerConnection.receive → run → handler → out → one write per read

Everything else takes a `Call` with a stream and a task.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

from laura_fast.errors import ProtocolError
from laura_fast.transport.native.hosting import Host
from laura_fast.transport.native.peers import auth_context, peer_name, speaks_h2

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from laura_fast.errors import Code
    from laura_fast.transport.native.state import ServerState
    from laura_fast.wire.http2.errors import ErrorCode

_monotonic = time.monotonic


class ServerProtocol(Host, asyncio.Protocol):
    """One connection.

    Attributes:
        opened_at: When it was accepted, seconds.
        heard_at: When bytes last arrived.
        closing_at: When it was told to go; None before.
        gone: Called when the connection is closed.
    """

    __slots__ = (
        "_auth",
        "_flush_scheduled",
        "_more",
        "_newest_seen",
        "_transport",
        "closing_at",
        "draining_at",
        "gone",
        "heard_at",
        "opened_at",
    )

    def __init__(self, server: ServerState, loop: asyncio.AbstractEventLoop, gone: Callable[[], None]) -> None:
        super().__init__(server, loop)
        self.opened_at = self.heard_at = self.busy_at
        self.closing_at: float | None = None
        self.draining_at: float | None = None
        self.gone = gone
        self._auth: Mapping[str, Iterable[bytes]] | None = None
        self._transport: Any = None
        self._flush_scheduled = False
        self._more = False
        self._newest_seen = 0

    # --- from the socket -----------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self.peer = peer_name(transport)
        if not speaks_h2(transport):
            self._transport.abort()
            return
        self.server.connections.add(self)
        self._flush()

    def data_received(self, data: bytes) -> None:
        self.heard_at = now = _monotonic()
        self._flush_scheduled = True  # at the end of this
        if self.machine.receive(data, now) and not self._more:
            # The budget of this turn is used up: others first, and no more bytes until we are through with these.
            self._more = True
            self._transport.pause_reading()
            self.loop.call_soon(self._receive_more)
        self._flush()

    def eof_received(self) -> bool:
        return False

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  # asyncio's signature
        self.server.connections.discard(self)
        self.machine.closed = True
        self._abort_calls()
        self.gone()

    def pause_writing(self) -> None:
        """The peer does not read: nothing more is produced for it, and nothing more taken from it."""
        self.machine.blocked = True
        self._transport.pause_reading()

    def resume_writing(self) -> None:
        self.machine.blocked = False
        if not self._more:
            self._transport.resume_reading()
        self.flush_soon()

    def _receive_more(self) -> None:
        self._more = not self._transport.is_closing() and self.machine.receive(b"", _monotonic())
        if self._more:
            self.loop.call_soon(self._receive_more)
        elif not self.machine.blocked and not self._transport.is_closing():
            self._transport.resume_reading()
        self._flush()

    # --- to the socket -------------------------------------------------------------------------------------------

    def flush_soon(self) -> None:
        """Writes what has gathered when this turn of the loop is over."""
        if not self._flush_scheduled:
            self._flush_scheduled = True
            self.loop.call_soon(self._flush)

    def _flush(self) -> None:
        self._flush_scheduled = False
        if self._transport.is_closing():
            return
        machine = self.machine
        more = machine.pump()
        if self._waiting:
            self.let_one_go_on()
        if machine.out:
            self._transport.write(b"".join(machine.out))
            machine.out.clear()
        machine.written()
        if more:
            self.flush_soon()
        if machine.closed and self.closing_at is None:
            self._fail()
        elif machine.draining:
            self._close_if_drained()

    def _fail(self) -> None:
        """GOAWAY is written. The socket stays open for a moment: closed with bytes unread, it would lose the GOAWAY."""
        self.closing_at = _monotonic()
        self._abort_calls()
        if self._transport.can_write_eof():
            self._transport.write_eof()
        else:
            self._transport.close()

    def _abort_calls(self) -> None:
        for call in tuple(self.calls):
            call.abort()

    def drain(self) -> None:
        """Lets running calls finish, takes no new ones, then closes: the two steps of `Connection.drain`."""
        if self.draining_at is None:
            self.draining_at = _monotonic()
            self.machine.drain()
            self._flush()

    def stop(self, code: Code, details: str) -> None:
        """Ends every call with a status and takes no new ones."""
        self.machine.finish_draining()
        for call in tuple(self.calls):
            call.end(code, details)
        self._flush()

    def idle_s(self, now: float) -> float:
        """Seconds without a call; 0 while there is one, or if one was answered since the last time we were asked."""
        newest = self.machine.last_stream_id
        if self.calls or newest != self._newest_seen:
            self._newest_seen = newest
            self.busy_at = now
        return now - self.busy_at

    def _close_if_drained(self) -> None:
        if self.machine.draining == 2 and not (self.machine.streams or self.calls):  # noqa: PLR2004  # second step
            self._transport.close()

    def close(self) -> None:
        """Closes when everything is written."""
        self._transport.close()

    def kill(self) -> None:
        """Closes now."""
        self._transport.abort()

    def end(self, error_code: ErrorCode, reason: str) -> None:
        """Ends the connection with a GOAWAY that says why."""
        self.machine.fail(ProtocolError(reason, error_code))
        self._flush()

    def auth_context(self) -> Mapping[str, Iterable[bytes]]:
        if self._auth is None:
            self._auth = auth_context(self._transport)
        return self._auth
