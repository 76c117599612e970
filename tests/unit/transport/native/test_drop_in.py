"""A program written for `grpc.aio.server` finds its arguments obeyed."""

from __future__ import annotations

from typing import Any

import grpc

from laura_fast.transport.native import server


async def echo(request: bytes, _context: Any) -> bytes:
    return request


def handlers() -> list[grpc.GenericRpcHandler]:
    make: Any = grpc.unary_unary_rpc_method_handler
    return [grpc.method_handlers_generic_handler("t.T", {"Echo": make(echo)})]


async def call(running: Any, request: bytes) -> Any:
    port = running.add_insecure_port("127.0.0.1:0")
    await running.start()
    try:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            echoes: Any = channel.unary_unary("/t.T/Echo")
            made = echoes(request, timeout=10)
            return await made, dict(await made.initial_metadata())
    except grpc.aio.AioRpcError as error:
        return error.code()
    finally:
        await running.stop(None)


async def test_handlers_and_unlimited_messages() -> None:
    running = server(handlers=handlers(), options=[("grpc.max_receive_message_length", -1), ("grpc.unknown", 1)])
    answer, _ = await call(running, bytes(1 << 20))
    assert answer == bytes(1 << 20)


async def test_a_message_limit_is_kept() -> None:
    running = server(handlers=handlers(), options=[("grpc.max_receive_message_length", 100)])
    assert await call(running, bytes(101)) is grpc.StatusCode.RESOURCE_EXHAUSTED


async def test_answers_are_compressed_on_request() -> None:
    answer, metadata = await call(server(handlers=handlers(), compression=grpc.Compression.Gzip), bytes(10_000))
    assert (answer, metadata.get("grpc-encoding", "gzip")) == (bytes(10_000), "gzip")
