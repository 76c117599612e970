"""Calls that are refused at their headers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from laura_fast.limits import transport as limits

if TYPE_CHECKING:
    from laura_fast.transport.native.answers import Refusal
    from laura_fast.transport.native.hosting import Host
    from laura_fast.wire.http2.stream import Stream


class RefusedCall:
    """Answers when the request ends, or after a moment.

    A status that overtakes the client's first message makes grpc.aio's client raise "Internal error from Core" instead
    of reporting the status, so it is held back until that message is here. It is held back until the end, because only
    the whole request shows that it is well-formed (RFC 9113 §8.1.1): behind an answer nobody would hear of it.
    """

    __slots__ = ("_host", "_refusal", "_stream", "_timer", "over")

    def __init__(self, host: Host, stream: Stream, refusal: Refusal) -> None:
        self._host = host
        self._stream = stream
        self._refusal = refusal
        self.over = False
        self._timer = host.loop.call_later(limits.REFUSAL_DELAY_S, self._answer)

    def feed(self, data: bytes) -> None:
        """What the body says does not matter."""
        self._host.machine.consume(self._stream, len(data))

    def feed_end(self) -> None:
        """The request is complete."""
        self._answer()

    def dribbles(self, now: float) -> bool:  # noqa: ARG002  # as a call's
        """It does not wait for the body."""
        return False

    def abort(self) -> None:
        """The stream is gone."""
        self.over = True
        self._timer.cancel()

    def _answer(self) -> None:
        if self.over:
            return
        self.abort()
        machine, refusal = self._host.machine, self._refusal
        machine.send_headers(self._stream, refusal.block, end_stream=not refusal.body)
        if refusal.body:
            machine.send_body(self._stream, refusal.body)
        self._host.flush_soon()
