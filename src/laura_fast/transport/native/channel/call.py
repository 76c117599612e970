"""What all four kinds of calls have in common: the deadline, cancellation, the status, metadata."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

import grpc

from laura_fast import limits
from laura_fast.errors import Code, OverloadedError
from laura_fast.wire.grpc.framing import frame_message
from laura_fast.wire.grpc.response import NO_TRAILERS
from laura_fast.wire.grpc.status import code_for_reset
from laura_fast.wire.http2.stream import State

if TYPE_CHECKING:
    from collections.abc import Callable

    from laura_fast.transport.native.channel.link import Link
    from laura_fast.transport.native.channel.method import CallOptions, Method
    from laura_fast.wire.grpc.response import ResponseBlock
    from laura_fast.wire.http2.stream import Stream

STATUS_BY_CODE: Final = {code: grpc.StatusCode[code.name] for code in Code}
_AT_ONCE_S: Final = 0.001
"""A call that left within this time of its start says its whole timeout: equal calls have equal header blocks."""

CANCELLED_TEXT: Final = "Locally cancelled by application!"


class ClientCall:
    """One call, from its request to its status.

    A call is over as soon as its status is known here; whatever its stream does then is nobody's business.

    Attributes:
        stream: Its stream; None before it has one.
        waits_for_ready: See `CallOptions`.
    """

    def __init__(self, method: Method, options: CallOptions) -> None:
        self.stream: Stream | None = None
        self.waits_for_ready = options.waits_for_ready
        self._method = method
        self._options = options
        self._loop = loop = asyncio.get_running_loop()
        self._link: Link | None = None
        self._code: Code | None = None
        self._details = ""
        self._head: ResponseBlock | None = None
        self._last: ResponseBlock | None = None
        self._attempts = 0
        self._waiters: list[asyncio.Future[None]] | None = None
        self._callbacks: list[Callable[[Any], None]] | None = None
        self._deadline: float | None = None
        self._timer: asyncio.TimerHandle | None = None
        timeout_s = options.timeout_s
        if timeout_s is not None:
            self._deadline = loop.time() + timeout_s
            self._timer = loop.call_later(max(timeout_s, 0), self._expire)
        method.pool.calls.add(self)

    # --- grpc.aio.Call -------------------------------------------------------------------------------------------

    def done(self) -> bool:
        return self._code is not None

    def cancelled(self) -> bool:
        return self._code is Code.CANCELLED

    def cancel(self) -> bool:
        if self._code is not None:
            return False
        self._finish(Code.CANCELLED, CANCELLED_TEXT)
        return True

    def time_remaining(self) -> float | None:
        return None if self._deadline is None else max(0.0, self._deadline - self._loop.time())

    def add_done_callback(self, callback: Callable[[Any], None]) -> None:
        if self._code is not None:
            callback(self)
        elif self._callbacks is None:
            self._callbacks = [callback]
        else:
            self._callbacks.append(callback)

    async def initial_metadata(self) -> grpc.aio.Metadata:
        while self._head is None and self._code is None:
            await self._change()
        return _metadata(self._head)

    async def trailing_metadata(self) -> grpc.aio.Metadata:
        await self._over()
        return _metadata(self._last)

    async def code(self) -> grpc.StatusCode:
        await self._over()
        return STATUS_BY_CODE[self._status]

    async def details(self) -> str:
        await self._over()
        return self._details

    async def debug_error_string(self) -> str:
        """A line for logs: where the call went."""
        await self._over()
        return self._debug_text()

    async def wait_for_connection(self) -> None:
        while self.stream is None and self._code is None:
            await self._change()
        if self.stream is None:
            self._raise_for_status()

    # --- from the connection -------------------------------------------------------------------------------------

    def begin(self, link: Link) -> None:
        """A connection is there: sends the request, again if need be."""
        raise NotImplementedError

    def headed(self, block: ResponseBlock) -> None:
        if block.problem is not None:
            self._finish(*block.problem, block)
            return
        self._head = block
        if self._waiters is not None:
            self._wake()

    def received(self, data: bytes) -> None:
        """A piece of the body."""
        raise NotImplementedError

    def ended(self, block: ResponseBlock | None, *, only: bool) -> None:  # noqa: ARG002  # the machine's signature
        if block is None:
            self._finish(*NO_TRAILERS)
        elif block.outcome[0] is Code.OK:
            self._succeed(block)
        else:
            self._finish(*block.outcome, block)

    def aborted(self, error_code: int, reason: str) -> None:
        """The stream was reset. Servers end expired calls so, and their clock may be ahead of ours."""
        if self._deadline is not None and self._loop.time() >= self._deadline:
            self._expire()
        else:
            self._finish(code_for_reset(error_code), reason)

    def unprocessed(self) -> None:
        """The server has not touched the request: it is sent again, unseen by the caller (gRFC A6)."""
        self._attempts += 1
        if self._code is not None:
            return
        if self._attempts > limits.TRANSPARENT_RETRIES or not self._can_repeat():
            self._finish(Code.UNAVAILABLE, "the server refused the stream")
            return
        self.stream = self._link = None
        # Not at once: the connection is in the middle of telling others the same.
        self._loop.call_soon(self._restart)

    def lost(self, reason: str) -> None:
        """The connection is gone, or there never was one."""
        self._finish(Code.UNAVAILABLE, reason)

    def _restart(self) -> None:
        if self._code is None:
            self._method.pool.start(self)

    # --- for the kinds of calls ----------------------------------------------------------------------------------

    def _can_repeat(self) -> bool:
        return self._head is None

    def _succeed(self, block: ResponseBlock) -> None:
        """The server says OK; the kind of call may know better."""
        self._finish(*block.outcome, block)

    def _frame(self, request: Any) -> bytes:
        """The request as it goes out.

        Raises:
            OverloadedError: Larger than the channel's limit.
        """
        message = self._method.serialise(request)
        limit = self._method.pool.options.max_send_bytes
        if len(message) > limit:
            raise OverloadedError(f"Sent message larger than max ({len(message)} vs. {limit})", "MESSAGE_TOO_LARGE")
        return frame_message(message, self._options.codec)

    def _block(self, link: Link) -> bytes:
        """The request's header block. `grpc-timeout` says what is left: all of it, if the call did not have to wait."""
        timeout_s = self._options.timeout_s
        if timeout_s is not None and self._deadline is not None:
            left_s = self._deadline - self._loop.time()
            if timeout_s - left_s > _AT_ONCE_S:
                timeout_s = max(0.0, left_s)
        return link.blocks.block(self._method.route(self._options.codec), timeout_s, self._options.fields)

    @property
    def _status(self) -> Code:
        assert self._code is not None  # noqa: S101  # asked only when the call is over
        return self._code

    def _expire(self) -> None:
        self._finish(Code.DEADLINE_EXCEEDED, "Deadline Exceeded")

    def _finish(self, code: Code, details: str, last: ResponseBlock | None = None) -> None:
        """The call is over, once."""
        if self._code is not None:
            return
        self._code, self._details, self._last = code, details, last
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        stream, link = self.stream, self._link
        if stream is not None and link is not None:
            if stream.state is not State.CLOSED:
                link.machine.cancel(stream)
                link.flush_soon()
            stream.call = None  # no cycle: a call is freed when its caller drops it
        self._method.pool.forget(self)
        if self._waiters is not None:
            self._wake()
        callbacks, self._callbacks = self._callbacks, None
        for callback in callbacks or ():
            self._loop.call_soon(callback, self)

    async def _over(self) -> None:
        while self._code is None:
            await self._change()

    async def _change(self) -> None:
        """Until something happens: a stream, the first header block, the end."""
        waiter: asyncio.Future[None] = self._loop.create_future()
        if self._waiters is None:
            self._waiters = []
        self._waiters.append(waiter)
        await waiter

    def _wake(self) -> None:
        waiters, self._waiters = self._waiters, []
        for waiter in waiters or ():
            if not waiter.done():
                waiter.set_result(None)

    def _raise_for_status(self) -> None:
        """Raises what grpc.aio raises for a call that did not end with OK."""
        if self._code is Code.CANCELLED and self._details is CANCELLED_TEXT:
            raise asyncio.CancelledError
        if self._code is not Code.OK:
            raise grpc.aio.AioRpcError(
                STATUS_BY_CODE[self._status],
                _metadata(self._head),
                _metadata(self._last),
                self._details,
                self._debug_text(),
            )

    def _debug_text(self) -> str:
        peer = self._link.peer if self._link else self._method.pool.target.authority
        return f"{self._method.path} to {peer}: {self._status.name}: {self._details}"


def _metadata(block: ResponseBlock | None) -> grpc.aio.Metadata:
    return grpc.aio.Metadata(*block.metadata) if block is not None else grpc.aio.Metadata()
