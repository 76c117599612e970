"""What the native channel makes of odd answers, from a server that is not ours (gRPC over HTTP/2, statuscodes.md)."""

from __future__ import annotations

import asyncio
import gzip
from typing import Any

import grpc
import pytest

from tests.contract.scripted_server import OK_HEAD, OK_TRAILERS, Session, message, open_channel, scripted

GRPC = ("content-type", "application/grpc")
Code = grpc.StatusCode


def http(status: int) -> list[tuple[str, str]]:
    return [(":status", str(status))]


UNARY = {
    "http 400": (http(400), b"", None, Code.INTERNAL),
    "http 401": (http(401), b"", None, Code.UNAUTHENTICATED),
    "http 403": (http(403), b"", None, Code.PERMISSION_DENIED),
    "http 404": (http(404), b"", None, Code.UNIMPLEMENTED),
    "http 418": (http(418), b"", None, Code.UNKNOWN),
    "http 429": (http(429), b"", None, Code.UNAVAILABLE),
    "http 503 with a page": ([*http(503), ("content-type", "text/html")], b"<html>", None, Code.UNAVAILABLE),
    "http 800": (http(800), b"", None, Code.UNKNOWN),
    "http 404, but gRPC": ([*http(404), GRPC, ("grpc-status", "5")], b"", None, Code.NOT_FOUND),
    "content-type image": ([(":status", "200"), ("content-type", "image/jpeg")], b"", None, Code.UNKNOWN),
    "content-type of another codec": (
        [(":status", "200"), ("content-type", "application/grpc+json")],
        message(b"{}"),
        OK_TRAILERS,
        Code.INTERNAL,
    ),
    "content-type with parameters": (
        [(":status", "200"), ("content-type", "application/grpc+proto; charset=x")],
        message(b"x"),
        OK_TRAILERS,
        Code.OK,
    ),
    "trailers without status": (OK_HEAD, b"", [("grpc-message", "error")], Code.UNKNOWN),
    "status that is none": (OK_HEAD, message(b"x"), [("grpc-status", "zero")], Code.UNKNOWN),
    "status nobody knows": (OK_HEAD, message(b"x"), [("grpc-status", "77")], Code.UNKNOWN),
    "no trailers": (OK_HEAD, message(b"x"), None, Code.INTERNAL),
    "status before a body does not count": ([*OK_HEAD, ("grpc-status", "9")], message(b"x"), None, Code.INTERNAL),
    "the last status counts": ([*OK_HEAD, ("grpc-status", "8")], b"", [("grpc-status", "9")], Code.FAILED_PRECONDITION),
    "trailers only": ([*OK_HEAD, ("grpc-status", "9")], b"", None, Code.FAILED_PRECONDITION),
    "trailers only, OK": ([*OK_HEAD, ("grpc-status", "0")], b"", None, Code.UNIMPLEMENTED),
    "no message": (OK_HEAD, b"", OK_TRAILERS, Code.UNIMPLEMENTED),
    "two messages": (OK_HEAD, message(b"x") + message(b"y"), OK_TRAILERS, Code.UNIMPLEMENTED),
    "cut in a message": (OK_HEAD, message(b"x", length=9), OK_TRAILERS, Code.INTERNAL),
    "cut in a prefix": (OK_HEAD, b"\0\0", OK_TRAILERS, Code.INTERNAL),
    "unknown flags": (OK_HEAD, message(b"x", flags=2), OK_TRAILERS, Code.INTERNAL),
    "compressed without an encoding": (OK_HEAD, message(b"x", flags=1), OK_TRAILERS, Code.INTERNAL),
    "compressed with identity": (
        [*OK_HEAD, ("grpc-encoding", "identity")],
        message(b"x", flags=1),
        OK_TRAILERS,
        Code.INTERNAL,
    ),
    "compressed with an encoding nobody knows": (
        [*OK_HEAD, ("grpc-encoding", "foo")],
        message(b"x", flags=1),
        OK_TRAILERS,
        Code.INTERNAL,
    ),
    "an unknown encoding that is not used": ([*OK_HEAD, ("grpc-encoding", "foo")], message(b"x"), OK_TRAILERS, Code.OK),
    "gzip announced and not used": ([*OK_HEAD, ("grpc-encoding", "gzip")], message(b"x"), OK_TRAILERS, Code.OK),
    "gzip": ([*OK_HEAD, ("grpc-encoding", "gzip")], message(gzip.compress(b"x"), flags=1), OK_TRAILERS, Code.OK),
    "damaged gzip": ([*OK_HEAD, ("grpc-encoding", "gzip")], message(b"x", flags=1), OK_TRAILERS, Code.INTERNAL),
    "too large": (OK_HEAD, message(b"x", length=5_000_000), OK_TRAILERS, Code.RESOURCE_EXHAUSTED),
    "binary metadata that is not base64": ([*OK_HEAD, ("x-bin", "!")], message(b"x"), OK_TRAILERS, Code.INTERNAL),
}


async def outcome(script: Any, **options: Any) -> tuple[Any, Any]:
    """The call and its code."""
    async with scripted(script) as server, open_channel(server) as channel:
        call = channel.unary_unary("/t.T/Echo")(b"x", timeout=5, **options)
        return call, await call.code()


@pytest.mark.parametrize("case", UNARY)
async def test_unary_answer(case: str) -> None:
    head, body, trailers, expected = UNARY[case]
    call, code = await outcome(lambda session, stream_id: session.answer(stream_id, head, body, trailers))
    assert code is expected
    if code is Code.OK:
        assert await call == b"x"
    else:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await call
        assert caught.value.code() is expected


RESETS = {
    0: Code.INTERNAL,
    1: Code.INTERNAL,
    2: Code.INTERNAL,
    3: Code.INTERNAL,
    8: Code.CANCELLED,
    11: Code.RESOURCE_EXHAUSTED,
    12: Code.PERMISSION_DENIED,
    99: Code.INTERNAL,
}


@pytest.mark.parametrize("error_code", RESETS)
async def test_reset(error_code: int) -> None:
    def reset(session: Session, stream_id: int) -> None:
        session.h2.reset_stream(stream_id, error_code)

    assert (await outcome(reset))[1] is RESETS[error_code]


async def test_answers_before_a_broken_one_are_delivered() -> None:
    def script(session: Session, stream_id: int) -> None:
        session.answer(stream_id, OK_HEAD, message(b"1") + message(b"2") + message(b"3", length=9), OK_TRAILERS)

    async with scripted(script) as server, open_channel(server) as channel:
        call = channel.unary_stream("/t.T/Many")(b"x", timeout=5)
        assert [await call.read(), await call.read()] == [b"1", b"2"]
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await call.read()
        assert caught.value.code() is Code.INTERNAL
        assert await call.code() is Code.INTERNAL


async def test_metadata_keeps_order_and_repetitions_and_joined_binary_values() -> None:
    head = [*OK_HEAD, ("a", "1"), ("b", "2"), ("a", "3")]
    trailers = [("x-bin", "AAE,AgM="), ("grpc-status", "3"), ("grpc-message", " caf%C3%A9 % "), ("x", "y")]
    call, code = await outcome(lambda session, stream_id: session.answer(stream_id, head, b"", trailers))
    assert code is Code.INVALID_ARGUMENT
    assert await call.details() == " café % ", "spaces around it too, which HTTP/2 alone would refuse"
    assert (await call.initial_metadata()).get_all("a") == ["1", "3"]
    assert (await call.trailing_metadata()).get_all("x-bin") == [b"\0\1", b"\2\3"]


async def test_interim_answers_are_passed_over() -> None:
    def script(session: Session, stream_id: int) -> None:
        session.h2.send_headers(stream_id, [(":status", "103"), ("link", "x")])
        session.answer(stream_id, OK_HEAD, message(b"x"), OK_TRAILERS)

    assert (await outcome(script))[1] is Code.OK


async def test_a_request_looks_as_the_specification_demands() -> None:
    seen: dict[str, str] = {}

    def script(session: Session, stream_id: int) -> None:
        seen.update(session.headers[stream_id])
        assert session.bodies[stream_id] == message(b"x")
        session.answer(stream_id, OK_HEAD, message(b"x"), OK_TRAILERS)

    async with scripted(script) as server, open_channel(server) as channel:
        await channel.channel_ready()
        await channel.unary_unary("/t.T/Echo")(b"x", timeout=5, metadata=(("k", "v"), ("b-bin", b"\xff")))
    assert seen.pop("user-agent").startswith("grpc-python-")
    assert seen.pop(":authority").startswith("127.0.0.1:")
    assert seen == {
        ":method": "POST",
        ":scheme": "http",
        ":path": "/t.T/Echo",
        "te": "trailers",
        "content-type": "application/grpc",
        "grpc-accept-encoding": "identity,deflate,gzip",
        "grpc-timeout": "5000000u",
        "k": "v",
        "b-bin": "/w",
    }


async def test_the_timeout_sent_is_what_is_left() -> None:
    """A call that waited for its connection does not promise the server more time than the caller has."""
    seen: list[str] = []

    def script(session: Session, stream_id: int) -> None:
        seen.append(session.headers[stream_id]["grpc-timeout"])
        session.answer(stream_id, OK_HEAD, message(b"x"), OK_TRAILERS)

    async with scripted(script) as server, open_channel(server) as channel:
        server.silent = True
        call = channel.unary_unary("/t.T/Echo")(b"x", timeout=0.9)
        while not server.sessions:  # noqa: ASYNC110  # plain state of the server
            await asyncio.sleep(0.005)
        server.sessions[0].speak()
        await call
    assert 0 < int(seen[0].removesuffix("u")) < 900_000
