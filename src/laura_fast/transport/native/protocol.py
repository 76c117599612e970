"""One client connection: between the socket, the HTTP/2 machine and the handlers.

The path of a unary call that is answered where it is read::

    data_received → ServerConnection.receive → whole → handler → out → one write per read

Everything else takes a `Call` with a stream and a task.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

from laura_fast.errors import ProtocolError
from laura_fast.transport.native import answers
from laura_fast.transport.native.calls import Call
from laura_fast.transport.native.context import Context
from laura_fast.transport.native.peers import auth_context, peer_name, speaks_h2
from laura_fast.transport.native.refusing import RefusedCall
from laura_fast.transport.native.running import Suspended
from laura_fast.wire.http2.errors import ErrorCode
from laura_fast.wire.http2.server import ServerConnection

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable, Mapping

    from laura_fast.errors import Code
    from laura_fast.transport.native.requests import Request
    from laura_fast.transport.native.state import ServerState
    from laura_fast.wire.http2.hpack_table import Fields
    from laura_fast.wire.http2.stream import Stream

_monotonic = time.monotonic


class ServerProtocol(asyncio.Protocol):
    """One connection.

    Attributes:
        machine: Its HTTP/2 state.
        peer: As gRPC writes addresses, `ipv4:127.0.0.1:50000`.
        calls: Calls that are not over, or whose handlers still run.
        opened_at: When it was accepted, seconds.
        heard_at: When bytes last arrived.
        busy_at: When there last was a call.
        closing_at: When it was told to go; None before.
        gone: Called when the connection is closed.
    """

    __slots__ = (
        "_auth",
        "_flush_scheduled",
        "_more",
        "_newest_seen",
        "_transport",
        "busy_at",
        "calls",
        "closing_at",
        "draining_at",
        "gone",
        "heard_at",
        "loop",
        "machine",
        "opened_at",
        "peer",
        "server",
    )

    def __init__(self, server: ServerState, loop: asyncio.AbstractEventLoop, gone: Callable[[], None]) -> None:
        self.server = server
        self.loop = loop
        settings = server.settings
        self.machine = ServerConnection(self, settings.max_concurrent_rpcs, settings.min_ping_interval_ms / 1000)
        self.peer = ""
        self.calls: set[Call] = set()
        self.opened_at = self.heard_at = self.busy_at = _monotonic()
        self.closing_at: float | None = None
        self.draining_at: float | None = None
        self.gone = gone
        self._auth: Mapping[str, Iterable[bytes]] | None = None
        self._transport: Any = None
        self._flush_scheduled = False
        self._more = False
        self._newest_seen = 0

    @property
    def made(self) -> bool:
        """The connection was made, so `gone` will be called."""
        return self._transport is not None

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

    def kill(self) -> None:
        """Closes now."""
        self._transport.abort()

    def end(self, error_code: ErrorCode, reason: str) -> None:
        """Ends the connection with a GOAWAY that says why."""
        self.machine.fail(ProtocolError(reason, error_code))
        self._flush()

    # --- from the machine: see `laura_fast.wire.http2.header_blocks.Host` ----------------------------------------

    def prepare(self, common: Fields, own: Fields) -> Request:
        return self.server.preparer.prepare(common, own)

    def whole(self, stream_id: int, request: Request, body: bytes) -> None:
        size = len(body) - 5
        if (
            size < 0
            or body[0]
            or int.from_bytes(body[1:5], "big") != size
            or request.content_length not in (None, len(body))
            or self.server.is_full()
        ):
            self._take_apart(stream_id, request, body)
            return
        server, method, started = self.server, request.method, _monotonic()
        server.observer.rpc_started(method.path)
        context = Context(request, self, started)
        coroutine = None
        try:
            coroutine = method.behaviour(method.parse(body[5:]), context)
            waits_for = coroutine.send(None)
        except StopIteration as returned:
            if not context.touched and type(answer := method.serialise(returned.value)) is bytes:
                machine = self.machine
                size = len(answer) + 5
                if size <= answers.LARGEST and machine.can_answer(size):
                    machine.out.append(server.answers.pack(stream_id, answer))
                    machine.window -= size
                    machine.strikes = 0
                    server.observer.rpc_handled(method.path, 0, _monotonic() - started, self.peer)
                    return
            self._adopt(stream_id, request, context).succeed(returned.value)
        except Exception as error:  # noqa: BLE001  # any bug in a handler ends its call only
            self._adopt(stream_id, request, context).fail(error)
        else:
            call = self._adopt(stream_id, request, context)
            call.resume(_go_on(call, coroutine, waits_for))

    def opened(self, stream: Stream) -> None:
        request: Request = stream.request
        refusal = request.prepared.refusal
        if refusal is None and self.server.is_full():
            refusal = answers.TOO_MANY_CALLS
        if refusal is not None:
            stream.call = RefusedCall(self, stream, refusal)
            return
        stream.call = call = self._call(stream, request, None)
        call.begin()

    def received(self, stream: Stream, data: bytes) -> None:
        if stream.call is not None:
            stream.call.feed(data)

    def ended(self, stream: Stream) -> None:
        if stream.call is not None:
            stream.call.feed_end()

    def aborted(self, stream: Stream, error_code: int) -> None:  # noqa: ARG002  # all mean cancelled
        if stream.call is not None:
            stream.call.abort()

    # --- calls ---------------------------------------------------------------------------------------------------

    def forget(self, call: Call) -> None:
        """The call is over and its handler is done."""
        if call in self.calls:
            self.calls.remove(call)
            self.server.rpcs -= 1
            self.busy_at = _monotonic()
            if self.machine.draining:
                self.flush_soon()

    def _call(self, stream: Stream, request: Request, context: Context | None) -> Call:
        call = Call(self, stream, request, context)
        self.calls.add(call)
        self.server.rpcs += 1
        return call

    def _adopt(self, stream_id: int, request: Request, context: Context) -> Call:
        stream = self.machine.adopt(stream_id, request)
        stream.call = call = self._call(stream, request, context)
        return call

    def _take_apart(self, stream_id: int, request: Request, body: bytes) -> None:
        """A request that is not one plain message takes the long way."""
        stream = self.machine.adopt(stream_id, request)
        if request.content_length not in (None, len(body)):
            self.machine.refuse(stream, ErrorCode.PROTOCOL_ERROR)
            return
        self.opened(stream)
        if stream.call is not None:
            stream.call.feed(body)
            stream.call.feed_end()

    def auth_context(self) -> Mapping[str, Iterable[bytes]]:
        """What TLS knows of the peer, as grpc.aio names it."""
        if self._auth is None:
            self._auth = auth_context(self._transport)
        return self._auth


async def _go_on(call: Call, coroutine: Coroutine[Any, Any, Any], waits_for: Any) -> None:
    """An inline handler suspended after all: the rest of it in a task."""
    try:
        answer = await Suspended(coroutine, waits_for)
    except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001  # any bug in a handler ends its call only
        call.fail(error)
    else:
        call.succeed(answer)
