"""Handlers that report each call to an `RpcObserver`, keep the request timeout, and never leak an exception's text.

Wrapping the handler once beats a server interceptor: an interceptor is looked up and awaited for every call.
"""

from __future__ import annotations

import asyncio
import inspect
from contextlib import aclosing
from time import perf_counter
from typing import TYPE_CHECKING, Any

import grpc

from laura_fast.errors import Code, InvalidArgumentError, RpcError
from laura_fast.observability import log
from laura_fast.transport.malformed import malformed

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable

    from laura_fast.transport.settings import RpcObserver

    Context = grpc.aio.ServicerContext[Any, Any]
    Run = Callable[[Any, Context], Awaitable[Any]]
    Handler = grpc.RpcMethodHandler[Any, Any]

_log = log.get("laura_fast.transport")
_STATUS_BY_CODE = {Code(status.value[0]): status for status in grpc.StatusCode}


class ObservedHandlers(grpc.GenericRpcHandler):
    """Another generic handler, each of its methods wrapped once, at its first call."""

    def __init__(self, inner: grpc.GenericRpcHandler, observer: RpcObserver, timeout_s: float) -> None:
        self._inner = inner
        self._observer = observer
        self._timeout_s = timeout_s
        self._wrapped: dict[str, Handler] = {}
        """Only methods that exist get in, so no peer can grow it."""

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> Handler | None:
        method = handler_call_details.method
        found = self._wrapped.get(method)
        if found is not None:
            return found
        handler = self._inner.service(handler_call_details)
        if handler is None:
            return None
        self._wrapped[method] = wrapped = observe(method, handler, self._observer, self._timeout_s)
        return wrapped


def observe(method: str, handler: Handler, observer: RpcObserver, timeout_s: float) -> Handler:
    """The wrapped `handler` of `method`.

    Args:
        method: Full path, `/package.Service/Method`.
        handler: Its behaviour is a coroutine function or an async generator function. Synchronous ones, which
            grpcio runs in its thread pool, are returned as they are: unobserved and without a timeout.
        observer: Hears of each call.
        timeout_s: Longest run of a unary-unary behaviour in seconds.
    """
    run = _as_coroutine(_behaviour(handler))
    if run is None:
        return handler
    if not handler.request_streaming:
        run = _refuse_malformed(run)
        if not handler.response_streaming:
            run = _within(timeout_s, run)
    return _rebuild(handler, _report(method, _answer_errors(method, run), observer))


def _behaviour(handler: Handler) -> Any:
    if handler.request_streaming:
        return handler.stream_stream if handler.response_streaming else handler.stream_unary
    return handler.unary_stream if handler.response_streaming else handler.unary_unary


def _rebuild(handler: Handler, run: Run) -> Handler:
    make = {
        (False, False): grpc.unary_unary_rpc_method_handler,
        (False, True): grpc.unary_stream_rpc_method_handler,
        (True, False): grpc.stream_unary_rpc_method_handler,
        (True, True): grpc.stream_stream_rpc_method_handler,
    }[handler.request_streaming, handler.response_streaming]
    guard = _raise_malformed if handler.request_streaming else _return_malformed
    parse = handler.request_deserializer
    return make(run, guard(parse) if parse else None, handler.response_serializer)


def _as_coroutine(behaviour: Callable[..., Any]) -> Run | None:
    if inspect.iscoroutinefunction(behaviour):
        return behaviour
    return _writer(behaviour) if inspect.isasyncgenfunction(behaviour) else None


def _writer(generate: Callable[[Any, Context], AsyncGenerator[Any, None]]) -> Run:
    """Writes from here, so that a call cancelled between two answers closes the generator now, not when collected."""

    async def write_all(request: Any, context: Context) -> None:
        async with aclosing(generate(request, context)) as answers:
            async for answer in answers:
                await context.write(answer)

    return write_all


def _within(timeout_s: float, run: Run) -> Run:
    text = f"the method took longer than the server's request timeout of {timeout_s:g} s"

    async def timed(request: Any, context: Context) -> Any:
        try:
            async with asyncio.timeout(timeout_s) as scope:
                return await run(request, context)
        except TimeoutError:
            if not scope.expired():
                raise
            await context.abort(grpc.StatusCode.DEADLINE_EXCEEDED, text)

    return timed


def _answer_errors(method: str, run: Run) -> Run:
    async def answered(request: Any, context: Context) -> Any:
        try:
            return await run(request, context)
        except grpc.aio.BaseError:
            raise  # the call is over already: answered by the handler, or closed by the client
        except RpcError as error:
            await context.abort(_STATUS_BY_CODE[error.code], error.message)
        except Exception:  # noqa: BLE001  # any bug in a handler ends its call and nothing else
            _log.exception("handler_failed", method=method)
            await context.abort(grpc.StatusCode.INTERNAL, "internal error; the server's log has it")

    return answered


def _report(method: str, run: Run, observer: RpcObserver) -> Run:
    async def reported(request: Any, context: Context) -> Any:
        observer.rpc_started(method)
        started, peer = perf_counter(), context.peer()
        code = Code.CANCELLED
        try:
            answer = await run(request, context)
            code = _code_of(context)
        except grpc.aio.AbortError:
            code = _code_of(context)
            raise
        except asyncio.CancelledError:
            code = _why_cancelled(context)
            raise
        finally:
            observer.rpc_handled(method, code, perf_counter() - started, peer)
        return answer

    return reported


def _code_of(context: Context) -> Code:
    """`context.code()` is what the handler set: nothing, a `grpc.StatusCode`, or a number."""
    status: Any = context.code()
    number = status.value[0] if isinstance(status, grpc.StatusCode) else int(status or 0)
    return Code(number) if number in _STATUS_BY_CODE else Code.UNKNOWN


def _why_cancelled(context: Context) -> Code:
    """C-core cancels the handler both when the caller goes away and when the caller's deadline passes."""
    remaining: float | None = context.time_remaining()
    return Code.DEADLINE_EXCEEDED if remaining is not None and remaining <= 0 else Code.CANCELLED


def _return_malformed(parse: Callable[[bytes], Any]) -> Callable[[bytes], Any]:
    """For a single request: the exception takes the request's place and `_refuse_malformed` raises it.

    grpcio answers an exception of a deserialiser with UNKNOWN, its text, and a traceback in the log: any peer could
    fill the log.
    """

    def parsed(raw: bytes) -> Any:
        try:
            return parse(raw)
        except Exception as error:  # noqa: BLE001  # parsers of any kind; each failure is the peer's fault
            return malformed(error)

    return parsed


def _raise_malformed(parse: Callable[[bytes], Any]) -> Callable[[bytes], Any]:
    """For a stream of requests: raised where the handler reads the next one."""

    def parsed(raw: bytes) -> Any:
        try:
            return parse(raw)
        except Exception as error:  # noqa: BLE001  # as above
            raise malformed(error) from None

    return parsed


def _refuse_malformed(run: Run) -> Run:
    async def checked(request: Any, context: Context) -> Any:
        if type(request) is InvalidArgumentError:
            raise request
        return await run(request, context)

    return checked
