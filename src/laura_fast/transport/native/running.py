"""Running handlers in tasks: every style of behaviour, interceptors included."""

from __future__ import annotations

import asyncio
import contextvars
import sys
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

from laura_fast.errors import Code
from laura_fast.limits import transport as limits
from laura_fast.transport.native import threads
from laura_fast.transport.native.methods import CallDetails, Method, Style

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence

    import grpc

    from laura_fast.transport.native.calls import Call

    Handler = grpc.RpcMethodHandler[Any, Any]
    Continuation = Callable[[grpc.HandlerCallDetails], Awaitable[Handler | None]]

_EAGER: dict[str, Any] = {"eager_start": True} if sys.version_info >= (3, 12) else {}


def spawn(loop: asyncio.AbstractEventLoop, coroutine: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
    """A task with an empty context of its own, so that nothing leaks between calls; begun at once where possible."""
    return asyncio.Task(coroutine, loop=loop, context=contextvars.Context(), **_EAGER)


async def run(call: Call, raw: bytes | None) -> None:
    """Runs the handler and ends the call."""
    call.enter()
    try:
        await _run(call, raw)
    finally:
        call.leave()


async def intercept(call: Call) -> None:
    """Asks the interceptors for the handler, then runs it, all in one task."""
    call.enter()
    server, prepared = call.host.server, call.request.prepared
    try:
        details = CallDetails(prepared.path, prepared.metadata)
        await _serve(call, await _chain(server.interceptors, server.methods.handler)(details))
    except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001  # an interceptor's bug ends its call only
        call.fail(error)
    finally:
        call.leave()


async def _serve(call: Call, handler: Handler | None) -> None:
    if handler is None:
        call.end(Code.UNIMPLEMENTED, "Method not found!")
        return
    call.known(Method(call.request.prepared.path, handler))
    raw = None if handler.request_streaming else await call.only_request()
    if handler.request_streaming or raw is not None:
        await _run(call, raw)


async def _run(call: Call, raw: bytes | None) -> None:
    assert call.method is not None  # noqa: S101  # see `Call.known`
    try:
        if call.host.machine.queued > limits.CONNECTION_QUEUE_BYTES:
            await call.host.room()
        call.succeed(await _invoke(call, call.method, raw))
    except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001  # any bug in a handler ends its call only
        call.fail(error)


def _chain(
    interceptors: Sequence[grpc.aio.ServerInterceptor], find: Callable[[grpc.HandlerCallDetails], Handler | None]
) -> Continuation:
    async def innermost(details: grpc.HandlerCallDetails) -> Handler | None:
        return find(details)

    continuation: Continuation = innermost
    for interceptor in reversed(interceptors):
        continuation = _link(interceptor, continuation)
    return continuation


def _link(interceptor: grpc.aio.ServerInterceptor, continuation: Any) -> Continuation:
    async def linked(details: grpc.HandlerCallDetails) -> Handler | None:
        return await interceptor.intercept_service(continuation, details)

    return linked


async def _invoke(call: Call, method: Method, raw: bytes | None) -> Any:
    if method.style is Style.SYNC:
        return await threads.invoke(call, method, raw)
    argument = _requests(call) if raw is None else call.parse(raw)
    if method.style is not Style.GENERATOR:
        return await method.behaviour(argument, call.context)
    async with aclosing(method.behaviour(argument, call.context)) as answers:
        async for answer in answers:
            await call.write(answer)
    return None


async def _requests(call: Call) -> AsyncIterator[Any]:
    while (raw := await call.next_raw()) is not None:
        yield call.parse(raw)
