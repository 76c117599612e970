"""A call that has a stream and a task: everything except unary calls answered where they are read."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

import grpc

from laura_fast.errors import Code, RpcError
from laura_fast.transport.native.context import Context
from laura_fast.transport.native.inbox import Inbox
from laura_fast.transport.native.methods import parse
from laura_fast.transport.native.replying import Reply
from laura_fast.transport.native.running import intercept, run, spawn
from laura_fast.wire.grpc.framing import Deframer, Inflated

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from laura_fast.transport.native.hosting import Host
    from laura_fast.transport.native.methods import Method
    from laura_fast.transport.native.requests import Request
    from laura_fast.wire.http2.stream import Stream


class Call(Reply):
    """One call with its stream: its request, its handler, its deadline."""

    __slots__ = ("_entered", "_inbox", "_lingering", "_task", "_timer")

    def __init__(self, host: Host, stream: Stream, request: Request, context: Context | None = None) -> None:
        if context is None:
            context = Context(request, host, time.monotonic(), self)
        else:
            context.attach(self)
        super().__init__(host, stream, request, context)
        self._inbox: Inbox | None = None
        self._entered = self._lingering = False
        self._task: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        if host.server.compression:
            context.set_compression(host.server.compression)

    # --- from the connection -------------------------------------------------------------------------------------

    def begin(self) -> None:
        """The header block is here: the clock runs, and a handler of many requests starts."""
        if self.method is None:
            self.go_on(intercept(self))
            return
        self.known(self.method)
        if self.method.request_streaming:
            self.start(None)

    def begin_whole(self, raw: bytes) -> None:
        """The whole request is here."""
        self.known(self.request.method)
        self.start(raw)

    def known(self, method: Method) -> None:
        """The method is known, from the path or from interceptors."""
        self.method = method
        if self._inbox is not None:
            self._inbox.single = not method.request_streaming
        self.host.server.observer.rpc_started(method.path)
        self.set_timer(method)

    @property
    def inbox(self) -> Inbox:
        """What the peer sent; made when it is first needed."""
        inbox = self._inbox
        if inbox is None:
            deframer = Deframer(self.host.longest, self.request.prepared.codec)
            inbox = self._inbox = Inbox(self.host, self.stream, deframer)
            inbox.single = self.method is not None and not self.method.request_streaming
            if self.over:
                inbox.close()
        return inbox

    def feed(self, data: bytes) -> None:
        """A piece of the request body."""
        try:
            self.inbox.feed(data)
        except RpcError as error:
            self.end(error.code, error.message)

    def feed_end(self) -> None:
        """The request body is complete."""
        self.inbox.feed_end()
        if self._task is None and not self.over:
            raw = self._only_request()
            if raw is not None:
                self.start(raw)

    def abort(self) -> None:
        """The stream was reset, or the connection is gone."""
        if not self.over:
            self._close(Code.CANCELLED)

    def dribbles(self, now: float) -> bool:
        """The request comes too slowly; see `Inbox.dribbles`."""
        return self._inbox is not None and not self.over and self._inbox.dribbles(now)

    def cancel_locally(self) -> None:
        """The handler cancels its own call."""
        self.end(Code.CANCELLED, "cancelled by the handler")

    def _only_request(self) -> bytes | None:
        try:
            return self.inbox.take_only()
        except RpcError as error:
            self.end(error.code, error.message)
            return None

    # --- for the handler -----------------------------------------------------------------------------------------

    async def read(self) -> Any:
        """The next request, or `grpc.aio.EOF`."""
        raw = await self.next_raw()
        return grpc.aio.EOF if raw is None else self.parse(raw)

    async def only_request(self) -> bytes | None:
        """The one request of a unary method, once the peer half-closed; None if the call ended instead."""
        while not self.inbox.ended:
            await self.inbox.wait()
        return None if self.over else self._only_request()

    async def next_raw(self) -> bytes | None:
        """Bytes of the next request, None behind the last.

        Raises:
            RpcError: The peer's bytes are no message; the call has ended with that status.
        """
        try:
            return await self.inbox.next()
        except RpcError as error:
            self.end(error.code, error.message)
            raise

    def parse(self, raw: bytes) -> Any:
        """The request message.

        Raises:
            RpcError: INVALID_ARGUMENT, the bytes are no such message.
        """
        assert self.method is not None  # noqa: S101  # handlers run when it is known
        self.context.request_compressed = type(raw) is Inflated
        return parse(self.method, raw)

    # --- the end -------------------------------------------------------------------------------------------------

    def start(self, raw: bytes | None) -> None:
        """Runs the handler in a task; `raw` is the one request, None for a stream of them."""
        self.go_on(run(self, raw))

    def go_on(self, coroutine: Coroutine[Any, Any, None]) -> None:
        """Runs in a task what ends the call. It says `enter` first and `leave` last."""
        self._task = spawn(self.host.loop, coroutine)

    def enter(self) -> None:
        """The handler's task took its first step."""
        self._entered = True

    def leave(self) -> None:
        """The handler is done: only now does its call no longer count."""
        if self._lingering:
            self.host.machine.running -= 1
        self.host.forget(self)

    def _close(self, code: Code) -> None:
        self.over = True
        if self._timer is not None:
            self._timer.cancel()
        if self._inbox is not None:
            self._inbox.close()
        if self.method is not None:
            seconds = time.monotonic() - self.context.started
            self.host.server.observer.rpc_handled(self.method.path, code, seconds, self.host.peer)
        self.context.finish(cancelled=code is Code.CANCELLED)
        task = self._task
        if not self._entered:
            if task is not None:
                task.cancel()  # before its first step it never takes one
            self.host.forget(self)
        elif task is not None and task is not asyncio.current_task():
            # Its stream may be gone, but it counts until it really ended: resets don't buy more handlers.
            self._lingering = True
            self.host.machine.running += 1
            task.cancel()

    def set_timer(self, method: Method) -> None:
        timeout_s, text = self.request.timeout_s, "Deadline Exceeded"
        longest_s = self.host.server.settings.request_timeout_ms / 1000
        if method.unary and (timeout_s is None or timeout_s > longest_s):
            timeout_s = longest_s
            text = f"the method took longer than the server's request timeout of {longest_s:g} s"
        if timeout_s is not None:
            timeout_s += self.context.started - time.monotonic()
            self._timer = self.host.loop.call_later(timeout_s, self.end, Code.DEADLINE_EXCEEDED, text)
