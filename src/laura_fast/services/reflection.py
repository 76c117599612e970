"""gRPC reflection, v1 and v1alpha: the same messages under two package names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from google.protobuf import descriptor_pb2, descriptor_pool, text_format
from grpc_reflection.v1alpha import reflection_pb2
from grpc_reflection.v1alpha.reflection import aio

from laura_fast.services.binding import bind

if TYPE_CHECKING:
    from collections.abc import Iterable

    import grpc
    from google.protobuf.descriptor import FileDescriptor, ServiceDescriptor

V1ALPHA: Final[ServiceDescriptor] = reflection_pb2.DESCRIPTOR.services_by_name["ServerReflection"]
_V1_FILE: Final = "grpc/reflection/v1/reflection.proto"


def _v1_file() -> FileDescriptor:
    """The v1 schema, for which grpcio-reflection has no generated code: v1alpha's with another package name.

    It goes into the default pool, where reflection itself looks when a tool asks for it.
    """
    pool = descriptor_pool.Default()
    try:
        return pool.FindFileByName(_V1_FILE)
    except KeyError:
        alpha = descriptor_pb2.FileDescriptorProto.FromString(reflection_pb2.DESCRIPTOR.serialized_pb)
        text = text_format.MessageToString(alpha).replace(alpha.package, "grpc.reflection.v1")
        schema = text_format.Parse(text, descriptor_pb2.FileDescriptorProto())
        schema.name = _V1_FILE
        pool.AddSerializedFile(schema.SerializeToString())
        return pool.FindFileByName(_V1_FILE)


V1: Final[ServiceDescriptor] = _v1_file().services_by_name["ServerReflection"]


def handlers(service_names: Iterable[str]) -> list[grpc.GenericRpcHandler]:
    """Handlers of both versions, listing `service_names`. On the wire v1's messages are v1alpha's."""
    servicer: Any = aio.ReflectionServicer(service_names)
    return [bind(V1ALPHA, servicer, name=service.full_name) for service in (V1ALPHA, V1)]
