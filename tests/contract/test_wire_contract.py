"""The wire contract is fixed: every service, method, field name, number and type, against a table kept here.

The table is the contract; when this test fails, the schemas are wrong, not the table.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from google.protobuf.descriptor import FieldDescriptor

from laura_fast.pb.lauradb.cluster import cluster_pb2, common_pb2, replication_pb2, routing_pb2, transaction_pb2

if TYPE_CHECKING:
    from collections.abc import Iterator

    from google.protobuf.descriptor import Descriptor, FileDescriptor

GOLDEN = Path(__file__).parent / "golden" / "lauradb_cluster.txt"
FILES = [module.DESCRIPTOR for module in (common_pb2, cluster_pb2, replication_pb2, routing_pb2, transaction_pb2)]
SCALARS = {
    getattr(FieldDescriptor, name): name.removeprefix("TYPE_").lower()
    for name in dir(FieldDescriptor)
    if name.startswith("TYPE_")
}


def describe(file: FileDescriptor) -> Iterator[str]:
    """One line per enum value, field and method of a schema file."""
    for enum in file.enum_types_by_name.values():
        yield from (f"enum {enum.full_name}.{value.name} = {value.number}" for value in enum.values)
    for message in file.message_types_by_name.values():
        yield from _fields(message)
    for service in file.services_by_name.values():
        for method in service.methods:
            stream = "stream " if method.server_streaming else ""
            assert not method.client_streaming
            answer = stream + method.output_type.full_name
            yield f"method {method.full_name} ({method.input_type.full_name}) -> ({answer})"


def _fields(message: Descriptor) -> Iterator[str]:
    for field in message.fields:
        yield f"field {field.full_name} = {field.number} {_type(field)}"


def _type(field: FieldDescriptor) -> str:
    target = field.message_type or field.enum_type
    if field.message_type and field.message_type.GetOptions().map_entry:
        key, value = field.message_type.fields
        return f"map<{_type(key)}, {_type(value)}>"
    name = target.full_name if target else SCALARS[field.type]
    if field.is_repeated:
        return f"repeated {name}"
    explicit_optional = field.containing_oneof is not None and len(field.containing_oneof.fields) == 1
    return f"optional {name}" if explicit_optional else name


def test_schemas_equal_the_contract() -> None:
    assert sorted(line for file in FILES for line in describe(file)) == GOLDEN.read_text().splitlines()


def test_package_and_syntax() -> None:
    assert {file.package for file in FILES} == {"lauradb.cluster"}
