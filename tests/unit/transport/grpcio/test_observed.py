"""Each call is reported once with the status its caller saw, and no exception's text leaves the server."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import grpc
import pytest

from laura_fast.errors import Code, NotFoundError
from tests.unit.transport.grpcio.conftest import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.unit.transport.grpcio.conftest import Recorder, Serve

unary = grpc.unary_unary_rpc_method_handler
server_stream = grpc.unary_stream_rpc_method_handler
bidi = grpc.stream_stream_rpc_method_handler
Context = grpc.aio.ServicerContext[Any, Any]


def parse(raw: bytes) -> bytes:
    if raw == b"bad":
        raise ValueError("byte 0")
    return raw


async def echo(request: bytes, _context: Context) -> bytes:
    return request


async def call(channel: Any, method: str, request: bytes = b"x", **options: float) -> Any:
    """The answer, or (code, text)."""
    try:
        return await channel.unary_unary(f"/t.T/{method}")(request, **options)
    except grpc.aio.AioRpcError as error:
        return error.code(), error.details()


async def test_an_answer_is_reported_ok_with_method_and_peer(serve: Serve, recorder: Recorder) -> None:
    async with serve({"Echo": unary(echo, parse)}) as channel:
        assert await call(channel, "Echo") == b"x"
    [(method, code, peer)] = recorder.handled
    assert (recorder.started, method, code) == (["/t.T/Echo"], "/t.T/Echo", Code.OK)
    assert peer.startswith("ipv4:127.0.0.1:")


async def test_an_abort_is_reported_with_its_code(serve: Serve, recorder: Recorder) -> None:
    async def refuse(_request: bytes, context: Context) -> None:
        await context.abort(grpc.StatusCode.NOT_FOUND, "no such thing")

    async with serve({"Refuse": unary(refuse)}) as channel:
        assert await call(channel, "Refuse") == (grpc.StatusCode.NOT_FOUND, "no such thing")
    assert await recorder.codes() == [Code.NOT_FOUND]


async def test_a_code_that_was_only_set_is_reported(serve: Serve, recorder: Recorder) -> None:
    async def set_code(_request: bytes, context: Context) -> bytes:
        context.set_code(grpc.StatusCode.DATA_LOSS)
        return b""

    async with serve({"Set": unary(set_code)}) as channel:
        assert (await call(channel, "Set"))[0] is grpc.StatusCode.DATA_LOSS
    assert await recorder.codes() == [Code.DATA_LOSS]


async def test_an_rpc_error_becomes_its_status(serve: Serve, recorder: Recorder) -> None:
    async def missing(_request: bytes, _context: Context) -> None:
        raise NotFoundError("node n1 not registered", "NODE_NOT_REGISTERED")

    async with serve({"Missing": unary(missing)}) as channel:
        assert await call(channel, "Missing") == (grpc.StatusCode.NOT_FOUND, "node n1 not registered")


async def test_a_bug_is_internal_without_its_text(serve: Serve, recorder: Recorder) -> None:
    async def bug(_request: bytes, _context: Context) -> None:
        raise ValueError("the password is 1234")

    async with serve({"Bug": unary(bug)}) as channel:
        code, text = await call(channel, "Bug")
    assert code is grpc.StatusCode.INTERNAL
    assert "1234" not in text
    assert await recorder.codes() == [Code.INTERNAL]


async def test_a_timeout_inside_a_handler_is_not_taken_for_the_servers(serve: Serve, recorder: Recorder) -> None:
    async def bug(_request: bytes, _context: Context) -> None:
        raise TimeoutError

    async with serve({"Bug": unary(bug)}) as channel:
        assert (await call(channel, "Bug"))[0] is grpc.StatusCode.INTERNAL


async def test_a_request_that_does_not_parse_never_reaches_the_handler(serve: Serve, recorder: Recorder) -> None:
    async with serve({"Echo": unary(echo, parse)}) as channel:
        code, text = await call(channel, "Echo", b"bad")
    assert (code, text) == (grpc.StatusCode.INVALID_ARGUMENT, "the request does not parse: byte 0")
    assert await recorder.codes() == [Code.INVALID_ARGUMENT]


async def test_a_streamed_request_that_does_not_parse_ends_the_call(serve: Serve, recorder: Recorder) -> None:
    async def relay(requests: AsyncIterator[bytes], _context: Context) -> AsyncIterator[bytes]:
        async for request in requests:
            yield request

    async with serve({"Relay": bidi(relay, parse)}) as channel:
        stream = channel.stream_stream("/t.T/Relay")(iter((b"good", b"bad")))
        assert await stream.read() == b"good"
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await stream.read()
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert await recorder.codes() == [Code.INVALID_ARGUMENT]


async def test_the_callers_deadline_and_the_callers_cancel_are_told_apart(serve: Serve, recorder: Recorder) -> None:
    async def forever(_request: bytes, _context: Context) -> None:
        await asyncio.Event().wait()

    async with serve({"Forever": unary(forever)}) as channel:
        assert (await call(channel, "Forever", timeout=0.05))[0] is grpc.StatusCode.DEADLINE_EXCEEDED
        assert await recorder.codes() == [Code.DEADLINE_EXCEEDED]
        running = channel.unary_unary("/t.T/Forever")(b"")
        await until(lambda: len(recorder.started) == 2)
        assert running.cancel()
        assert await recorder.codes(2) == [Code.DEADLINE_EXCEEDED, Code.CANCELLED]


async def test_a_cancelled_stream_closes_its_generator_at_once(serve: Serve, recorder: Recorder) -> None:
    closed = asyncio.Event()

    async def endless(request: bytes, _context: Context) -> AsyncIterator[bytes]:
        try:
            while True:
                yield request * 100_000  # more than a window: the server is waiting in a write when the client goes
        finally:
            closed.set()

    async with serve({"Endless": server_stream(endless)}) as channel:
        stream = channel.unary_stream("/t.T/Endless")(b"x")
        await stream.read()
        stream.cancel()
        async with asyncio.timeout(5):
            await closed.wait()
        assert await recorder.codes() == [Code.CANCELLED]


async def test_both_forms_of_streaming_handlers_answer(serve: Serve, recorder: Recorder) -> None:
    async def generate(request: bytes, _context: Context) -> AsyncIterator[bytes]:
        for _ in range(3):
            yield request

    async def write(request: bytes, context: Context) -> None:
        for _ in range(3):
            await context.write(request)

    async with serve({"Generate": server_stream(generate), "Write": server_stream(write)}) as channel:
        for method in ("Generate", "Write"):
            assert [answer async for answer in channel.unary_stream(f"/t.T/{method}")(b"x")] == [b"x"] * 3
    assert await recorder.codes(2) == [Code.OK, Code.OK]


async def test_an_unknown_method_is_unimplemented_and_not_reported(serve: Serve, recorder: Recorder) -> None:
    async with serve({"Echo": unary(echo)}) as channel:
        assert (await call(channel, "Nope"))[0] is grpc.StatusCode.UNIMPLEMENTED
    assert recorder.started == []
