"""What all four kinds of calls have in common: the deadline, cancellation, what a connection tells them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from laura_fast.errors import Code, OverloadedError
from laura_fast.limits import rpc as limits
from laura_fast.transport.native.channel.outcome import CANCELLED_TEXT, Outcome
from laura_fast.wire.grpc.framing import frame_message
from laura_fast.wire.grpc.response import NO_TRAILERS
from laura_fast.wire.grpc.status import code_for_reset
from laura_fast.wire.http2.stream import State

if TYPE_CHECKING:
    import asyncio

    from laura_fast.transport.native.channel.link import Link
    from laura_fast.transport.native.channel.method import CallOptions, Method
    from laura_fast.transport.native.inbox import Inbox
    from laura_fast.wire.grpc.response import ResponseBlock
    from laura_fast.wire.http2.answer_blocks import Receiver
    from laura_fast.wire.http2.stream import Stream

_AT_ONCE_S: Final = 0.001
"""A call that left within this time of its start says its whole timeout: equal calls have equal header blocks."""


class ClientCall(Outcome):
    """One call, from its request to its status.

    A call is over as soon as its status is known here; whatever its stream does then is nobody's business.

    Attributes:
        stream: Its stream; None before it has one, and where it needs none.
        deadline: By the loop's clock; None = none.
    """

    __slots__ = (
        "_attempts",
        "_inbox",
        "_message",
        "_options",
        "_request",
        "_response",
        "_stream_id",
        "deadline",
        "stream",
    )  # of the kinds too: classes with slots of their own can't be mixed

    def __init__(
        self, method: Method, options: CallOptions, loop: asyncio.AbstractEventLoop, request: bytes = b""
    ) -> None:
        self._method = method
        self._options = options
        self._loop = loop
        self._link = self._code = self._head = self._last = None
        self._awaited = self._waiters = self._callbacks = None
        self.stream: Stream | None = None
        self.deadline: float | None = None
        self._details = ""
        self._attempts = self._stream_id = 0
        self._request = request
        self._inbox: Inbox | None = None
        self._message: bytes | None = None
        self._response: Any = None
        if options.timeout_s is not None:
            self.deadline = deadline = loop.time() + options.timeout_s
            if deadline < method.deadlines.rings_at:
                method.deadlines.set(deadline)

    @property
    def waits_for_ready(self) -> bool:
        """See `CallOptions`."""
        return self._options.waits_for_ready

    def cancel(self) -> bool:
        if self._code is not None:
            return False
        self._finish(Code.CANCELLED, CANCELLED_TEXT)
        return True

    def time_remaining(self) -> float | None:
        return None if self.deadline is None else max(0.0, self.deadline - self._loop.time())

    def expire(self) -> None:
        """The deadline has passed."""
        self._finish(Code.DEADLINE_EXCEEDED, "Deadline Exceeded")

    # --- from the connection -------------------------------------------------------------------------------------

    def begin(self, link: Link) -> None:
        """A connection is there: sends the request, again if need be."""
        raise NotImplementedError

    def opened(self, stream: Stream) -> None:
        self.stream = stream

    def answered(
        self,
        head: ResponseBlock,  # noqa: ARG002  # for unary calls
        message: bytes,  # noqa: ARG002
        last: ResponseBlock,  # noqa: ARG002
    ) -> bool:
        return False

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
        if self.deadline is not None and self._loop.time() >= self.deadline:
            self.expire()
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
        self._method.pool.repeat(self)

    def lost(self, reason: str) -> None:
        """The connection is gone, or there never was one."""
        self._finish(Code.UNAVAILABLE, reason)

    def caller(self) -> ClientCall | None:
        """See `Listener`, which is another answer to the connection."""
        return self

    # --- for the kinds of calls ----------------------------------------------------------------------------------

    def _can_repeat(self) -> bool:
        return self._head is None

    def _succeed(self, block: ResponseBlock) -> None:
        """The server says OK; the kind of call may know better."""
        self._finish(*block.outcome, block)

    def _receiver(self) -> Receiver:
        """Who is told what the stream brings."""
        return self

    def _serialise(self, request: Any) -> bytes:
        """The request as a message.

        Raises:
            OverloadedError: Larger than the channel's limit.
        """
        message = self._method.serialise(request)
        limit = self._method.max_send_bytes
        if len(message) > limit:
            raise OverloadedError(f"Sent message larger than max ({len(message)} vs. {limit})", "MESSAGE_TOO_LARGE")
        return message

    def _frame(self, message: bytes) -> bytes:
        """The message as it goes out."""
        return frame_message(message, self._options.route.codec)

    def _block(self, link: Link) -> bytes:
        """The request's header block. `grpc-timeout` says what is left: all of it, if the call did not have to wait."""
        timeout_s = self._options.timeout_s
        if timeout_s is not None and self.deadline is not None:
            left_s = self.deadline - self._loop.time()
            if timeout_s - left_s > _AT_ONCE_S:
                timeout_s = max(0.0, left_s)
        return link.blocks.block(self._options.route, timeout_s, self._options.fields)

    def _finish(self, code: Code, details: str, last: ResponseBlock | None = None) -> None:
        """The call is over, once."""
        if self._code is not None:
            return
        self._code, self._details, self._last = code, details, last
        if self._link is None:
            self._method.pool.forget(self)
        else:
            self._leave(self._link)
        if self._awaited is not None and not self._awaited.done():
            self._awaited.set_result(None)
        if self._waiters is not None:
            self._wake()
        if self._callbacks is not None:
            self._call_back()

    def _leave(self, link: Link) -> None:
        """Resets what the server still works on."""
        stream = self.stream
        if stream is not None:
            if stream.state is not State.CLOSED:
                link.machine.cancel(stream)
                link.flush_soon()
            stream.call = None  # no cycle: a call is freed when its caller drops it
