"""gRPC's published interoperability cases: both asyncio channels and grpcio's synchronous one, both transports."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

import grpc
import pytest

from laura_fast.pb.grpc.testing import empty_pb2, messages_pb2, test_pb2_grpc
from laura_fast.testing.interop_client import CASES, run_case
from laura_fast.testing.interop_server import TestService as InteropService
from laura_fast.transport.native.channel import insecure_channel
from laura_fast.transport.settings import TransportSettings
from tests.contract.transport_kit import FACTORIES, Recorder

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

LARGE_REQUEST, LARGE_RESPONSE = 271_828, 314_159
REQUEST_SIZES = (27_182, 8, 1_828, 45_904)
RESPONSE_SIZES = (31_415, 9, 2_653, 58_979)
SPECIAL = "\t\ntest with whitespace\r\nand Unicode BMP ☺ and non-BMP 😈\t\n"
TIMEOUT_S = 10.0


@pytest.fixture
async def address(transport_name: str) -> AsyncIterator[str]:
    server = FACTORIES[transport_name](TransportSettings(), Recorder())
    test_pb2_grpc.add_TestServiceServicer_to_server(InteropService(), server)  # type: ignore[abstract]  # has a default
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    yield f"127.0.0.1:{port}"
    await server.stop(None)


@pytest.fixture(params=[grpc.aio.insecure_channel, insecure_channel], ids=["grpcio-client", "native-client"])
async def channel(address: str, request: pytest.FixtureRequest) -> AsyncIterator[grpc.aio.Channel]:
    async with request.param(address) as open_channel:
        yield open_channel


@pytest.fixture
def stub(channel: grpc.aio.Channel) -> Any:
    return test_pb2_grpc.TestServiceStub(channel)


def body(size: int) -> messages_pb2.Payload:
    return messages_pb2.Payload(body=bytes(size))


def wants(*sizes: int, payload: int = 0, interval_us: int = 0) -> messages_pb2.StreamingOutputCallRequest:
    entries = [messages_pb2.ResponseParameters(size=size, interval_us=interval_us) for size in sizes]
    return messages_pb2.StreamingOutputCallRequest(response_parameters=entries, payload=body(payload))


async def code_of(call: Any) -> tuple[grpc.StatusCode, str]:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    return caught.value.code(), caught.value.details() or ""


# --- asyncio client ---------------------------------------------------------------------------------------------------


async def test_empty_unary(stub: Any) -> None:
    assert await stub.EmptyCall(empty_pb2.Empty(), timeout=TIMEOUT_S) == empty_pb2.Empty()


async def test_large_unary(stub: Any) -> None:
    request = messages_pb2.SimpleRequest(response_size=LARGE_RESPONSE, payload=body(LARGE_REQUEST))
    answer = await stub.UnaryCall(request, timeout=TIMEOUT_S)
    assert answer.payload.body == bytes(LARGE_RESPONSE)


async def test_client_streaming(stub: Any) -> None:
    requests = [messages_pb2.StreamingInputCallRequest(payload=body(size)) for size in REQUEST_SIZES]
    answer = await stub.StreamingInputCall(iter(requests), timeout=TIMEOUT_S)
    assert answer.aggregated_payload_size == 74_922


async def test_server_streaming(stub: Any) -> None:
    call = stub.StreamingOutputCall(wants(*RESPONSE_SIZES), timeout=TIMEOUT_S)
    assert [len(answer.payload.body) async for answer in call] == list(RESPONSE_SIZES)


async def test_ping_pong(stub: Any) -> None:
    """Each answer arrives before the next request leaves."""
    call = stub.FullDuplexCall(timeout=TIMEOUT_S)
    for request_size, response_size in zip(REQUEST_SIZES, RESPONSE_SIZES, strict=True):
        await call.write(wants(response_size, payload=request_size))
        assert len((await call.read()).payload.body) == response_size
    await call.done_writing()
    assert await call.read() is grpc.aio.EOF
    assert await call.code() is grpc.StatusCode.OK


async def test_half_duplex(stub: Any) -> None:
    requests = [wants(size) for size in RESPONSE_SIZES]
    answers = stub.HalfDuplexCall(iter(requests), timeout=TIMEOUT_S)
    assert [len(answer.payload.body) async for answer in answers] == list(RESPONSE_SIZES)


async def test_empty_stream(stub: Any) -> None:
    call = stub.FullDuplexCall(timeout=TIMEOUT_S)
    await call.done_writing()
    assert await call.read() is grpc.aio.EOF
    assert await call.code() is grpc.StatusCode.OK


async def test_cancel_after_begin(stub: Any) -> None:
    call = stub.StreamingInputCall(timeout=TIMEOUT_S)
    call.cancel()
    assert await call.code() is grpc.StatusCode.CANCELLED


async def test_cancel_after_first_response(stub: Any) -> None:
    call = stub.FullDuplexCall(timeout=TIMEOUT_S)
    await call.write(wants(31_415, payload=27_182))
    assert len((await call.read()).payload.body) == 31_415
    call.cancel()
    assert await call.code() is grpc.StatusCode.CANCELLED


async def test_timeout_on_sleeping_server(stub: Any) -> None:
    call = stub.StreamingOutputCall(wants(9, interval_us=1_000_000), timeout=0.05)
    assert await call.code() is grpc.StatusCode.DEADLINE_EXCEEDED


async def test_custom_metadata(stub: Any) -> None:
    sent = (
        ("x-grpc-test-echo-initial", "test_initial_metadata_value"),
        ("x-grpc-test-echo-trailing-bin", b"\xab\xab\xab"),
    )
    unary = stub.UnaryCall(messages_pb2.SimpleRequest(response_size=1), metadata=sent, timeout=TIMEOUT_S)
    duplex = stub.FullDuplexCall(iter([wants(1)]), metadata=sent, timeout=TIMEOUT_S)
    await unary
    assert len([answer async for answer in duplex]) == 1
    for call in (unary, duplex):
        assert dict(await call.initial_metadata())[sent[0][0]] == sent[0][1]
        assert dict(await call.trailing_metadata())[sent[1][0]] == sent[1][1]


@pytest.mark.parametrize("message", ["test status message", SPECIAL], ids=["plain", "special"])
async def test_status_code_and_message(stub: Any, message: str) -> None:
    status = messages_pb2.EchoStatus(code=2, message=message)
    unary = stub.UnaryCall(messages_pb2.SimpleRequest(response_status=status), timeout=TIMEOUT_S)
    assert await code_of(unary) == (grpc.StatusCode.UNKNOWN, message)
    duplex = stub.FullDuplexCall(
        iter([messages_pb2.StreamingOutputCallRequest(response_status=status)]), timeout=TIMEOUT_S
    )
    assert await code_of(duplex.read()) == (grpc.StatusCode.UNKNOWN, message)


async def test_unimplemented_method(stub: Any) -> None:
    call = stub.UnimplementedCall(empty_pb2.Empty(), timeout=TIMEOUT_S)
    assert (await code_of(call))[0] is grpc.StatusCode.UNIMPLEMENTED


async def test_unimplemented_service(channel: grpc.aio.Channel) -> None:
    stub = test_pb2_grpc.UnimplementedServiceStub(channel)
    call = stub.UnimplementedCall(empty_pb2.Empty(), timeout=TIMEOUT_S)
    assert (await code_of(call))[0] is grpc.StatusCode.UNIMPLEMENTED


@pytest.mark.parametrize("compressed", [True, False])
async def test_server_compressed_unary(stub: Any, compressed: bool) -> None:
    wanted = messages_pb2.BoolValue(value=compressed)
    request = messages_pb2.SimpleRequest(response_size=LARGE_RESPONSE, response_compressed=wanted)
    assert (await stub.UnaryCall(request, timeout=TIMEOUT_S)).payload.body == bytes(LARGE_RESPONSE)


async def test_server_compressed_streaming(stub: Any) -> None:
    request = wants(31_415, 92_653)
    request.response_parameters[0].compressed.value = True
    call = stub.StreamingOutputCall(request, timeout=TIMEOUT_S)
    assert [len(answer.payload.body) async for answer in call] == [31_415, 92_653]


async def test_client_compressed_unary(stub: Any, transport_name: str) -> None:
    """With the probe: a message announced as compressed that is not is refused, where the transport can tell."""
    request = messages_pb2.SimpleRequest(response_size=LARGE_RESPONSE, payload=body(LARGE_REQUEST))
    request.expect_compressed.value = True
    if transport_name == "native":
        assert (await code_of(stub.UnaryCall(request, timeout=TIMEOUT_S)))[0] is grpc.StatusCode.INVALID_ARGUMENT
    for compression, expected in ((grpc.Compression.Gzip, True), (grpc.Compression.Deflate, True), (None, False)):
        request.expect_compressed.value = expected
        answer = await stub.UnaryCall(request, compression=compression, timeout=TIMEOUT_S)
        assert len(answer.payload.body) == LARGE_RESPONSE


async def test_client_compressed_streaming(stub: Any, transport_name: str) -> None:
    request = messages_pb2.StreamingInputCallRequest(payload=body(27_182))
    request.expect_compressed.value = True
    if transport_name == "native":
        refused = stub.StreamingInputCall(iter([request]), timeout=TIMEOUT_S)
        assert (await code_of(refused))[0] is grpc.StatusCode.INVALID_ARGUMENT
    call = stub.StreamingInputCall(iter([request] * 3), compression=grpc.Compression.Gzip, timeout=TIMEOUT_S)
    assert (await call).aggregated_payload_size == 3 * 27_182


# --- the interop client ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", [*CASES, "unimplemented_service"])
async def test_interop_client(address: str, transport_name: str, case: str) -> None:
    if transport_name == "grpcio" and case.startswith("client_compressed"):
        pytest.skip("C-core does not tell handlers whether a request came compressed")
    async with insecure_channel(address) as channel:
        await run_case(channel, case)


# --- synchronous client -----------------------------------------------------------------------------------------------


def sync_unary(stub: Any) -> None:
    request = messages_pb2.SimpleRequest(response_size=LARGE_RESPONSE, payload=body(LARGE_REQUEST))
    assert stub.EmptyCall(empty_pb2.Empty(), timeout=TIMEOUT_S) == empty_pb2.Empty()
    assert len(stub.UnaryCall(request, timeout=TIMEOUT_S).payload.body) == LARGE_RESPONSE


def sync_streams(stub: Any) -> None:
    requests = (messages_pb2.StreamingInputCallRequest(payload=body(size)) for size in REQUEST_SIZES)
    assert stub.StreamingInputCall(requests, timeout=TIMEOUT_S).aggregated_payload_size == 74_922
    answers = stub.StreamingOutputCall(wants(*RESPONSE_SIZES), timeout=TIMEOUT_S)
    assert [len(answer.payload.body) for answer in answers] == list(RESPONSE_SIZES)
    duplex = stub.FullDuplexCall((wants(size) for size in RESPONSE_SIZES), timeout=TIMEOUT_S)
    assert [len(answer.payload.body) for answer in duplex] == list(RESPONSE_SIZES)


def sync_cancel_and_timeout(stub: Any) -> None:
    call = stub.FullDuplexCall(never(), timeout=TIMEOUT_S)
    call.cancel()
    assert call.code() is grpc.StatusCode.CANCELLED
    with pytest.raises(grpc.RpcError) as caught:
        next(stub.StreamingOutputCall(wants(9, interval_us=1_000_000), timeout=0.05))
    assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED


def sync_status(stub: Any) -> None:
    request = messages_pb2.SimpleRequest(response_status=messages_pb2.EchoStatus(code=2, message=SPECIAL))
    with pytest.raises(grpc.RpcError) as caught:
        stub.UnaryCall(request, timeout=TIMEOUT_S)
    assert (caught.value.code(), caught.value.details()) == (grpc.StatusCode.UNKNOWN, SPECIAL)


def never() -> Iterator[messages_pb2.StreamingOutputCallRequest]:
    time.sleep(0.05)
    yield wants(1)


@pytest.mark.parametrize("case", [sync_unary, sync_streams, sync_cancel_and_timeout, sync_status])
async def test_synchronous_client(address: str, case: Callable[[Any], None]) -> None:
    def run() -> None:
        with grpc.insecure_channel(address) as channel:
            case(test_pb2_grpc.TestServiceStub(channel))

    await asyncio.to_thread(run)
