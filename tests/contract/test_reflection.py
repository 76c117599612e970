"""Reflection v1 and v1alpha list and describe the same services; switched off they are not there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import grpc
import msgspec
import pytest
from google.protobuf import descriptor_pb2
from grpc_reflection.v1alpha import reflection_pb2

from laura_fast.app import Server
from laura_fast.services.contract import SERVICES

if TYPE_CHECKING:
    from laura_fast.config import Config

VERSIONS = ("grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection")

Request = reflection_pb2.ServerReflectionRequest


async def _ask(channel: grpc.aio.Channel, version: str, **question: Any) -> Any:
    call = channel.stream_stream(
        f"/{version}/ServerReflectionInfo",
        request_serializer=Request.SerializeToString,
        response_deserializer=reflection_pb2.ServerReflectionResponse.FromString,
    )(iter([Request(**question)]))
    return await call.read()


@pytest.mark.parametrize("version", VERSIONS)
async def test_every_service_is_listed(channel: grpc.aio.Channel, version: str) -> None:
    answer = await _ask(channel, version, list_services="")
    listed = [service.name for service in answer.list_services_response.service]
    assert listed == sorted([*SERVICES, *VERSIONS, "grpc.health.v1.Health"])


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", [*SERVICES, *VERSIONS, "grpc.health.v1.Health"])
async def test_every_listed_service_is_described(channel: grpc.aio.Channel, version: str, name: str) -> None:
    answer = await _ask(channel, version, file_containing_symbol=name)
    files = map(descriptor_pb2.FileDescriptorProto.FromString, answer.file_descriptor_response.file_descriptor_proto)
    assert name in {f"{file.package}.{service.name}" for file in files for service in file.service}


@pytest.mark.parametrize("version", VERSIONS)
async def test_an_unknown_symbol_is_an_error_answer(channel: grpc.aio.Channel, version: str) -> None:
    answer = await _ask(channel, version, file_containing_symbol="no.such.Thing")
    assert answer.error_response.error_code == grpc.StatusCode.NOT_FOUND.value[0]


@pytest.mark.parametrize("version", VERSIONS)
async def test_it_can_be_switched_off(config: Config, version: str) -> None:
    server = Server(msgspec.structs.replace(config, reflection=False))
    await server.start()
    async with grpc.aio.insecure_channel(server.address) as channel:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await _ask(channel, version, list_services="")
    await server.stop(grace_s=0)
    assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED
