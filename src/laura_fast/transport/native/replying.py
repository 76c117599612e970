"""The answering half of a call: headers once, messages, and exactly one status."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import grpc

from laura_fast.errors import Code, OverloadedError, RpcError
from laura_fast.observability import log
from laura_fast.transport.native import answers
from laura_fast.wire.grpc.framing import PREFIX_BYTES, frame_message

if TYPE_CHECKING:
    from laura_fast.transport.native.context import Context
    from laura_fast.transport.native.hosting import Host
    from laura_fast.transport.native.methods import Method
    from laura_fast.transport.native.requests import Request
    from laura_fast.wire.http2.stream import Stream

_log = log.get("laura_fast.transport")
_INTERNAL: Final = "internal error; the server's log has it"


class Reply:
    """What goes to the client.

    Attributes:
        context: What the handler got.
        headers_sent: The first header block is out.
        method: None until it is known.
        over: The status was sent or can't be sent any more.
    """

    __slots__ = ("context", "headers_sent", "host", "method", "over", "request", "stream")

    def __init__(self, host: Host, stream: Stream, request: Request, context: Context) -> None:
        self.host = host
        self.stream = stream
        self.request = request
        self.method: Method | None = request.method
        self.context = context
        self.headers_sent = False
        self.over = False

    async def write(self, message: Any) -> None:
        """Sends an answer; waits while the stream has more queued than is good for us."""
        if self.over:
            raise grpc.aio.UsageError("RPC already finished.")
        if not self._send(message):
            room = self.host.loop.create_future()
            self.stream.on_room = partial(_release, room)
            self.host.flush_soon()
            await room

    def send_headers(self) -> None:
        """The first header block, once."""
        if not self.headers_sent:
            self.headers_sent = True
            context, machine = self.context, self.host.machine
            plain = context.codec is None and not context.initial
            block = answers.HEADERS_BLOCK if plain else answers.headers_block(context.initial, context.codec)
            machine.send_headers(self.stream, block)

    def succeed(self, answer: Any) -> None:
        """The handler returned: the answer of a unary method, else None."""
        try:
            if self._succeed_at_once(answer):
                return
            code, details = self.context.outcome()
            if code is Code.OK and self._answers_once and not (self.context.aborted or self.over):
                self._send(answer)
        except Exception as error:  # noqa: BLE001  # a serialiser's bug is the handler's bug
            self.fail(error)
        else:
            self.end(code, details)

    @property
    def _answers_once(self) -> bool:
        return self.method is not None and not self.method.response_streaming

    def _succeed_at_once(self, answer: Any) -> bool:
        """A small answer to a complete request, about which the handler decided nothing, is one piece of bytes."""
        stream, method, machine = self.stream, self.method, self.host.machine
        if self.context.touched or stream.receiving or self.headers_sent or self.over:
            return False
        if method is None or method.response_streaming:
            return False
        message = method.serialise(answer)
        size = len(message) + PREFIX_BYTES
        if size > min(self.host.server.answers.largest, stream.send_window) or not machine.can_answer(size):
            return False
        machine.send_whole(stream, self.host.server.answers.pack(stream.stream_id, message), size)
        self._close(Code.OK)
        self.host.flush_soon()
        return True

    def fail(self, error: BaseException) -> None:
        """The handler raised."""
        if self.context.aborted:
            self.end(*self.context.outcome())
        elif isinstance(error, RpcError):
            self.end(error.code, error.message)
        elif isinstance(error, asyncio.CancelledError):
            self.end(Code.CANCELLED, "the handler was cancelled")
        elif self.context.outcome()[0] is not Code.OK:
            self.end(*self.context.outcome())  # generated servicers: set_code(UNIMPLEMENTED), then raise
        elif not self.over:
            _log.error("handler_failed", method=self.request.prepared.path, exc_info=error)
            self.end(Code.INTERNAL, _INTERNAL)

    def end(self, code: Code, details: str) -> None:
        """Sends the status, once, and stops a handler that is still running."""
        if self.over:
            return
        machine, context = self.host.machine, self.context
        trailing = context.trailing_metadata()
        if code is Code.OK or context.initial:
            self.send_headers()
        if code is Code.OK and not (trailing or details):
            block = answers.OK_BLOCK
        else:
            block = answers.trailers_block(code, details, trailing, only=not self.headers_sent)
        if self.headers_sent:
            machine.send_trailers(self.stream, block)
        else:
            machine.send_headers(self.stream, block, end_stream=True)
        self._close(code)
        self.host.flush_soon()

    def _close(self, code: Code) -> None:
        """The call is over, with this code."""
        raise NotImplementedError

    def _send(self, answer: Any) -> bool:
        assert self.method is not None  # noqa: S101  # handlers run when it is known
        host = self.host
        message = frame_message(self.method.serialise(answer), self.context.next_codec())
        size, limit = len(message) - PREFIX_BYTES, host.longest
        if size > limit:
            raise OverloadedError(f"Sent message larger than max ({size} vs. {limit})", "MESSAGE_TOO_LARGE")
        if not self.headers_sent:
            self.send_headers()
        host.flush_soon()
        return host.machine.send_data(self.stream, message)


def _release(room: asyncio.Future[None]) -> None:
    if not room.done():
        room.set_result(None)
