"""A call that has a stream and a task: everything except unary calls answered where they are read."""

from __future__ import annotations

import asyncio
import time
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import grpc

from laura_fast.errors import Code, OverloadedError, RpcError
from laura_fast.observability import log
from laura_fast.transport.native import answers
from laura_fast.transport.native.context import Context
from laura_fast.transport.native.inbox import Inbox
from laura_fast.transport.native.methods import parse
from laura_fast.transport.native.running import intercept, run, spawn
from laura_fast.wire.grpc.framing import Deframer, Inflated, frame_message

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from laura_fast.transport.native.methods import Method
    from laura_fast.transport.native.protocol import ServerProtocol
    from laura_fast.transport.native.requests import Request
    from laura_fast.wire.http2.stream import Stream

_log = log.get("laura_fast.transport")
_INTERNAL: Final = "internal error; the server's log has it"


class Call:
    """One call with its stream.

    Attributes:
        context: What the handler got.
        headers_sent: The first header block is out.
        over: The status was sent or can't be sent any more.
    """

    __slots__ = (
        "_inbox",
        "_lingering",
        "_task",
        "_timer",
        "context",
        "headers_sent",
        "method",
        "over",
        "protocol",
        "request",
        "stream",
    )

    def __init__(
        self, protocol: ServerProtocol, stream: Stream, request: Request, context: Context | None = None
    ) -> None:
        self.protocol = protocol
        self.stream = stream
        self.request = request
        self.method: Method | None = request.method
        if context is None:
            context = Context(request, protocol, time.monotonic(), self)
        else:
            context.attach(self)
        self.context = context
        self.headers_sent = False
        self.over = False
        deframer = Deframer(protocol.server.settings.max_message_bytes, request.prepared.codec)
        self._inbox = Inbox(protocol, stream, deframer)
        self._lingering = False
        self._task: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None

    # --- from the connection -------------------------------------------------------------------------------------

    def begin(self) -> None:
        """The header block is here: the clock runs, and a handler of many requests starts."""
        if self.method is None:
            self._task = self._spawn(intercept(self))
            return
        self.known(self.method)
        if self.method.request_streaming:
            self.start(None)

    def known(self, method: Method) -> None:
        """The method is known, from the path or from interceptors."""
        self.method = method
        self._inbox.single = not method.request_streaming
        self.protocol.server.observer.rpc_started(method.path)
        self._set_timer(method)

    def feed(self, data: bytes) -> None:
        """A piece of the request body."""
        try:
            self._inbox.feed(data)
        except RpcError as error:
            self.end(error.code, error.message)

    def feed_end(self) -> None:
        """The request body is complete."""
        self._inbox.feed_end()
        if self._task is None and not self.over:
            self._start_with_only_request()

    def abort(self) -> None:
        """The stream was reset, or the connection is gone."""
        if not self.over:
            self._close(Code.CANCELLED)

    def cancel_locally(self) -> None:
        """The handler cancels its own call."""
        self.end(Code.CANCELLED, "cancelled by the handler")

    def _start_with_only_request(self) -> None:
        raw = self._only_request()
        if raw is not None:
            self.start(raw)

    def _only_request(self) -> bytes | None:
        try:
            return self._inbox.take_only()
        except RpcError as error:
            self.end(error.code, error.message)
            return None

    # --- for the handler -----------------------------------------------------------------------------------------

    async def read(self) -> Any:
        """The next request, or `grpc.aio.EOF`."""
        message = await self.next_raw()
        return grpc.aio.EOF if message is None else self.parse(message)

    async def only_request(self) -> bytes | None:
        """The one request of a unary method, once the peer half-closed; None if the call ended instead."""
        while not self._inbox.ended:
            await self._inbox.wait()
        return None if self.over else self._only_request()

    async def next_raw(self) -> bytes | None:
        """Bytes of the next request, None behind the last.

        Raises:
            RpcError: The peer's bytes are no message; the call has ended with that status.
        """
        try:
            return await self._inbox.next()
        except RpcError as error:
            self.end(error.code, error.message)
            raise

    def parse(self, message: bytes) -> Any:
        """The request message.

        Raises:
            RpcError: INVALID_ARGUMENT, the bytes are no such message.
        """
        assert self.method is not None  # noqa: S101  # handlers run when it is known
        self.context.request_compressed = type(message) is Inflated
        return parse(self.method, message)

    async def write(self, message: Any) -> None:
        """Sends an answer; waits while the stream has more queued than is good for us."""
        if self.over:
            raise grpc.aio.UsageError("RPC already finished.")
        if not self._send(message):
            room = self.protocol.loop.create_future()
            self.stream.on_room = partial(_release, room)
            self.protocol.flush_soon()
            await room

    def send_headers(self) -> None:
        """The first header block, once."""
        if not self.headers_sent:
            self.headers_sent = True
            context, machine = self.context, self.protocol.machine
            plain = context.codec is None and not context.initial
            block = answers.HEADERS_BLOCK if plain else answers.headers_block(context.initial, context.codec)
            machine.send_headers(self.stream, block)

    # --- the end -------------------------------------------------------------------------------------------------

    def succeed(self, answer: Any) -> None:
        """The handler returned: the answer of a unary method, else None."""
        code, details = self.context.outcome()
        answers_once = self.method is not None and not self.method.response_streaming
        if code is Code.OK and answers_once and not (self.context.aborted or self.over):
            try:
                self._send(answer)
            except Exception as error:  # noqa: BLE001  # a serialiser's bug is the handler's bug
                self.fail(error)
                return
        self.end(code, details)

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
        machine, context = self.protocol.machine, self.context
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
        self.protocol.flush_soon()

    def start(self, raw: bytes | None) -> None:
        """Runs the handler in a task; `raw` is the one request, None for a stream of them."""
        self._task = self._spawn(run(self, raw))

    def resume(self, coroutine: Coroutine[Any, Any, None]) -> None:
        """Goes on with a handler that was meant to be done without a task."""
        self._task = self._spawn(coroutine)

    def _spawn(self, coroutine: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = spawn(self.protocol.loop, coroutine)
        task.add_done_callback(self._left)
        return task

    def _close(self, code: Code) -> None:
        self.over = True
        if self._timer is not None:
            self._timer.cancel()
        self._inbox.close()
        if self.method is not None:
            seconds = time.monotonic() - self.context.started
            self.protocol.server.observer.rpc_handled(self.method.path, code, seconds, self.protocol.peer)
        self.context.finish(cancelled=code is Code.CANCELLED)
        task = self._task
        if task is None:
            self.protocol.forget(self)
        elif not task.done() and task is not asyncio.current_task():
            # Its stream may be gone, but it counts until it really ended: resets don't buy more handlers.
            self._lingering = True
            self.protocol.machine.running += 1
            task.cancel()

    def _left(self, task: asyncio.Task[None]) -> None:
        """The task is done: only now does its call no longer count."""
        if self._lingering:
            self.protocol.machine.running -= 1
        if not self.over:
            self.fail(asyncio.CancelledError())  # cancelled before its first step, and not by us
        if not task.cancelled():
            task.exception()
        self.protocol.forget(self)

    def _set_timer(self, method: Method) -> None:
        timeout_s, text = self.request.timeout_s, "Deadline Exceeded"
        longest_s = self.protocol.server.settings.request_timeout_ms / 1000
        if method.unary and (timeout_s is None or timeout_s > longest_s):
            timeout_s = longest_s
            text = f"the method took longer than the server's request timeout of {longest_s:g} s"
        if timeout_s is not None:
            self._timer = self.protocol.loop.call_later(timeout_s, self.end, Code.DEADLINE_EXCEEDED, text)

    def _send(self, answer: Any) -> bool:
        assert self.method is not None  # noqa: S101  # handlers run when it is known
        message = frame_message(self.method.serialise(answer), self.context.next_codec())
        limit = self.protocol.server.settings.max_message_bytes
        if len(message) - 5 > limit:
            raise OverloadedError(f"Sent message larger than max ({len(message) - 5} vs. {limit})", "MESSAGE_TOO_LARGE")
        self.send_headers()
        self.protocol.flush_soon()
        return self.protocol.machine.send_data(self.stream, message)


def _release(room: asyncio.Future[None]) -> None:
    if not room.done():
        room.set_result(None)
