"""Every call of a channel becomes a locust request, named by its RPC. All four kinds of call.

What is timed: a unary answer from call to answer; a server's stream from call to first message; a two-way stream from
each request to the answer in the same place. A stream that ends in an error is a failed request; one that we cancel is
not.
"""

from __future__ import annotations

import time
from collections import deque
from typing import TYPE_CHECKING, Any

import grpc

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Fire = Callable[..., None]


class RefusedError(Exception):
    """The server answered OK, and in the message that it did not do it."""


class Reporter:
    """Turns the end of a request into locust's event.

    Args:
        fire: `environment.events.request.fire`.
    """

    def __init__(self, fire: Fire) -> None:
        self._fire = fire

    def answered(self, name: str, started: float, answer: Any) -> None:
        """A message arrived; `success = false` in it is a failure."""
        refused = None if getattr(answer, "success", True) else RefusedError(answer.message)
        self._report(name, started, answer.ByteSize(), refused)

    def failed(self, name: str, started: float, error: BaseException) -> None:
        """The call ended with a status other than OK."""
        self._report(name, started, 0, _described(error))

    def _report(self, name: str, started: float, length: int, error: BaseException | None) -> None:
        self._fire(
            request_type="grpc",
            name=name,
            response_time=(time.perf_counter() - started) * 1000,
            response_length=length,
            exception=error,
            context={},
        )


def _described(error: BaseException) -> BaseException:
    """Code and message alone: locust groups errors by text, and grpc's own has a time in it."""
    if isinstance(error, grpc.RpcError) and isinstance(error, grpc.Call):
        return RefusedError(f"{error.code().name}: {error.details()}")
    return error


def rpc_name(method: str | bytes) -> str:
    """`/lauradb.cluster.ClusterService/Heartbeat` → `ClusterService/Heartbeat`."""
    text = method.decode() if isinstance(method, bytes) else method
    service, _, name = text.lstrip("/").partition("/")
    return f"{service.rpartition('.')[2]}/{name}"


class _Unary:
    """The answer is one message."""

    def __init__(self, reporter: Reporter) -> None:
        self._reporter = reporter

    def _observe(self, continuation: Callable[..., Any], details: grpc.ClientCallDetails, request: Any) -> Any:
        name, started = rpc_name(details.method), time.perf_counter()
        call = continuation(details, request)
        call.add_done_callback(lambda done: self._finished(name, started, done))
        return call

    def _finished(self, name: str, started: float, call: Any) -> None:
        if call.cancelled():
            return
        error = call.exception()
        if error is None:
            self._reporter.answered(name, started, call.result())
        else:
            self._reporter.failed(name, started, error)


class UnaryUnary(_Unary, grpc.UnaryUnaryClientInterceptor):
    """One request, one answer."""

    def intercept_unary_unary(self, continuation: Any, client_call_details: Any, request: Any) -> Any:
        return self._observe(continuation, client_call_details, request)


class StreamUnary(_Unary, grpc.StreamUnaryClientInterceptor):
    """Many requests, one answer."""

    def intercept_stream_unary(self, continuation: Any, client_call_details: Any, request_iterator: Any) -> Any:
        return self._observe(continuation, client_call_details, request_iterator)


class UnaryStream(grpc.UnaryStreamClientInterceptor):
    """One request, many answers: the first one is timed, the others come when there is something to say."""

    def __init__(self, reporter: Reporter) -> None:
        self._reporter = reporter

    def intercept_unary_stream(self, continuation: Any, client_call_details: Any, request: Any) -> Any:
        starts = deque([time.perf_counter()])
        call = continuation(client_call_details, request)
        return ObservedStream(call, rpc_name(client_call_details.method), starts, self._reporter)


class StreamStream(grpc.StreamStreamClientInterceptor):
    """Many requests, many answers: the n-th answer belongs to the n-th request."""

    def __init__(self, reporter: Reporter) -> None:
        self._reporter = reporter

    def intercept_stream_stream(self, continuation: Any, client_call_details: Any, request_iterator: Any) -> Any:
        starts: deque[float] = deque()

        def timed() -> Iterator[Any]:
            for request in request_iterator:
                starts.append(time.perf_counter())
                yield request

        call = continuation(client_call_details, timed())
        return ObservedStream(call, rpc_name(client_call_details.method), starts, self._reporter)


class ObservedStream:
    """A call whose answers are reported as they are read; everything else is the call's own."""

    def __init__(self, call: Any, name: str, starts: deque[float], reporter: Reporter) -> None:
        self._call = call
        self._name = name
        self._starts = starts
        self._opened = time.perf_counter()
        self._reporter = reporter

    def __iter__(self) -> ObservedStream:
        return self

    def __next__(self) -> Any:
        try:
            answer = next(self._call)
        except grpc.RpcError as error:
            if self._call.code() is not grpc.StatusCode.CANCELLED:
                self._reporter.failed(self._name, self._starts[0] if self._starts else self._opened, error)
            raise
        if self._starts:
            self._reporter.answered(self._name, self._starts.popleft(), answer)
        return answer

    def __getattr__(self, attribute: str) -> Any:
        return getattr(self._call, attribute)


def interceptors(fire: Fire) -> list[Any]:
    """One interceptor per kind of call, all reporting to `fire`."""
    reporter = Reporter(fire)
    return [UnaryUnary(reporter), UnaryStream(reporter), StreamUnary(reporter), StreamStream(reporter)]
