"""Every service of the wire contract and of our own extensions, as descriptors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from laura_fast.pb.laura.fast.v1 import admin_pb2, documents_pb2, membership_pb2, replica_set_pb2, shard_pb2
from laura_fast.pb.lauradb.cluster import cluster_pb2, replication_pb2, routing_pb2, transaction_pb2

if TYPE_CHECKING:
    from google.protobuf.descriptor import ServiceDescriptor

_SCHEMAS = (
    *(cluster_pb2, replication_pb2, routing_pb2, transaction_pb2),
    *(admin_pb2, documents_pb2, membership_pb2, replica_set_pb2, shard_pb2),
)

SERVICES: Final[dict[str, ServiceDescriptor]] = {
    service.full_name: service for schema in _SCHEMAS for service in schema.DESCRIPTOR.services_by_name.values()
}
"""By full name. A server registers all of them, whether it has their methods or not."""
