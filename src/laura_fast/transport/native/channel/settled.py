"""Calls that are over before they began: an interceptor answered itself, or failed."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import grpc

from laura_fast.transport.native.channel.outcome import CANCELLED_TEXT

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, AsyncIterator, Callable, Generator


class SettledCall(grpc.aio.UnaryUnaryCall[Any, Any], grpc.aio.UnaryStreamCall[Any, Any]):
    """Stands for a call that no server saw.

    Args:
        error: Why it failed; None if it did not.
        response: The answer of a unary method.
        responses: The answers of another one.
    """

    def __init__(
        self,
        error: BaseException | None = None,
        response: Any = None,
        responses: AsyncIterable[Any] | None = None,
    ) -> None:
        self._error = error
        self._response = response
        self._responses = aiter(responses) if responses is not None else None

    def __await__(self) -> Generator[Any, None, Any]:
        self._raise()
        return self._response
        yield  # a generator, as `__await__` must answer with one

    def __aiter__(self) -> AsyncIterator[Any]:
        self._raise()
        return self._responses if self._responses is not None else aiter(_nothing())

    async def read(self) -> Any:
        """The next answer of the interceptor, `grpc.aio.EOF` behind the last."""
        return await anext(aiter(self), grpc.aio.EOF)

    def cancel(self) -> bool:
        return False

    def cancelled(self) -> bool:
        return isinstance(self._error, asyncio.CancelledError)

    def done(self) -> bool:
        return True

    def time_remaining(self) -> float | None:
        return None

    def add_done_callback(self, callback: Callable[[Any], None]) -> None:
        callback(self)

    async def initial_metadata(self) -> grpc.aio.Metadata:
        found = self._error.initial_metadata() if isinstance(self._error, grpc.aio.AioRpcError) else None
        return found or grpc.aio.Metadata()

    async def trailing_metadata(self) -> grpc.aio.Metadata:
        found = self._error.trailing_metadata() if isinstance(self._error, grpc.aio.AioRpcError) else None
        return found or grpc.aio.Metadata()

    async def code(self) -> grpc.StatusCode:
        if isinstance(self._error, grpc.aio.AioRpcError):
            return self._error.code()
        if self.cancelled():
            return grpc.StatusCode.CANCELLED
        self._raise()
        return grpc.StatusCode.OK

    async def details(self) -> str:
        if isinstance(self._error, grpc.aio.AioRpcError):
            return self._error.details() or ""
        return CANCELLED_TEXT if self.cancelled() else ""

    async def debug_error_string(self) -> str:
        """Nothing to add."""
        return ""

    async def wait_for_connection(self) -> None:
        self._raise()

    def _raise(self) -> None:
        if self._error is not None:
            raise self._error


async def _nothing() -> AsyncIterator[Any]:
    return
    yield
