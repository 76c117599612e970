"""One connection of a channel: between the socket, the HTTP/2 machine and the calls."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any, cast

from laura_fast.errors import ProtocolError
from laura_fast.transport.native.inbox import Assembly
from laura_fast.transport.native.peers import peer_name, speaks_h2
from laura_fast.wire.grpc.request_blocks import RequestBlocks
from laura_fast.wire.grpc.response import ResponseBlock
from laura_fast.wire.http2.client import ClientConnection
from laura_fast.wire.http2.errors import ErrorCode

if TYPE_CHECKING:
    from collections.abc import Callable

    from laura_fast.transport.native.channel.call import ClientCall
    from laura_fast.transport.native.channel.dropped import Listener
    from laura_fast.transport.native.channel.options import ChannelOptions

_monotonic = time.monotonic


class Link(asyncio.Protocol):
    """A connection to the server.

    Attributes:
        machine: Its HTTP/2 state.
        blocks: Makes its header blocks.
        assembly: Bounds what its incomplete messages hold.
        loop: The event loop.
        ready: Done when the server's SETTINGS are here; an exception if the connection ended before.
        reason: Why it ended.
        flush_scheduled: `flush_soon` has nothing to do.
        on_turn: Called when streams may have become free, or the connection takes no more.
        on_lost: Called once when the connection is gone.
    """

    def __init__(self, options: ChannelOptions, loop: asyncio.AbstractEventLoop, on_turn: Callable[[], None]) -> None:
        self.machine = ClientConnection(ResponseBlock)
        self.blocks = RequestBlocks(self.machine.encoder)
        self.assembly = Assembly()
        self.loop = loop
        self.ready: asyncio.Future[None] = loop.create_future()
        self.reason = "the connection was closed by the server"
        self.peer = ""
        self.on_turn = on_turn
        self.on_lost: Callable[[Link], None] | None = None
        self._options = options
        self._transport: Any = None
        self.flush_scheduled = self._more = False
        self._heard_at = 0.0
        self._keeper: asyncio.TimerHandle | None = None

    @property
    def calls(self) -> list[ClientCall]:
        """Calls that are not over."""
        receivers = cast("list[ClientCall | Listener]", self.machine.receivers)
        return [call for receiver in receivers if (call := receiver.caller()) is not None]

    # --- from the socket -----------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self.peer = peer_name(transport)
        self._heard_at = _monotonic()
        if not speaks_h2(transport):
            self.abort("the server did not agree to HTTP/2 in its TLS handshake (ALPN)")
            return
        if self._options.keepalive_s is not None:
            self._keeper = self.loop.call_later(self._options.keepalive_s, self._keep_alive)
        self._flush()

    def data_received(self, data: bytes) -> None:
        machine = self.machine
        self._heard_at = now = _monotonic()
        if machine.receive(data, now) and not self._more:
            self._more = True
            self._transport.pause_reading()
            self.loop.call_soon(self._receive_more)
        if machine.settings_received and not self.ready.done():
            self.ready.set_result(None)
        self.flush_soon()

    def eof_received(self) -> bool:
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        if exc is not None:
            self.reason = f"the connection was lost: {exc}"
        self.machine.closed = True
        if self._keeper is not None:
            self._keeper.cancel()
        if not self.ready.done():
            self.ready.set_exception(ConnectionError(self.reason))
            self.ready.exception()  # whoever waited for it may have given up
        for call in self.calls:
            call.lost(self.reason)
        self.machine.streams.clear()
        self.machine.pending.clear()
        if self.on_lost is not None:
            self.on_lost(self)

    def pause_writing(self) -> None:
        self.machine.blocked = True

    def resume_writing(self) -> None:
        self.machine.blocked = False
        self.flush_soon()

    def _receive_more(self) -> None:
        self._more = not self._transport.is_closing() and self.machine.receive(b"", _monotonic())
        if self._more:
            self.loop.call_soon(self._receive_more)
        elif not self._transport.is_closing():
            self._transport.resume_reading()
        self.flush_soon()

    # --- to the socket -------------------------------------------------------------------------------------------

    def flush_soon(self) -> None:
        """Writes what has gathered when this turn of the loop is over."""
        if not self.flush_scheduled:
            self.flush_scheduled = True
            self.loop.call_soon(self._flush)

    def _flush(self) -> None:
        self.flush_scheduled = False
        if self._transport.is_closing():
            return
        machine = self.machine
        self.on_turn()
        more = machine.pump()
        if machine.out:
            self._transport.write(b"".join(machine.out))
            machine.out.clear()
        machine.written()
        if more:
            self.flush_soon()
        if machine.closed:
            self.reason = f"the connection was ended: {machine.failure}"
            self._transport.close()
        elif machine.goaway_code is not None and not machine.streams:
            self._transport.close()

    def close(self) -> None:
        """Says goodbye and closes; calls on it are lost."""
        self.machine.fail(ProtocolError("", ErrorCode.NO_ERROR))
        self._flush()

    def discard(self) -> None:
        """Drops a connection that never became one."""
        if self._transport is not None:
            self._transport.abort()

    def abort(self, reason: str) -> None:
        """Closes now, whatever was to be written."""
        self.reason = reason
        self._transport.abort()

    def _keep_alive(self) -> None:
        """A PING after silence; its answer, or anything else from the server, must come in time (gRFC A8)."""
        machine, options, now = self.machine, self._options, _monotonic()
        assert options.keepalive_s is not None  # noqa: S101  # set only then
        silent_s = now - self._heard_at
        if machine.ping_sent_at is not None and self._heard_at < machine.ping_sent_at:
            self.abort("the server did not answer a keep-alive ping")
            return
        machine.ping_sent_at = None
        wait_s = options.keepalive_s - silent_s
        if wait_s <= 0:
            wait_s = options.keepalive_s
            if machine.streams or machine.pending or options.keepalive_idle:
                machine.keep_alive(now)
                self.flush_soon()
                wait_s = options.keepalive_timeout_s
        self._keeper = self.loop.call_later(wait_s, self._keep_alive)
