"""A client of gRPC's interoperability tests: `python -m laura_fast.testing.interop_client --port P --case NAME`.

Runs the published cases on the native channel against any implementation's interop server. A case that fails raises,
and the process ends with code 1.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click
import grpc
import uvloop

from laura_fast.pb.grpc.testing import empty_pb2, messages_pb2, test_pb2_grpc
from laura_fast.transport.native.channel import insecure_channel, secure_channel
from laura_fast.transport.tls_policy import client_context

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

REQUEST_SIZES: Final = (27_182, 8, 1_828, 45_904)
RESPONSE_SIZES: Final = (31_415, 9, 2_653, 58_979)
LARGE_REQUEST: Final = 271_828
LARGE_RESPONSE: Final = 314_159
SPECIAL_MESSAGE: Final = "\t\ntest with whitespace\r\nand Unicode BMP ☺ and non-BMP 😈\t\n"
_TIMEOUT_S: Final = 20.0
_METADATA: Final = (
    ("x-grpc-test-echo-initial", "test_initial_metadata_value"),
    ("x-grpc-test-echo-trailing-bin", b"\xab\xab\xab"),
)


class CaseFailedError(Exception):
    """The server, or the channel, did something else than the description of the case says."""


def expect(found: object, wanted: object) -> None:
    """Raises `CaseFailedError` unless both are equal."""
    if found != wanted:
        raise CaseFailedError(f"found {found!r}, wanted {wanted!r}")


def payload(size: int) -> messages_pb2.Payload:
    """As many zeros."""
    return messages_pb2.Payload(body=bytes(size))


def wants(*sizes: int, request: int = 0, compressed: tuple[bool, ...] = ()) -> messages_pb2.StreamingOutputCallRequest:
    """A request for answers of these sizes."""
    entries = [messages_pb2.ResponseParameters(size=size) for size in sizes]
    for entry, flag in zip(entries, compressed, strict=False):
        entry.compressed.value = flag
    return messages_pb2.StreamingOutputCallRequest(response_parameters=entries, payload=payload(request))


async def empty_unary(stub: Any) -> None:
    """Empty for empty."""
    expect(await stub.EmptyCall(empty_pb2.Empty(), timeout=_TIMEOUT_S), empty_pb2.Empty())


async def large_unary(stub: Any) -> None:
    """Messages beyond a window."""
    request = messages_pb2.SimpleRequest(response_size=LARGE_RESPONSE, payload=payload(LARGE_REQUEST))
    expect(len((await stub.UnaryCall(request, timeout=_TIMEOUT_S)).payload.body), LARGE_RESPONSE)


async def client_streaming(stub: Any) -> None:
    """Four requests, one sum."""
    requests = [messages_pb2.StreamingInputCallRequest(payload=payload(size)) for size in REQUEST_SIZES]
    answer = await stub.StreamingInputCall(iter(requests), timeout=_TIMEOUT_S)
    expect(answer.aggregated_payload_size, sum(REQUEST_SIZES))


async def server_streaming(stub: Any) -> None:
    """One request, four answers."""
    call = stub.StreamingOutputCall(wants(*RESPONSE_SIZES), timeout=_TIMEOUT_S)
    expect(tuple([len(answer.payload.body) async for answer in call]), RESPONSE_SIZES)


async def ping_pong(stub: Any) -> None:
    """Each answer arrives before the next request leaves."""
    call = stub.FullDuplexCall(timeout=_TIMEOUT_S)
    for request, response in zip(REQUEST_SIZES, RESPONSE_SIZES, strict=True):
        await call.write(wants(response, request=request))
        expect(len((await call.read()).payload.body), response)
    await call.done_writing()
    expect(await call.read(), grpc.aio.EOF)
    expect(await call.code(), grpc.StatusCode.OK)


async def empty_stream(stub: Any) -> None:
    """No message either way."""
    call = stub.FullDuplexCall(timeout=_TIMEOUT_S)
    await call.done_writing()
    expect(await call.read(), grpc.aio.EOF)
    expect(await call.code(), grpc.StatusCode.OK)


async def cancel_after_begin(stub: Any) -> None:
    """Cancelled before a message."""
    call = stub.StreamingInputCall(timeout=_TIMEOUT_S)
    call.cancel()
    expect(await call.code(), grpc.StatusCode.CANCELLED)


async def cancel_after_first_response(stub: Any) -> None:
    """Cancelled between two messages."""
    call = stub.FullDuplexCall(timeout=_TIMEOUT_S)
    await call.write(wants(RESPONSE_SIZES[0], request=REQUEST_SIZES[0]))
    expect(len((await call.read()).payload.body), RESPONSE_SIZES[0])
    call.cancel()
    expect(await call.code(), grpc.StatusCode.CANCELLED)


async def timeout_on_sleeping_server(stub: Any) -> None:
    """A deadline that the server can't keep: it waits for a request that never comes."""
    call = stub.FullDuplexCall(timeout=0.001)
    expect(await call.code(), grpc.StatusCode.DEADLINE_EXCEEDED)


async def custom_metadata(stub: Any) -> None:
    """Metadata comes back, first and last, of unary calls and streams."""
    unary = stub.UnaryCall(messages_pb2.SimpleRequest(response_size=1), metadata=_METADATA, timeout=_TIMEOUT_S)
    duplex = stub.FullDuplexCall(iter([wants(1)]), metadata=_METADATA, timeout=_TIMEOUT_S)
    await unary
    expect(len([answer async for answer in duplex]), 1)
    for call in (unary, duplex):
        expect(dict(await call.initial_metadata()).get(_METADATA[0][0]), _METADATA[0][1])
        expect(dict(await call.trailing_metadata()).get(_METADATA[1][0]), _METADATA[1][1])


async def status_code_and_message(stub: Any, text: str = "test status message") -> None:
    """A status with text, of a unary call and a stream."""
    status = messages_pb2.EchoStatus(code=grpc.StatusCode.UNKNOWN.value[0], message=text)
    unary = stub.UnaryCall(messages_pb2.SimpleRequest(response_status=status), timeout=_TIMEOUT_S)
    requests = iter([messages_pb2.StreamingOutputCallRequest(response_status=status)])
    for call in (unary, stub.FullDuplexCall(requests, timeout=_TIMEOUT_S)):
        expect((await call.code(), await call.details()), (grpc.StatusCode.UNKNOWN, text))


async def special_status_message(stub: Any) -> None:
    """A text that must be percent-encoded."""
    status = messages_pb2.EchoStatus(code=grpc.StatusCode.UNKNOWN.value[0], message=SPECIAL_MESSAGE)
    call = stub.UnaryCall(messages_pb2.SimpleRequest(response_status=status), timeout=_TIMEOUT_S)
    expect((await call.code(), await call.details()), (grpc.StatusCode.UNKNOWN, SPECIAL_MESSAGE))


async def unimplemented_method(stub: Any) -> None:
    """A method that the service does not have."""
    expect(await stub.UnimplementedCall(empty_pb2.Empty(), timeout=_TIMEOUT_S).code(), grpc.StatusCode.UNIMPLEMENTED)


async def unimplemented_service(channel: grpc.aio.Channel) -> None:
    """A service that the server does not have."""
    stub: Any = test_pb2_grpc.UnimplementedServiceStub(channel)
    await unimplemented_method(stub)


async def client_compressed_unary(stub: Any) -> None:
    """A probe that lies about its compression is refused; requests with and without it are understood."""
    request = messages_pb2.SimpleRequest(response_size=LARGE_RESPONSE, payload=payload(LARGE_REQUEST))
    request.expect_compressed.value = True
    expect(await stub.UnaryCall(request, timeout=_TIMEOUT_S).code(), grpc.StatusCode.INVALID_ARGUMENT)
    for compression in (grpc.Compression.Gzip, None):
        request.expect_compressed.value = compression is not None
        answer = await stub.UnaryCall(request, compression=compression, timeout=_TIMEOUT_S)
        expect(len(answer.payload.body), LARGE_RESPONSE)


async def server_compressed_unary(stub: Any) -> None:
    """Answers with and without compression."""
    for compressed in (True, False):
        wanted = messages_pb2.BoolValue(value=compressed)
        request = messages_pb2.SimpleRequest(
            response_size=LARGE_RESPONSE, response_compressed=wanted, payload=payload(LARGE_REQUEST)
        )
        expect(len((await stub.UnaryCall(request, timeout=_TIMEOUT_S)).payload.body), LARGE_RESPONSE)


async def client_compressed_streaming(stub: Any) -> None:
    """As the unary case, with a stream of requests."""
    request = messages_pb2.StreamingInputCallRequest(payload=payload(REQUEST_SIZES[0]))
    request.expect_compressed.value = True
    refused = stub.StreamingInputCall(iter([request]), timeout=_TIMEOUT_S)
    expect(await refused.code(), grpc.StatusCode.INVALID_ARGUMENT)
    requests = iter([request] * 2)
    answer = await stub.StreamingInputCall(requests, compression=grpc.Compression.Gzip, timeout=_TIMEOUT_S)
    expect(answer.aggregated_payload_size, 2 * REQUEST_SIZES[0])


async def server_compressed_streaming(stub: Any) -> None:
    """One answer compressed, one not."""
    call = stub.StreamingOutputCall(wants(31_415, 92_653, compressed=(True, False)), timeout=_TIMEOUT_S)
    expect([len(answer.payload.body) async for answer in call], [31_415, 92_653])


CASES: Final[dict[str, Callable[[Any], Awaitable[None]]]] = {
    case.__name__: case
    for case in (
        empty_unary,
        large_unary,
        client_streaming,
        server_streaming,
        ping_pong,
        empty_stream,
        cancel_after_begin,
        cancel_after_first_response,
        timeout_on_sleeping_server,
        custom_metadata,
        status_code_and_message,
        special_status_message,
        unimplemented_method,
        client_compressed_unary,
        server_compressed_unary,
        client_compressed_streaming,
        server_compressed_streaming,
    )
}
"""By the names of the published descriptions; `unimplemented_service` needs the channel and is apart."""


async def run_case(channel: grpc.aio.Channel, name: str) -> None:
    """Runs one case.

    Raises:
        CaseFailedError: It went otherwise than described.
        AioRpcError: A call failed that should not.
    """
    if name == unimplemented_service.__name__:
        await unimplemented_service(channel)
    else:
        await CASES[name](test_pb2_grpc.TestServiceStub(channel))


async def run_cases(address: str, names: tuple[str, ...], ca_file: Path | None, server_name: str) -> None:
    """Runs the cases on one channel, one after the other."""
    options = (("grpc.ssl_target_name_override", server_name),)
    if ca_file is None:
        channel = insecure_channel(address)
    else:
        channel = secure_channel(address, client_context(ca_file, None, None), options=options)
    async with channel:
        for name in names:
            await run_case(channel, name)
            click.echo(f"ok {name}")


@click.command()
@click.option("--host", default="127.0.0.1")
@click.option("--port", type=int, required=True)
@click.option(
    "--case", "names", multiple=True, type=click.Choice([*CASES, unimplemented_service.__name__]), help="Default: all."
)
@click.option("--tls-ca-file", type=click.Path(exists=True, path_type=Path), help="Turns TLS on.")
@click.option("--tls-server-name", default="", help="Name in the server's certificate, if not the host.")
def main(host: str, port: int, names: tuple[str, ...], tls_ca_file: Path | None, tls_server_name: str) -> None:
    """Runs gRPC's interoperability cases against a server."""
    chosen = names or (*CASES, unimplemented_service.__name__)
    uvloop.run(run_cases(f"{host}:{port}", chosen, tls_ca_file, tls_server_name))


if __name__ == "__main__":
    main()
