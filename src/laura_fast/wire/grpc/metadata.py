"""Metadata between Python values and header fields (gRPC over HTTP/2, "Custom-Metadata")."""

from __future__ import annotations

import binascii
import re
from typing import TYPE_CHECKING, Final

from laura_fast.errors import LauraError
from laura_fast.wire.grpc.framing import BrokenMessageError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from laura_fast.wire.http2.hpack_table import Field

Metadatum = tuple[str, str | bytes]
"""Key, and text; bytes where the key ends in `-bin`."""

_BINARY: Final = b"-bin"
_KEY: Final = re.compile(rb"[0-9a-z_.-]+").fullmatch
_TEXT: Final = re.compile(rb"[ -~]*").fullmatch

TRANSPORT_FIELDS: Final = frozenset(
    {
        b"content-type",
        b"grpc-accept-encoding",
        b"grpc-encoding",
        b"grpc-internal-encoding-request",
        b"grpc-message",
        b"grpc-message-type",
        b"grpc-status",
        b"grpc-timeout",
        b"te",
    }
)
"""Fields that the transport itself writes and reads; applications neither see nor set them."""

_CONNECTION_FIELDS: Final = frozenset(
    {b"connection", b"host", b"keep-alive", b"proxy-connection", b"transfer-encoding", b"upgrade"}
)
_FORBIDDEN: Final = TRANSPORT_FIELDS | _CONNECTION_FIELDS


class InvalidMetadataError(LauraError):
    """The application's metadata can't be sent: key or value against the specification."""


def decode_metadata(fields: Iterable[Field]) -> list[Metadatum]:
    """The application's part of checked regular fields. Binary values that a proxy joined are taken apart.

    Raises:
        BrokenMessageError: A `-bin` value that is not base64.
    """
    metadata: list[Metadatum] = []
    for name, value in fields:
        if name in TRANSPORT_FIELDS:
            continue
        key = name.decode("ascii")
        if name.endswith(_BINARY):
            metadata += [(key, decode_binary(part)) for part in value.split(b",")]
        else:
            metadata.append((key, _text(value)))
    return metadata


def encode_metadata(metadata: Iterable[tuple[str, str | bytes]]) -> list[Field]:
    """Fields of the application's metadata, in its order.

    Raises:
        InvalidMetadataError: A key or a value is not allowed.
    """
    return [_encode(key, value) for key, value in metadata]


def decode_binary(value: bytes) -> bytes:
    """Octets of one `-bin` value: base64 with or without padding, nothing else in it.

    Raises:
        BrokenMessageError: It is not base64.
    """
    try:
        return binascii.a2b_base64(value.rstrip(b"=") + b"=" * (-len(value.rstrip(b"=")) % 4), strict_mode=True)
    except binascii.Error:
        raise BrokenMessageError("malformed binary metadata", "MALFORMED_METADATA") from None


def encode_binary(value: bytes) -> bytes:
    """Base64 without padding, which the specification prefers."""
    return binascii.b2a_base64(value, newline=False).rstrip(b"=")


def _text(value: bytes) -> str:
    """ASCII by the specification; what a lenient peer sends beyond it reads as grpcio reads it."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")


def _encode(key: str, value: str | bytes) -> Field:
    name = key.encode("utf-8", "replace")
    if not _KEY(name) or name in _FORBIDDEN:
        raise InvalidMetadataError(f"metadata key {key!r} is not allowed")
    octets = value if isinstance(value, bytes) else value.encode("utf-8", "replace")
    if name.endswith(_BINARY):
        if not isinstance(value, bytes):
            raise InvalidMetadataError(f"metadata {key!r} needs bytes")
        return name, encode_binary(octets)
    if not _TEXT(octets) or octets != octets.strip():
        raise InvalidMetadataError(f"metadata {key!r} has a value that is not printable ASCII")
    return name, octets
