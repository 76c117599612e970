"""What a servicer may do on any transport: four call kinds, both styles, synchronous handlers, the whole context."""

from __future__ import annotations

import asyncio
import contextvars
from typing import TYPE_CHECKING, Any

import grpc
import pytest

from laura_fast.transport.settings import TransportSettings
from tests.contract.transport_kit import FACTORIES, Recorder, until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

    Call = Callable[..., Any]

SEEN: contextvars.ContextVar[str] = contextvars.ContextVar("SEEN", default="nothing")
TIMEOUT_S = 10.0


class Calls:
    """Behaviours under test; each is a method `/t.C/<name>`."""

    def __init__(self) -> None:
        self.cancelled = asyncio.Event()
        self.done: list[Any] = []

    async def echo(self, request: bytes, context: Any) -> bytes:
        return request

    async def generate(self, request: bytes, context: Any) -> AsyncIterator[bytes]:
        for item in request:
            yield bytes([item])

    async def write(self, request: bytes, context: Any) -> None:
        for item in request:
            await context.write(bytes([item]))

    async def join(self, requests: Any, _context: Any) -> bytes:
        return b"".join([request async for request in requests])

    async def join_by_reading(self, _requests: Any, context: Any) -> bytes:
        parts = []
        while (part := await context.read()) is not grpc.aio.EOF:
            parts.append(part)
        return b"".join(parts)

    async def reverse(self, requests: Any, context: Any) -> AsyncIterator[bytes]:
        async for request in requests:
            yield request[::-1]

    async def reverse_by_writing(self, requests: Any, context: Any) -> None:
        while (part := await context.read()) is not grpc.aio.EOF:
            await context.write(part[::-1])

    async def abort(self, request: bytes, context: Any) -> bytes:
        context.set_trailing_metadata((("k", "set"),))
        await context.abort(grpc.StatusCode.DATA_LOSS, "gone ✗", (("k", "v"), ("b-bin", b"\x00\xff")))
        raise AssertionError

    async def swallow_abort(self, request: bytes, context: Any) -> bytes:
        try:
            await context.abort(grpc.StatusCode.DATA_LOSS, "gone")
        except grpc.aio.AbortError:
            return b"not to be seen"
        raise AssertionError

    async def set_code(self, request: bytes, context: Any) -> bytes:
        context.set_code(grpc.StatusCode.OUT_OF_RANGE)
        context.set_details("too far")
        return b""

    async def describe(self, request: bytes, context: Any) -> bytes:
        remaining = context.time_remaining()  # clients round up
        metadata = dict(context.invocation_metadata())
        await context.send_initial_metadata((("first", "1"),))
        context.set_trailing_metadata((("last-bin", b"\x01"),))
        names = sorted(name for name in metadata if not name.startswith(("grpc-", "user-agent")))
        assert metadata.get("b-bin") == b"\xff\x00"
        assert context.peer().startswith("ipv4:127.0.0.1:")
        assert not context.cancelled()
        return f"{0 < remaining <= TIMEOUT_S + 1} {names} {context.peer_identity_key()}".encode()

    async def hang(self, request: bytes, context: Any) -> bytes:
        context.add_done_callback(lambda _: self.done.append(context))
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.cancelled.set()
            raise
        return b""

    async def loop_features(self, request: bytes, context: Any) -> bytes:
        """Needs a task of its own: `asyncio.timeout` and context variables."""
        before = SEEN.get()
        SEEN.set("set by an earlier call")
        assert asyncio.current_task() is not None
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await asyncio.Event().wait()
        return before.encode()

    def sync_echo(self, request: bytes, context: Any) -> bytes:
        if request == b"abort":
            context.abort(grpc.StatusCode.ABORTED, "from a thread")
        return request

    def sync_generate(self, request: bytes, context: Any) -> Iterator[bytes]:
        for item in request:
            yield bytes([item])

    def handlers(self) -> grpc.GenericRpcHandler:
        kinds: dict[Callable[..., Any], list[Any]] = {
            grpc.unary_unary_rpc_method_handler: [
                *(self.echo, self.abort, self.swallow_abort, self.set_code, self.describe, self.hang),
                *(self.loop_features, self.sync_echo),
            ],
            grpc.unary_stream_rpc_method_handler: [self.generate, self.write, self.sync_generate],
            grpc.stream_unary_rpc_method_handler: [self.join, self.join_by_reading],
            grpc.stream_stream_rpc_method_handler: [self.reverse, self.reverse_by_writing],
        }
        return grpc.method_handlers_generic_handler(
            "t.C", {behaviour.__name__: make(behaviour) for make, all_of in kinds.items() for behaviour in all_of}
        )


@pytest.fixture
def calls() -> Calls:
    return Calls()


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


@pytest.fixture
async def channel(transport_name: str, calls: Calls, recorder: Recorder) -> AsyncIterator[grpc.aio.Channel]:
    server = FACTORIES[transport_name](TransportSettings(), recorder)
    server.add_generic_rpc_handlers([calls.handlers()])
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as open_channel:
        yield open_channel
    await server.stop(None)


async def unary(channel: Any, name: str, request: bytes = b"x", **options: Any) -> bytes:
    answer: bytes = await channel.unary_unary(f"/t.C/{name}")(request, **{"timeout": TIMEOUT_S, **options})
    return answer


async def failure(call: Awaitable[Any]) -> grpc.aio.AioRpcError:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    return caught.value


@pytest.mark.parametrize("name", ["generate", "write", "sync_generate"])
async def test_server_streaming_in_every_style(channel: Any, name: str) -> None:
    answers = channel.unary_stream(f"/t.C/{name}")(b"abc", timeout=TIMEOUT_S)
    assert [answer async for answer in answers] == [b"a", b"b", b"c"]


@pytest.mark.parametrize("name", ["join", "join_by_reading"])
async def test_client_streaming_in_every_style(channel: Any, name: str) -> None:
    assert await channel.stream_unary(f"/t.C/{name}")(iter([b"a", b"b", b""]), timeout=TIMEOUT_S) == b"ab"


@pytest.mark.parametrize("name", ["reverse", "reverse_by_writing"])
async def test_bidirectional_streaming_in_every_style(channel: Any, name: str) -> None:
    answers = channel.stream_stream(f"/t.C/{name}")(iter([b"ab", b"cd"]), timeout=TIMEOUT_S)
    assert [answer async for answer in answers] == [b"ba", b"dc"]


async def test_abort_carries_code_message_and_metadata(channel: Any, recorder: Recorder) -> None:
    error = await failure(unary(channel, "abort"))
    assert (error.code(), error.details()) == (grpc.StatusCode.DATA_LOSS, "gone ✗")
    assert dict(error.trailing_metadata()) == {"k": "v", "b-bin": b"\x00\xff"}
    await until(lambda: recorder.codes == [15])


async def test_an_abort_holds_even_if_the_handler_swallows_it(channel: Any) -> None:
    assert (await failure(unary(channel, "swallow_abort"))).code() is grpc.StatusCode.DATA_LOSS


async def test_a_code_set_without_abort_is_the_status(channel: Any) -> None:
    error = await failure(unary(channel, "set_code"))
    assert (error.code(), error.details()) == (grpc.StatusCode.OUT_OF_RANGE, "too far")


async def test_the_context_describes_the_call(channel: Any) -> None:
    sent = (("b-bin", b"\xff\x00"), ("k", "v"))
    call = channel.unary_unary("/t.C/describe")(b"", metadata=sent, timeout=TIMEOUT_S)
    assert await call == b"True ['b-bin', 'k'] None"
    assert dict(await call.initial_metadata())["first"] == "1"
    assert dict(await call.trailing_metadata())["last-bin"] == b"\x01"


async def test_cancelling_reaches_the_handler_and_its_callbacks(channel: Any, calls: Calls, recorder: Recorder) -> None:
    call = channel.unary_unary("/t.C/hang")(b"")
    await until(lambda: bool(recorder.started))
    call.cancel()
    async with asyncio.timeout(5):
        await calls.cancelled.wait()
    await until(lambda: len(calls.done) == 1)
    await until(lambda: recorder.codes == [1])


async def test_the_deadline_cancels_the_handler(channel: Any, calls: Calls, recorder: Recorder) -> None:
    assert (await failure(unary(channel, "hang", timeout=0.5))).code() is grpc.StatusCode.DEADLINE_EXCEEDED
    async with asyncio.timeout(5):
        await calls.cancelled.wait()
    await until(lambda: recorder.codes in ([1], [4]))  # the client's reset and the server's clock race


async def test_handlers_may_use_the_loop_and_calls_share_no_context_variables(channel: Any) -> None:
    assert [await unary(channel, "loop_features") for _ in range(3)] == [b"nothing"] * 3


async def test_synchronous_handlers_run_and_abort(channel: Any) -> None:
    assert await unary(channel, "sync_echo", b"y") == b"y"
    error = await failure(unary(channel, "sync_echo", b"abort"))
    assert (error.code(), error.details()) == (grpc.StatusCode.ABORTED, "from a thread")
