"""The request's half of calls: exactly one message, or a stream of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable
from typing import TYPE_CHECKING, Any, Final

import grpc

from laura_fast.errors import Code, OverloadedError
from laura_fast.limits import rpc as limits
from laura_fast.transport.native.channel.call import ClientCall

if TYPE_CHECKING:
    from collections.abc import Iterable

    from laura_fast.transport.native.channel.link import Link
    from laura_fast.transport.native.channel.method import CallOptions, Method

_FINISHED: Final = "RPC already finished."
_HALF_CLOSED: Final = 'RPC is half closed after calling "done_writing".'
_MIXED: Final = "The iterator and read/write APIs may not be mixed on a single RPC."


class OneRequest(ClientCall):
    """Sends one message."""

    __slots__ = ()

    def __init__(self, method: Method, options: CallOptions, request: Any) -> None:
        super().__init__(method, options, asyncio.get_running_loop())
        try:
            self._request = self._serialise(request)
        except OverloadedError as error:
            self._finish(error.code, error.message)
        except BaseException:
            self.cancel()  # the serialiser's exception is the caller's
            raise
        else:
            method.pool.start(self)

    def begin(self, link: Link) -> None:
        self._link = link
        self.stream = link.machine.request(self._receiver(), self._block(link), self._frame(self._request))
        link.flush_soon()
        if self._waiters is not None:
            self._wake()


class ManyRequests(ClientCall):
    """Sends messages as they come: from an iterator, or from `write`."""

    def __init__(
        self, method: Method, options: CallOptions, requests: AsyncIterable[Any] | Iterable[Any] | None = None
    ) -> None:
        super().__init__(method, options, asyncio.get_running_loop())
        self._sent: list[bytes] = []
        self._sent_bytes = 0
        self._half_closed = False
        self._room: asyncio.Future[None] | None = None
        self._writer: asyncio.Task[None] | None = None
        if requests is not None:
            self._writer = self._loop.create_task(self._send_all(requests))
        method.pool.start(self)

    async def write(self, request: Any) -> None:
        """Sends a message; waits while there is no connection, or the server takes no more.

        Raises:
            AioRpcError: The call ended meanwhile, other than with OK.
            asyncio.InvalidStateError: It had ended before, or `done_writing` was called.
        """
        self._require_manual()
        await self._write(request)

    async def done_writing(self) -> None:
        """Tells the server that no message follows."""
        self._require_manual()
        if not self.done():
            self._half_close()

    def begin(self, link: Link) -> None:
        self._link = link
        stream = self.stream = link.machine.open(self._receiver(), self._block(link))
        for data in self._sent:
            link.machine.send_data(stream, data)
        if self._half_closed:
            link.machine.send_trailers(stream, b"")
        link.flush_soon()
        self._release()
        if self._waiters is not None:
            self._wake()

    def _require_manual(self) -> None:
        if self._writer is not None:
            raise grpc.aio.UsageError(_MIXED)

    async def _send_all(self, requests: AsyncIterable[Any] | Iterable[Any]) -> None:
        try:
            if isinstance(requests, AsyncIterable):
                async for request in requests:
                    await self._write(request)
            else:
                for request in requests:
                    await self._write(request)
        except (grpc.aio.AioRpcError, asyncio.InvalidStateError):
            return  # the call is over and says why
        except asyncio.CancelledError:
            self.cancel()
            raise
        except Exception as error:  # noqa: BLE001  # the caller's iterator or serialiser: its call ends with it
            self._finish(Code.UNKNOWN, f"the request iterator raised {error!r}")
        else:
            if not self.done():
                self._half_close()

    async def _write(self, request: Any) -> None:
        if self.done():
            raise asyncio.InvalidStateError(_FINISHED)
        if self._half_closed:
            raise asyncio.InvalidStateError(_HALF_CLOSED)
        try:
            data = self._frame(self._serialise(request))
        except OverloadedError as error:
            self._finish(error.code, error.message)
            self._raise_for_status()
            return
        while self.stream is None and not self.done():
            await self._wait_for_room()
        if self.stream is not None and self._link is not None and not self.done():
            self._remember(data)
            self._link.flush_soon()
            if not self._link.machine.send_data(self.stream, data):
                self.stream.on_room = self._release
                await self._wait_for_room()
        if self.done():
            self._raise_for_status()

    def _remember(self, data: bytes) -> None:
        """Keeps what was sent until it is known to have been taken, if it is not too much."""
        if self._head is None and self._sent_bytes <= limits.REPLAY_BYTES:
            self._sent_bytes += len(data)
            self._sent.append(data)
            if self._sent_bytes > limits.REPLAY_BYTES:
                self._sent.clear()

    def _can_repeat(self) -> bool:
        return super()._can_repeat() and self._sent_bytes <= limits.REPLAY_BYTES

    def headed(self, block: Any) -> None:
        self._sent.clear()
        super().headed(block)

    def _half_close(self) -> None:
        self._half_closed = True
        if self.stream is not None and self._link is not None:
            self._link.machine.send_trailers(self.stream, b"")
            self._link.flush_soon()

    async def _wait_for_room(self) -> None:
        self._room = self._loop.create_future()
        try:
            await self._room
        finally:
            self._room = None

    def _release(self) -> None:
        if self._room is not None and not self._room.done():
            self._room.set_result(None)

    def _finish(self, code: Code, details: str, last: Any = None) -> None:
        super()._finish(code, details, last)
        self._release()
        if self._writer is not None and self._writer is not asyncio.current_task(self._loop):
            self._writer.cancel()
