"""What becomes of a call, and whoever waits for it: the part of `grpc.aio.Call` that asks."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

import grpc

from laura_fast.errors import Code

if TYPE_CHECKING:
    from collections.abc import Callable

    from laura_fast.transport.native.channel.link import Link
    from laura_fast.transport.native.channel.method import Method
    from laura_fast.wire.grpc.response import ResponseBlock

STATUS_BY_CODE: Final = {code: grpc.StatusCode[code.name] for code in Code}
CANCELLED_TEXT: Final = "Locally cancelled by application!"


class Outcome:
    """How far a call has come. Nothing is made here: `ClientCall` says what a call begins with."""

    __slots__ = (
        "_awaited",
        "_callbacks",
        "_code",
        "_details",
        "_head",
        "_last",
        "_link",
        "_loop",
        "_method",
        "_waiters",
    )

    _method: Method
    _loop: asyncio.AbstractEventLoop
    _link: Link | None
    _code: Code | None
    _details: str
    _head: ResponseBlock | None
    _last: ResponseBlock | None
    _awaited: asyncio.Future[None] | None
    """What the first `await` of the call waits for: its end."""
    _waiters: list[asyncio.Future[None]] | None
    _callbacks: list[Callable[[Any], None]] | None

    def done(self) -> bool:
        return self._code is not None

    def cancelled(self) -> bool:
        return self._code is Code.CANCELLED

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
        while self._link is None and self._code is None:
            await self._change()
        if self._link is None:
            self._raise_for_status()

    @property
    def _status(self) -> Code:
        assert self._code is not None  # noqa: S101  # asked only when the call is over
        return self._code

    async def _over(self) -> None:
        while self._code is None:
            await self._change()

    async def _change(self) -> None:
        """Until something happens: a connection, the first header block, the end."""
        waiter: asyncio.Future[None] = self._loop.create_future()
        if self._waiters is None:
            self._waiters = []
        self._waiters.append(waiter)
        await waiter

    def _wake(self) -> None:
        waiters, self._waiters = self._waiters, None
        for waiter in waiters or ():
            if not waiter.done():
                waiter.set_result(None)

    def _call_back(self) -> None:
        callbacks, self._callbacks = self._callbacks, None
        for callback in callbacks or ():
            self._loop.call_soon(callback, self)

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
