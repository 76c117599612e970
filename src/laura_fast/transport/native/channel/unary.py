"""The unary call: one message there, one back; nearly all calls there are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import grpc

from laura_fast.transport.native.channel.call import ClientCall
from laura_fast.transport.native.channel.method import same
from laura_fast.transport.native.channel.requests import OneRequest
from laura_fast.transport.native.channel.responses import OneResponse

if TYPE_CHECKING:
    from laura_fast.transport.native.channel.link import Link
    from laura_fast.transport.native.channel.method import CallOptions, Method
    from laura_fast.wire.grpc.response import ResponseBlock
    from laura_fast.wire.http2.stream import Stream


class UnaryUnaryCall(OneRequest, OneResponse):
    """One message there, one back.

    Its request leaves whole and its answer comes whole, if nothing is in the way, and then it has no stream: paid for
    by bench.channel. Everything else is what it inherits.
    """

    __slots__ = ()

    def __init__(self, method: Method, options: CallOptions, request: Any) -> None:
        link = method.pool.free()
        if link is None:
            super().__init__(method, options, request)
            return
        message = request if method.serialise is same else method.serialise(request)
        if len(message) > method.max_send_bytes:
            super().__init__(method, options, request)
            return
        ClientCall.__init__(self, method, options, link.loop, message)
        self._send(link, link.blocks.block(options.route, options.timeout_s, options.fields))

    def begin(self, link: Link) -> None:
        self._send(link, self._block(link))
        if self._waiters is not None:
            self._wake()

    def _send(self, link: Link, block: bytes) -> None:
        self._link = link
        if self._options.route.codec is None:
            self._stream_id = link.machine.exchange(self, block, self._request)
        if not self._stream_id:
            self.stream = link.machine.request(self, block, self._frame(self._request))
        if not link.flush_scheduled:
            link.flush_soon()

    def opened(self, stream: Stream) -> None:
        self._stream_id = 0
        self.stream = stream

    def answered(self, head: ResponseBlock, message: bytes, last: ResponseBlock) -> bool:
        """Ends the call with its answer, if that can be parsed."""
        method = self._method
        if len(message) > method.max_receive_bytes:
            return False
        try:
            self._response = message if method.parse is same else method.parse(message)
        except Exception:  # noqa: BLE001  # the longer way parses again and tells the caller
            return False
        self._stream_id = 0
        self._head, self._last = head, last
        self._code, self._details = last.outcome
        if self._awaited is not None and not self._awaited.done():
            self._awaited.set_result(None)
        if self._waiters is not None:
            self._wake()
        if self._callbacks is not None:
            self._call_back()
        return True

    def _leave(self, link: Link) -> None:
        if self._stream_id:
            link.machine.withdraw(self._stream_id)
            link.flush_soon()
        super()._leave(link)


grpc.aio.UnaryUnaryCall.register(UnaryUnaryCall)
"""Not its base, which would give each call a `__dict__`."""
