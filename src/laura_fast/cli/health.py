"""`health`: one question to one server, answered by the exit code. For probes of containers and service managers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from laura_fast.cli._connection import run, with_server
from laura_fast.client.channel import open_channel
from laura_fast.errors import ClientError, Code, RemoteError

if TYPE_CHECKING:
    from laura_fast.client import ClientTls


@click.command()
@with_server()
@click.option("--service", default="readiness", show_default=True, help="A service's full name, or liveness.")
def command(*, seeds: str, tls: ClientTls | None, timeout_s: float, service: str) -> None:
    """Ask a server whether it is healthy; exit code 0 means yes."""
    run(_check(seeds.partition(",")[0], tls, timeout_s, service))


async def _check(address: str, tls: ClientTls | None, timeout_s: float, service: str) -> None:
    async with open_channel(address, tls) as channel:
        try:
            request = health_pb2.HealthCheckRequest(service=service)
            answer = await health_pb2_grpc.HealthStub(channel).Check(request, timeout=timeout_s)
        except grpc.aio.AioRpcError as error:
            raise RemoteError(address, Code(error.code().value[0]), error.details() or "") from error
    name = health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status)
    click.echo(f"{service} {name}")
    if answer.status != health_pb2.HealthCheckResponse.SERVING:
        raise ClientError(f"{address}: {service} is {name}")
