"""`grpc.aio`'s client interceptors around calls of the native channel.

An interceptor gets a continuation that begins the call, or runs the next interceptor, and answers with a call, a
response (unary answers) or an async iterator of them. All of it runs in one task for each intercepted call; calls
without interceptors have none.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import grpc

from laura_fast.transport.native.channel.settled import SettledCall

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Sequence

    Chain = Sequence[Callable[..., Awaitable[Any]]]
    Begin = Callable[[grpc.aio.ClientCallDetails, Any], grpc.aio.Call]

_END: Final = object()


class Intercepted(grpc.aio.Call):
    """A call seen through interceptors."""

    def __init__(
        self,
        chain: Sequence[Callable[..., Awaitable[Any]]],
        details: grpc.aio.ClientCallDetails,
        request: Any,
        begin: Begin,
    ) -> None:
        self._chain = chain
        self._begin = begin
        self._callbacks: list[Callable[[Any], None]] = []
        self._task: asyncio.Task[Any] = asyncio.get_running_loop().create_task(self._run(0, details, request))
        self._task.add_done_callback(self._begun)

    async def _run(self, index: int, details: grpc.aio.ClientCallDetails, request: Any) -> Any:
        if index == len(self._chain):
            return self._begin(details, request)
        answer = await self._chain[index](partial(self._run, index + 1), details, request)
        if isinstance(answer, grpc.aio.Call):
            return answer
        return SettledCall(responses=answer) if hasattr(answer, "__aiter__") else SettledCall(response=answer)

    def _begun(self, _task: asyncio.Task[Any]) -> None:
        call = self._now()
        for callback in self._callbacks:
            call.add_done_callback(partial(_call_with, callback, self))

    def _now(self) -> Any:
        """The call that came of it; the task is done."""
        if self._task.cancelled():
            return SettledCall(asyncio.CancelledError())
        error = self._task.exception()
        return SettledCall(error) if error is not None else self._task.result()

    async def _later(self) -> Any:
        await asyncio.wait([self._task])
        return self._now()

    def done(self) -> bool:
        return self._task.done() and bool(self._now().done())

    def cancelled(self) -> bool:
        return self._task.done() and bool(self._now().cancelled())

    def cancel(self) -> bool:
        return bool(self._now().cancel()) if self._task.done() else self._task.cancel()

    def time_remaining(self) -> float | None:
        found: float | None = self._now().time_remaining() if self._task.done() else None
        return found

    def add_done_callback(self, callback: Callable[[Any], None]) -> None:
        if self._task.done():
            self._now().add_done_callback(partial(_call_with, callback, self))
        else:
            self._callbacks.append(callback)

    async def initial_metadata(self) -> Any:
        return await (await self._later()).initial_metadata()

    async def trailing_metadata(self) -> Any:
        return await (await self._later()).trailing_metadata()

    async def code(self) -> Any:
        return await (await self._later()).code()

    async def details(self) -> Any:
        return await (await self._later()).details()

    async def debug_error_string(self) -> Any:
        """A line for logs."""
        return await (await self._later()).debug_error_string()

    async def wait_for_connection(self) -> None:
        await (await self._later()).wait_for_connection()


class _OneResponse(Intercepted):
    def __await__(self) -> Generator[Any, None, Any]:
        call = yield from self._task.__await__()
        return (yield from call.__await__())


class _ManyResponses(Intercepted):
    _answers: AsyncIterator[Any] | None = None

    def __aiter__(self) -> AsyncIterator[Any]:
        return self._responses()

    async def _responses(self) -> AsyncIterator[Any]:
        async for response in await self._task:
            yield response

    async def read(self) -> Any:
        """The next answer, `grpc.aio.EOF` behind the last."""
        if self._answers is None:
            self._answers = aiter(self)
        return await anext(self._answers, grpc.aio.EOF)


class _ManyRequests(Intercepted):
    """`write` feeds the iterator that the interceptors see."""

    def __init__(
        self,
        chain: Sequence[Callable[..., Awaitable[Any]]],
        details: grpc.aio.ClientCallDetails,
        request: Any,
        begin: Begin,
    ) -> None:
        self._queue: asyncio.Queue[Any] = asyncio.Queue(maxsize=1)
        super().__init__(chain, details, self._written() if request is None else request, begin)

    async def _written(self) -> AsyncIterator[Any]:
        while (request := await self._queue.get()) is not _END:
            yield request

    async def write(self, request: Any) -> None:
        """Sends a message, once the interceptors and the call behind them take it."""
        await self._put(request)

    async def done_writing(self) -> None:
        """Tells that no message follows."""
        if not self.done():
            await self._put(_END)

    async def _put(self, item: Any) -> None:
        """Puts, unless the call ends first: nobody would take it then."""
        put = asyncio.ensure_future(self._queue.put(item))
        ended = asyncio.ensure_future(self.code())
        try:
            await asyncio.wait([put, ended], return_when=asyncio.FIRST_COMPLETED)
            if not put.done():
                await _raise_for(await self._later())
                raise asyncio.InvalidStateError("RPC already finished.")
        finally:
            put.cancel()
            ended.cancel()


async def _raise_for(call: Any) -> None:
    code = await call.code()
    if code is not grpc.StatusCode.OK:
        initial, trailing = await call.initial_metadata(), await call.trailing_metadata()
        raise grpc.aio.AioRpcError(code, initial, trailing, await call.details())


def _call_with(callback: Callable[[Any], None], call: Intercepted, _inner: Any) -> None:
    callback(call)


class InterceptedUnaryUnary(_OneResponse, grpc.aio.UnaryUnaryCall[Any, Any]):
    """One message there, one back."""


class InterceptedUnaryStream(_ManyResponses, grpc.aio.UnaryStreamCall[Any, Any]):
    """One message there, many back."""


class InterceptedStreamUnary(_ManyRequests, _OneResponse, grpc.aio.StreamUnaryCall[Any, Any]):
    """Many messages there, one back."""


class InterceptedStreamStream(_ManyRequests, _ManyResponses, grpc.aio.StreamStreamCall[Any, Any]):
    """Many messages both ways."""
