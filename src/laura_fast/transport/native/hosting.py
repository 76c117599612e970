"""From requests to handlers: what a connection does with what the HTTP/2 machine tells it.

Unary calls whose handler never waits are answered in `run`; everything else becomes a `Call`.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from laura_fast.limits import transport as limits
from laura_fast.transport.native import answers
from laura_fast.transport.native.calls import Call
from laura_fast.transport.native.exchanging import ExchangeCall
from laura_fast.transport.native.inbox import Assembly
from laura_fast.transport.native.refusing import RefusedCall
from laura_fast.transport.native.runs import answer_run
from laura_fast.wire.grpc.framing import PREFIX, PREFIX_BYTES, frame_message
from laura_fast.wire.http2.errors import ErrorCode
from laura_fast.wire.http2.server import ServerConnection

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Iterable, Mapping, Sequence

    from laura_fast.transport.native.context import Context
    from laura_fast.transport.native.requests import Request
    from laura_fast.transport.native.state import ServerState
    from laura_fast.wire.http2.hpack_table import Fields
    from laura_fast.wire.http2.stream import Stream

_monotonic = time.monotonic
_read_prefix = PREFIX.unpack_from


class Host:
    """The calls of one connection.

    Attributes:
        machine: The connection's HTTP/2 state.
        peer: As gRPC writes addresses, `ipv4:127.0.0.1:50000`.
        calls: Calls that are not over, or whose handlers still run.
        assembly: Bounds the incomplete messages.
        busy_at: When there last was a call, seconds.
        longest: Bytes of the longest message, either way.
    """

    __slots__ = ("_waiting", "assembly", "busy_at", "calls", "longest", "loop", "machine", "peer", "server")

    def __init__(self, server: ServerState, loop: asyncio.AbstractEventLoop) -> None:
        self.server = server
        self.loop = loop
        settings = server.settings
        self.machine = ServerConnection(self, settings.max_concurrent_rpcs, settings.min_ping_interval_ms / 1000)
        self.longest = settings.max_message_bytes
        self.machine.longest_in_run = min(self.machine.longest_in_run, self.longest)
        self.peer = ""
        self.calls: set[Call] = set()
        self.assembly = Assembly()
        self.busy_at = _monotonic()
        self._waiting: dict[asyncio.Future[None], None] = {}

    def flush_soon(self) -> None:
        """Writes what has gathered when this turn of the loop is over."""
        raise NotImplementedError

    def auth_context(self) -> Mapping[str, Iterable[bytes]]:
        """What TLS knows of the peer, as grpc.aio names it."""
        raise NotImplementedError

    # --- from the machine: see `laura_fast.wire.http2.header_blocks.Host` ----------------------------------------

    def prepare(self, common: Fields, own: Fields) -> Request:
        return self.server.preparer.prepare(common, own)

    def whole(self, stream_id: int, request: Request, body: bytes) -> None:
        size = len(body) - PREFIX_BYTES
        if (
            size < 0
            or size > self.longest
            or _read_prefix(body) != (0, size)
            or (request.content_length is not None and request.content_length != len(body))
        ):
            self._take_apart(stream_id, request, body)
        else:
            self.run(request, [(stream_id, body[PREFIX_BYTES:])])

    def run(self, request: Request, run: Sequence[tuple[int, bytes]]) -> None:
        inline, begun = request.method.inline, 0
        while begun < len(run):
            if self.machine.queued > limits.CONNECTION_QUEUE_BYTES or self.server.rpcs >= self.server.most_rpcs:
                stream_id, message = run[begun]
                self._take_apart(stream_id, request, frame_message(message))
                begun += 1
            elif inline is None:
                stream_id, message = run[begun]
                self._adopt(stream_id, request, None).begin_whole(message)
                begun += 1
            else:
                begun += answer_run(self, request, inline, run[begun:] if begun else run)

    def longest_at_once(self) -> int:
        """Longest message with its prefix that may be answered without a stream; -1 = none."""
        machine = self.machine
        return min(self.server.answers.largest, machine.peer.initial_window) if machine.can_answer(0) else -1

    def answer_late(self, stream_id: int, request: Request, context: Context) -> Call:
        """The call of an inline handler whose answer takes a stream after all."""
        self.server.observer.rpc_started(request.method.path)
        return self._adopt(stream_id, request, context)

    def opened(self, stream: Stream) -> None:
        request: Request = stream.request
        refusal = request.prepared.refusal
        if refusal is None and self.server.rpcs >= self.server.most_rpcs:
            refusal = answers.TOO_MANY_CALLS
        if refusal is not None:
            stream.call = RefusedCall(self, stream, refusal)
            return
        method = request.method
        kind = Call if method is None or method.exchanges is None else ExchangeCall
        stream.call = call = self._call(kind, stream, request, None)
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
        self.calls.remove(call)
        self.server.rpcs -= 1
        if self.machine.draining:
            self.flush_soon()

    async def room(self) -> None:
        """Waits while the peer leaves too many answers unread.

        Handlers wait in their tasks: all calls of one read start before the first of them has answered.
        """
        while self.machine.queued > limits.CONNECTION_QUEUE_BYTES:
            turn = self.loop.create_future()
            self._waiting[turn] = None
            try:
                await turn
            finally:
                del self._waiting[turn]

    def let_one_go_on(self) -> None:
        """Lets the longest waiting handler look again; the next one looks when that one has had its turn."""
        if self.machine.queued <= limits.CONNECTION_QUEUE_BYTES:
            turn = next(iter(self._waiting))
            if not turn.done():
                turn.set_result(None)
            self.flush_soon()

    def _call(self, kind: type[Call], stream: Stream, request: Request, context: Context | None) -> Call:
        call = kind(self, stream, request, context)
        self.calls.add(call)
        self.server.rpcs += 1
        return call

    def _adopt(self, stream_id: int, request: Request, context: Context | None) -> Call:
        stream = self.machine.adopt(stream_id, request)
        stream.call = call = self._call(Call, stream, request, context)
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
