"""The server of gRPC's interoperability tests: `python -m laura_fast.testing.interop_server --port 0`.

Other implementations' interop clients run against it. One thing only the native transport can: tell whether a request
message came compressed, so that `expect_compressed` is checked there and ignored on grpcio, whose C-core does not say.
"""

from __future__ import annotations

import asyncio
import importlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import grpc
import uvloop

from laura_fast.observability.rpc import RpcStats
from laura_fast.pb.grpc.testing import empty_pb2, messages_pb2, test_pb2_grpc
from laura_fast.transport.settings import TlsFiles, TransportSettings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    Context = grpc.aio.ServicerContext[Any, Any]

_INITIAL = "x-grpc-test-echo-initial"
_TRAILING = "x-grpc-test-echo-trailing-bin"


class TestService(test_pb2_grpc.TestServiceServicer):
    """Answers as the published description of the tests demands."""

    async def EmptyCall(self, request: empty_pb2.Empty, context: Context) -> empty_pb2.Empty:  # noqa: N802, ARG002  # the method's name
        """Empty for empty."""
        return empty_pb2.Empty()

    async def UnaryCall(self, request: messages_pb2.SimpleRequest, context: Context) -> messages_pb2.SimpleResponse:  # noqa: N802  # the method's name
        """As many bytes as asked for, or the status asked for."""
        if request.response_compressed.value:
            context.set_compression(grpc.Compression.Gzip)
        await _echo_metadata(context, always=request.response_compressed.value)
        await _check_compression(request, context)
        await _echo_status(request, context)
        return messages_pb2.SimpleResponse(payload=_payload(request.response_size))

    async def CacheableUnaryCall(  # noqa: N802  # the method's name
        self, request: messages_pb2.SimpleRequest, context: Context
    ) -> messages_pb2.SimpleResponse:
        """Like UnaryCall."""
        return await self.UnaryCall(request, context)

    async def StreamingOutputCall(  # noqa: N802  # the method's name
        self, request: messages_pb2.StreamingOutputCallRequest, context: Context
    ) -> AsyncIterator[messages_pb2.StreamingOutputCallResponse]:
        """One answer for each entry of the request."""
        if any(entry.compressed.value for entry in request.response_parameters):
            context.set_compression(grpc.Compression.Gzip)
        async for answer in _answers(request, context):
            yield answer

    async def StreamingInputCall(  # noqa: N802  # the method's name
        self, request_iterator: AsyncIterator[messages_pb2.StreamingInputCallRequest], context: Context
    ) -> messages_pb2.StreamingInputCallResponse:
        """The size of everything that came."""
        size = 0
        async for request in request_iterator:
            await _check_compression(request, context)
            size += len(request.payload.body)
        return messages_pb2.StreamingInputCallResponse(aggregated_payload_size=size)

    async def FullDuplexCall(  # noqa: N802  # the method's name
        self, request_iterator: AsyncIterator[messages_pb2.StreamingOutputCallRequest], context: Context
    ) -> AsyncIterator[messages_pb2.StreamingOutputCallResponse]:
        """Answers each request as it comes."""
        await _echo_metadata(context)
        async for request in request_iterator:
            await _echo_status(request, context)
            async for answer in _answers(request, context):
                yield answer

    async def HalfDuplexCall(  # noqa: N802  # the method's name
        self, request_iterator: AsyncIterator[messages_pb2.StreamingOutputCallRequest], context: Context
    ) -> AsyncIterator[messages_pb2.StreamingOutputCallResponse]:
        """Answers all requests when the last has come."""
        for request in [request async for request in request_iterator]:
            async for answer in _answers(request, context):
                yield answer


def _payload(size: int) -> messages_pb2.Payload:
    return messages_pb2.Payload(type=messages_pb2.COMPRESSABLE, body=bytes(size))


async def _answers(
    request: messages_pb2.StreamingOutputCallRequest, context: Context
) -> AsyncIterator[messages_pb2.StreamingOutputCallResponse]:
    for entry in request.response_parameters:
        if entry.interval_us:
            await asyncio.sleep(entry.interval_us / 1e6)
        if not entry.compressed.value:
            context.disable_next_message_compression()
        yield messages_pb2.StreamingOutputCallResponse(payload=_payload(entry.size))


async def _echo_metadata(context: Context, *, always: bool = False) -> None:
    """With `always` also an empty block: grpcio forgets a unary method's compression if it sends the block itself."""
    metadata: dict[str, Any] = {str(key): value for key, value in context.invocation_metadata() or ()}
    initial = [(key, value) for key, value in metadata.items() if key == _INITIAL]
    if initial or always:
        await context.send_initial_metadata(initial)
    if _TRAILING in metadata:
        context.set_trailing_metadata(((_TRAILING, metadata[_TRAILING]),))


async def _echo_status(request: Any, context: Context) -> None:
    if request.HasField("response_status") and request.response_status.code:
        wanted = request.response_status
        code = next((code for code in grpc.StatusCode if code.value[0] == wanted.code), grpc.StatusCode.UNKNOWN)
        await context.abort(code, wanted.message)


async def _check_compression(request: Any, context: Context) -> None:
    came_compressed = getattr(context, "request_compressed", None)
    if came_compressed is None or not request.HasField("expect_compressed"):
        return
    if request.expect_compressed.value != came_compressed:
        await context.abort(grpc.StatusCode.INVALID_ARGUMENT, "the request's compression is not as announced")


async def serve(port: int, transport: str, tls: TlsFiles | None) -> None:
    """Serves on loopback until cancelled, and says on which port."""
    server = importlib.import_module(f"laura_fast.transport.{transport}").create_server(TransportSettings(), RpcStats())
    test_pb2_grpc.add_TestServiceServicer_to_server(TestService(), server)  # type: ignore[abstract]  # UnimplementedCall has a default
    address = f"127.0.0.1:{port}"
    bound = server.add_tls_port(address, tls) if tls else server.add_insecure_port(address)
    await server.start()
    click.echo(f"listening on 127.0.0.1:{bound}")
    await server.wait_for_termination()


@click.command()
@click.option("--port", default=0, help="0 for a free one, which is printed.")
@click.option("--transport", type=click.Choice(["grpcio", "native"]), default="native")
@click.option("--tls-cert-file", type=click.Path(exists=True, path_type=Path))
@click.option("--tls-key-file", type=click.Path(exists=True, path_type=Path))
def main(port: int, transport: str, tls_cert_file: Path | None, tls_key_file: Path | None) -> None:
    """Serves grpc.testing.TestService on 127.0.0.1."""
    if bool(tls_cert_file) != bool(tls_key_file):
        raise click.UsageError("--tls-cert-file and --tls-key-file go together")
    tls = TlsFiles(tls_cert_file, tls_key_file) if tls_cert_file and tls_key_file else None
    uvloop.run(serve(port, transport, tls))


if __name__ == "__main__":
    main()
