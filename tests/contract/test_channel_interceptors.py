"""grpc.aio's client interceptors see the same on both channels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import grpc
import pytest

from laura_fast.transport.native.channel import insecure_channel
from tests.contract.scripted_server import ScriptedServer, echo, message, scripted

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

OPENERS = [grpc.aio.insecure_channel, insecure_channel]


@pytest.fixture
async def server() -> AsyncIterator[ScriptedServer]:
    async with scripted(echo) as running:
        yield running


@pytest.fixture(params=OPENERS, ids=["grpcio-client", "native-client"])
def opener(request: pytest.FixtureRequest) -> Any:
    return request.param


class Marker:
    """Adds metadata to every call, and notes who was called in which order."""

    def __init__(self, name: str, seen: list[str]) -> None:
        self.name = name
        self.seen = seen

    async def intercept(self, continuation: Any, details: Any, request: Any) -> Any:
        self.seen.append(self.name)
        metadata = grpc.aio.Metadata(*(details.metadata or ()), (self.name, "here"))
        changed = grpc.aio.ClientCallDetails(
            details.method, details.timeout, metadata, details.credentials, details.wait_for_ready
        )
        return await continuation(changed, request)


def markers(name: str, seen: list[str]) -> list[Any]:
    """One for each kind: grpcio uses an interceptor of several kinds for the first of them only."""
    kinds = {
        "intercept_unary_unary": grpc.aio.UnaryUnaryClientInterceptor,
        "intercept_unary_stream": grpc.aio.UnaryStreamClientInterceptor,
        "intercept_stream_unary": grpc.aio.StreamUnaryClientInterceptor,
        "intercept_stream_stream": grpc.aio.StreamStreamClientInterceptor,
    }
    return [type("Kind", (Marker, kind), {hook: Marker.intercept})(name, seen) for hook, kind in kinds.items()]


async def test_all_kinds_pass_all_interceptors_in_order(opener: Any, server: ScriptedServer) -> None:
    seen: list[str] = []
    async with opener(server.address, interceptors=markers("a", seen) + markers("b", seen)) as channel:
        assert await channel.unary_unary("/t.T/M")(b"x", timeout=5) == b"x"
        assert [answer async for answer in channel.unary_stream("/t.T/M")(b"x", timeout=5)] == [b"x"]
        assert await channel.stream_unary("/t.T/M")(iter([b"x"]), timeout=5) == b"x"
        assert [answer async for answer in channel.stream_stream("/t.T/M")(iter([b"x"]), timeout=5)] == [b"x"]
    assert seen == ["a", "b"] * 4
    for headers in server.sessions[0].headers.values():
        assert (headers["a"], headers["b"]) == ("here", "here")


async def test_written_requests_pass_interceptors(opener: Any, server: ScriptedServer) -> None:
    async with opener(server.address, interceptors=markers("a", [])) as channel:
        call = channel.stream_stream("/t.T/M")(timeout=5)
        for body in (b"1", b"2"):
            await call.write(body)
        await call.done_writing()
        assert [await call.read(), await call.read(), await call.read()] == [b"1", b"2", grpc.aio.EOF]
        assert await call.code() is grpc.StatusCode.OK
    assert server.sessions[0].bodies[1] == message(b"1") + message(b"2")


async def test_an_interceptor_may_answer_itself(opener: Any, server: ScriptedServer) -> None:
    class Cache(grpc.aio.UnaryUnaryClientInterceptor):
        async def intercept_unary_unary(self, continuation: Any, client_call_details: Any, request: Any) -> Any:
            return b"cached"

    async with opener(server.address, interceptors=[Cache()]) as channel:
        call = channel.unary_unary("/t.T/M")(b"x", timeout=5)
        assert await call == b"cached"
        assert await call.code() is grpc.StatusCode.OK
    assert not server.requests


async def test_an_interceptor_may_call_twice(opener: Any, server: ScriptedServer) -> None:
    class Twice(grpc.aio.UnaryUnaryClientInterceptor):
        async def intercept_unary_unary(self, continuation: Any, client_call_details: Any, request: Any) -> Any:
            await (await continuation(client_call_details, request))
            return await continuation(client_call_details, request)

    async with opener(server.address, interceptors=[Twice()]) as channel:
        assert await channel.unary_unary("/t.T/M")(b"x", timeout=5) == b"x"
    assert server.requests == 2


async def test_a_call_can_be_cancelled_while_interceptors_run(opener: Any, server: ScriptedServer) -> None:
    async with opener(server.address, interceptors=markers("a", [])) as channel:
        call = channel.unary_unary("/t.T/M")(b"x", timeout=5)
        assert call.cancel()
        assert await call.code() is grpc.StatusCode.CANCELLED
        assert call.cancelled()
