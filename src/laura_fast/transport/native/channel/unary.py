"""The unary call: one message there, one back; nearly all calls there are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import grpc

from laura_fast.transport.native.channel.requests import OneRequest
from laura_fast.transport.native.channel.responses import OneResponse
from laura_fast.wire.grpc.framing import PREFIX, PREFIX_BYTES

if TYPE_CHECKING:
    from laura_fast.transport.native.channel.link import Link
    from laura_fast.wire.grpc.response import ResponseBlock
    from laura_fast.wire.http2.stream import Stream

_pack_prefix = PREFIX.pack


class UnaryUnaryCall(OneRequest, OneResponse, grpc.aio.UnaryUnaryCall[Any, Any]):
    """One message there, one back.

    Its request leaves whole and its answer comes whole, if nothing is in the way, and then it has no stream: paid for
    by bench.channel. Everything else is what it inherits.
    """

    _stream_id = 0
    """Of its exchange; 0 before it has one, and once it has a stream."""

    def begin(self, link: Link) -> None:
        self._link = link
        block, machine = self._block(link), link.machine
        self._stream_id = machine.exchange(self, block, self._request)
        if not self._stream_id:
            self.stream = machine.request(self, block, self._request)
        link.flush_soon()
        if self._waiters is not None:
            self._wake()

    def opened(self, stream: Stream) -> None:
        self._stream_id = 0
        self.stream = stream

    def answered(self, head: ResponseBlock, body: bytes, last: ResponseBlock) -> bool:
        """Ends the call with its answer, if that is one plain message that can be parsed."""
        size, method = len(body) - PREFIX_BYTES, self._method
        if not 0 <= size <= method.pool.options.max_receive_bytes or not body.startswith(_pack_prefix(0, size)):
            return False
        try:
            self._response = method.parse(body[PREFIX_BYTES:])
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
