"""What only the native transport has: interceptors run on it unchanged, it drains in two steps, and answers HTTP."""

from __future__ import annotations

import asyncio
import contextvars
import ssl
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import grpc
import pytest
import trustme

from laura_fast.errors import AbortedError
from laura_fast.limits import transport as limits
from laura_fast.services.binding import in_coroutine
from laura_fast.transport.native import create_server
from laura_fast.transport.settings import TransportSettings
from tests.contract.http2_conformance import peer as h2
from tests.contract.transport_kit import Recorder, until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    Continuation = Callable[[grpc.HandlerCallDetails], Awaitable[Any]]

TRACE: contextvars.ContextVar[tuple[str, ...]] = contextvars.ContextVar("TRACE", default=())
TIMEOUT_S = 10.0


class Behaviours:
    """Methods of `/test.Echo`, the service that the raw peer calls."""

    def __init__(self) -> None:
        self.go_on = asyncio.Event()

    def unary(self, request: bytes, context: Any) -> bytes:
        if request == b"metadata":
            context.set_trailing_metadata((("k", "v"),))
        if request == b"refuse":
            raise AbortedError("as asked", "ASKED")
        if request == b"bug":
            raise ZeroDivisionError
        if request == b"wrong type":
            return 5  # type: ignore[return-value]  # a handler's bug
        return request

    async def traced(self, _request: bytes, _context: Any) -> bytes:
        return " ".join(TRACE.get()).encode()

    async def hold(self, request: bytes, _context: Any) -> bytes:
        await self.go_on.wait()
        return request

    def handlers(self) -> grpc.GenericRpcHandler:
        make: Any = grpc.unary_unary_rpc_method_handler
        methods = {"Unary": make(in_coroutine(self.unary)), "Traced": make(self.traced), "Hold": make(self.hold)}
        return grpc.method_handlers_generic_handler("test.Echo", methods)


class Tracing(grpc.aio.ServerInterceptor):
    """Leaves its name in a context variable."""

    def __init__(self, name: str) -> None:
        self._name = name

    async def intercept_service(self, continuation: Continuation, handler_call_details: grpc.HandlerCallDetails) -> Any:
        TRACE.set((*TRACE.get(), self._name))
        return await continuation(handler_call_details)


class Refusing(grpc.aio.ServerInterceptor):
    """Replaces the handler of calls without a token, whether the method exists or not."""

    async def intercept_service(self, continuation: Continuation, handler_call_details: grpc.HandlerCallDetails) -> Any:
        if dict(handler_call_details.invocation_metadata).get("token") == "right":
            return await continuation(handler_call_details)

        async def refuse(_request: bytes, context: Any) -> bytes:
            await context.abort(grpc.StatusCode.UNAUTHENTICATED, "no token")
            raise AssertionError

        return grpc.unary_unary_rpc_method_handler(refuse)


@pytest.fixture
def behaviours() -> Behaviours:
    return Behaviours()


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


@asynccontextmanager
async def serving(behaviours: Behaviours, recorder: Recorder, **options: Any) -> AsyncIterator[tuple[Any, int]]:
    server = create_server(TransportSettings(), recorder, **options)
    server.add_generic_rpc_handlers([behaviours.handlers()])
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    yield server, port
    await server.stop(None)


def connect(port: int) -> Any:
    return grpc.aio.insecure_channel(f"127.0.0.1:{port}")


async def unary(channel: Any, method: str, request: bytes = b"x", **options: Any) -> Any:
    try:
        return await channel.unary_unary(f"/test.Echo/{method}")(request, timeout=TIMEOUT_S, **options)
    except grpc.aio.AioRpcError as error:
        return error.code()


async def test_interceptors_run_in_order_and_share_the_handlers_context(
    behaviours: Behaviours, recorder: Recorder
) -> None:
    interceptors = [Tracing("first"), Tracing("second")]
    async with serving(behaviours, recorder, interceptors=interceptors) as (_, port), connect(port) as channel:
        assert [await unary(channel, "Traced") for _ in range(2)] == [b"first second"] * 2
        assert await unary(channel, "Unary") == b"x"
        assert await unary(channel, "Missing") is grpc.StatusCode.UNIMPLEMENTED


async def test_an_interceptor_may_replace_the_handler(behaviours: Behaviours, recorder: Recorder) -> None:
    async with serving(behaviours, recorder, interceptors=[Refusing()]) as (_, port), connect(port) as channel:
        assert await unary(channel, "Unary") is grpc.StatusCode.UNAUTHENTICATED
        assert await unary(channel, "Missing") is grpc.StatusCode.UNAUTHENTICATED
        assert await unary(channel, "Unary", metadata=(("token", "right"),)) == b"x"


async def test_an_inline_handler_may_do_everything_another_may(behaviours: Behaviours, recorder: Recorder) -> None:
    async with serving(behaviours, recorder) as (_, port), connect(port) as channel:
        assert await unary(channel, "Unary", b"plain") == b"plain"
        assert await unary(channel, "Unary", bytes(100_000)) == bytes(100_000)
        assert await unary(channel, "Unary", b"refuse") is grpc.StatusCode.ABORTED
        assert await unary(channel, "Unary", b"bug") is grpc.StatusCode.INTERNAL
        assert await unary(channel, "Unary", b"wrong type") is grpc.StatusCode.INTERNAL
        call = channel.unary_unary("/test.Echo/Unary")(b"metadata", timeout=TIMEOUT_S)
        assert await call == b"metadata"
        assert dict(await call.trailing_metadata()) == {"k": "v"}
        assert recorder.codes == [0, 0, 10, 13, 13, 0]


async def test_registered_handlers_win_over_generic_ones(behaviours: Behaviours, recorder: Recorder) -> None:
    async def other(_request: bytes, _context: Any) -> bytes:
        return b"registered"

    server = create_server(TransportSettings(), recorder)
    server.add_generic_rpc_handlers([behaviours.handlers()])
    server.add_registered_method_handlers("test.Echo", {"Unary": grpc.unary_unary_rpc_method_handler(other)})
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with connect(port) as channel:
        assert await unary(channel, "Unary") == b"registered"
    await server.stop(None)


async def test_secure_ports_take_an_ssl_context_and_say_so_to_others() -> None:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    server = create_server(TransportSettings(), Recorder())
    server.add_generic_rpc_handlers([Behaviours().handlers()])
    with pytest.raises(TypeError, match="SSLContext"):
        server.add_secure_port("127.0.0.1:0", grpc.ssl_server_credentials([(b"key", b"cert")]))
    port = server.add_secure_port("127.0.0.1:0", context)
    await server.start()
    credentials = grpc.ssl_channel_credentials(authority.cert_pem.bytes())
    async with grpc.aio.secure_channel(f"localhost:{port}", credentials) as channel:
        assert await unary(channel, "Unary") == b"x"
    await server.stop(None)


async def test_a_request_that_is_not_grpc_gets_an_http_answer(behaviours: Behaviours, recorder: Recorder) -> None:
    get = [(b":method", b"GET"), (b":scheme", b"http"), (b":path", b"/"), (b":authority", b"localhost")]
    put = [(b":method", b"PUT"), *get[1:]]
    async with serving(behaviours, recorder) as (_, port):
        peer = await h2.Peer.connect(port)
        peer.send(h2.headers(1, get, h2.END_HEADERS | h2.END_STREAM))
        page = await peer.answer(1)
        assert (page.status, b"gRPC" in page.body) == (b"200", True)
        peer.send(h2.headers(3, put, h2.END_HEADERS | h2.END_STREAM))
        assert (await peer.answer(3)).status == b"405"
        peer.send(h2.headers(5, h2.request(content_type=b"text/plain"), h2.END_HEADERS), h2.data(5, b"hello"))
        refused = await peer.answer(5)
        assert (refused.status, refused.body) == (b"415", b"")
        assert await peer.is_served(7)
        await peer.close()


async def test_stop_drains_in_two_steps(behaviours: Behaviours, recorder: Recorder) -> None:
    """GOAWAY 2^31-1 first; the streams that come before the client knows are served; then the last id."""
    async with serving(behaviours, recorder) as (server, port):
        peer = await h2.Peer.connect(port)
        peer.send(h2.call(1, method="Hold"))
        await until(lambda: len(recorder.started) == 1)
        stopping = asyncio.ensure_future(server.stop(5))
        assert (await peer.until(h2.GOAWAY)).payload[:4] == h2.u32(2**31 - 1)
        ping = await peer.until(h2.PING)
        peer.send(h2.call(3, b"late", method="Hold"))
        peer.send(h2.frame(h2.PING, h2.ACK, 0, ping.payload))
        assert (await peer.until(h2.GOAWAY)).payload[:4] == h2.u32(3)
        peer.send(h2.call(5))
        assert (await peer.until(h2.RST_STREAM, stream_id=5)).error_code == h2.REFUSED_STREAM
        behaviours.go_on.set()
        answers = await peer.answers(1, 3)
        assert [answer.messages for answer in answers.values()] == [[b"ping"], [b"late"]]
        async with asyncio.timeout(2):
            await stopping
        await peer.close()


async def test_an_old_connection_is_ended_gracefully(behaviours: Behaviours, recorder: Recorder) -> None:
    async with serving(behaviours, recorder, max_connection_age_s=0.2) as (_, port):
        peer = await h2.Peer.connect(port)
        assert (await peer.until(h2.GOAWAY)).error_code == h2.NO_ERROR
        ping = await peer.until(h2.PING)
        peer.send(h2.frame(h2.PING, h2.ACK, 0, ping.payload))
        assert [frame.kind async for frame in peer.frames()] == [h2.GOAWAY]
        await peer.close()


async def test_calls_go_on_while_connections_age(behaviours: Behaviours, recorder: Recorder) -> None:
    """A client whose connections are replaced under it sees no failure."""
    async with serving(behaviours, recorder, max_connection_age_s=0.1) as (_, port), connect(port) as channel:
        async with asyncio.timeout(TIMEOUT_S):
            for _ in range(200):
                assert await unary(channel, "Unary", wait_for_ready=True) == b"x"
                await asyncio.sleep(0.003)


async def test_large_half_messages_are_completed_one_after_the_other(
    behaviours: Behaviours, recorder: Recorder
) -> None:
    """Twelve requests of 4 MiB at once are more than a connection's share; all are answered."""
    behaviours.go_on.set()
    request = bytes(4 << 20)
    options = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
    async with (
        serving(behaviours, recorder) as (_, port),
        grpc.aio.insecure_channel(f"127.0.0.1:{port}", options=options) as channel,
    ):
        answers = await asyncio.gather(*(unary(channel, "Hold", request) for _ in range(12)))
    assert all(answer == request for answer in answers)


async def test_answers_that_nobody_takes_stop_unary_calls_until_they_are_taken(
    behaviours: Behaviours, recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """CVE-2019-9517: with the window closed, a few answers are made, not one for each request."""
    monkeypatch.setattr(limits, "CONNECTION_QUEUE_BYTES", 1 << 20)
    behaviours.go_on.set()
    async with serving(behaviours, recorder) as (_, port):
        peer = await h2.Peer.connect(port, first=h2.settings((4, 0)))
        body = h2.message(bytes(16_000))
        ids = range(1, 181, 2)
        for stream_id in ids:
            peer.send(h2.headers(stream_id, h2.request("Hold")), h2.data(stream_id, body))
        await peer.verdict()
        assert 60 < len(recorder.codes) < 80
        peer.send(h2.settings((4, 1 << 20)), h2.frame(h2.WINDOW_UPDATE, payload=h2.u32(1 << 24)))
        answers = await peer.answers(*ids)
        assert all(answer.messages == [bytes(16_000)] for answer in answers.values())
        await peer.close()
