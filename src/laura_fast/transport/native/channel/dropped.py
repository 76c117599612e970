"""Calls that their caller dropped: nobody will read their answers, so the server need not send them."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from laura_fast.transport.native.channel.call import ClientCall
    from laura_fast.wire.grpc.response import ResponseBlock
    from laura_fast.wire.http2.stream import Stream


class Listener:
    """Stands for a call at its stream, so that the connection does not keep alive what nobody else holds.

    The call itself cancels its stream when it is dropped; what arrives between is passed over.
    """

    __slots__ = ("_call",)

    def __init__(self, call: ClientCall) -> None:
        self._call = weakref.ref(call)

    def caller(self) -> ClientCall | None:
        """The call, if anyone still holds it."""
        return self._call()

    def opened(self, stream: Stream) -> None:
        """Such calls have their stream from the beginning."""

    def answered(self, *_: Any) -> bool:
        """Such calls get their answers piece by piece."""
        return False

    def headed(self, block: ResponseBlock) -> None:
        call = self._call()
        if call is not None:
            call.headed(block)

    def received(self, data: bytes) -> None:
        call = self._call()
        if call is not None:
            call.received(data)

    def ended(self, block: ResponseBlock | None, *, only: bool) -> None:
        call = self._call()
        if call is not None:
            call.ended(block, only=only)

    def aborted(self, error_code: int, reason: str) -> None:
        call = self._call()
        if call is not None:
            call.aborted(error_code, reason)

    def unprocessed(self) -> None:
        call = self._call()
        if call is not None:
            call.unprocessed()
