"""Synchronous handlers: they run in the thread pool, with the context of synchronous gRPC."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, NoReturn

import grpc

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable, Iterator

    from laura_fast.transport.native.calls import Call
    from laura_fast.transport.native.methods import Method


async def invoke(call: Call, method: Method, raw: bytes | None) -> Any:
    """Runs the behaviour in a thread; a stream of answers occupies the thread until its end."""
    argument = _requests(call) if raw is None else call.parse(raw)
    loop = call.host.loop
    return await loop.run_in_executor(call.host.server.executor, _run, call, method, argument)


def _run(call: Call, method: Method, argument: Any) -> Any:
    answer = method.behaviour(argument, SyncContext(call))
    if not method.response_streaming:
        return answer
    for item in answer:
        _wait(call, call.write(item))
    return None


def _requests(call: Call) -> Iterator[Any]:
    while (raw := _wait(call, call.next_raw())) is not None:
        yield call.parse(raw)


def _wait(call: Call, coroutine: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run_coroutine_threadsafe(coroutine, call.host.loop).result()


class SyncContext(grpc.ServicerContext):
    """The same call, for code that can't await. Setters only store a value, so they need no hop to the loop."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self._context = call.context

    def abort(self, code: grpc.StatusCode, details: str) -> NoReturn:
        _finish(self._context.abort(code, details))

    def abort_with_status(self, status: grpc.Status) -> NoReturn:
        _finish(self._context.abort_with_status(status))

    def send_initial_metadata(self, initial_metadata: Any) -> None:
        _wait(self._call, self._context.send_initial_metadata(initial_metadata))

    def set_trailing_metadata(self, trailing_metadata: Any) -> None:
        self._context.set_trailing_metadata(trailing_metadata)

    def set_code(self, code: grpc.StatusCode) -> None:
        self._context.set_code(code)

    def set_details(self, details: str) -> None:
        self._context.set_details(details)

    def set_compression(self, compression: grpc.Compression) -> None:
        self._context.set_compression(compression)

    def disable_next_message_compression(self) -> None:
        self._context.disable_next_message_compression()

    def invocation_metadata(self) -> Any:
        return self._context.invocation_metadata()

    def trailing_metadata(self) -> Any:
        return self._context.trailing_metadata()

    def code(self) -> Any:
        return self._context.code()

    def details(self) -> Any:
        return self._context.details()

    def peer(self) -> str:
        return self._context.peer()

    def peer_identities(self) -> Iterable[bytes] | None:
        return self._context.peer_identities()

    def peer_identity_key(self) -> str | None:
        return self._context.peer_identity_key()

    def auth_context(self) -> Any:
        return self._context.auth_context()

    def is_active(self) -> bool:
        return not self._call.over

    def time_remaining(self) -> Any:
        return self._context.time_remaining()

    def cancel(self) -> bool:
        self._call.host.loop.call_soon_threadsafe(self._call.cancel_locally)
        return not self._call.over

    def add_callback(self, callback: Callable[[], None]) -> bool:
        if self._call.over:
            return False
        self._context.add_done_callback(lambda _: callback())
        return True


def _finish(aborting: Coroutine[Any, Any, NoReturn]) -> NoReturn:
    """Drives a coroutine that only raises."""
    aborting.send(None)
    raise AssertionError("abort returned")
