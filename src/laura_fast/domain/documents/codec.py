"""BSON at the edge: from bytes to a document and back, by pymongo's C codec and one set of options.

The C codec forgives more than a database may: of a field that comes twice it keeps the last, deprecated types become
others, a sub-document with `$ref` becomes a `DBRef`. So what a client sent is decoded strictly: encoding the result
again must give the same bytes. What this server has encoded itself is decoded without that proof (`decode_stored`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, TypeAlias

import bson
from bson.binary import UuidRepresentation
from bson.code import Code
from bson.codec_options import CodecOptions, DatetimeConversion
from bson.errors import BSONError
from bson.raw_bson import RawBSONDocument

from laura_fast.errors import InvalidArgumentError
from laura_fast.limits import documents as limits

Document: TypeAlias = dict[str, Any]
"""Values are None, bool, int (int32), Int64, float, Decimal128, str, bytes (subtype 0), Binary, ObjectId, DatetimeMS,
Timestamp, Regex, Code, MinKey, MaxKey, lists and documents."""

MALFORMED_BSON: Final = "MALFORMED_BSON"
DOCUMENT_TOO_LARGE: Final = "DOCUMENT_TOO_LARGE"

OPTIONS: Final[CodecOptions[Document]] = CodecOptions(
    datetime_conversion=DatetimeConversion.DATETIME_MS, uuid_representation=UuidRepresentation.UNSPECIFIED
)
_RAW_OPTIONS: Final[CodecOptions[Any]] = OPTIONS.with_options(document_class=RawBSONDocument)

_NESTING_BYTES: Final = (b"\x03", b"\x04")
"""Element types of documents and arrays: each level of nesting has at least one of these bytes."""

_DECODE_ERRORS: Final = (BSONError, ValueError, OverflowError, LookupError, RecursionError)
_ENCODE_ERRORS: Final = (BSONError, ValueError, OverflowError, TypeError, RecursionError)
"""What pymongo raises for other bytes and other values than it expects."""


def decode(data: bytes) -> Document:
    """The document that a client sent, proven to mean exactly these bytes.

    Raises:
        InvalidArgumentError: DOCUMENT_TOO_LARGE, or MALFORMED_BSON: not BSON, nested too deeply, or not what an encoder
            writes (a field twice, a deprecated type, array keys or regex options out of order).
    """
    if len(data) > limits.MAX_DOCUMENT_BYTES:
        raise _too_large(len(data))
    try:
        document = decode_stored(data)
    except _DECODE_ERRORS as error:
        raise _malformed(str(error)) from error
    _check_depth(data, document)
    if _encode(document) != data:
        raise _malformed("a field twice, a deprecated type, or array keys or regex options out of order")
    return document


def decode_stored(data: bytes) -> Document:
    """The document in bytes that `encode` made; on other bytes, anything may come out."""
    if b"$ref\0" in data:
        raw: Document = _plain(RawBSONDocument(data, _RAW_OPTIONS))
        return raw
    return bson.decode(data, OPTIONS)


def encode(document: Mapping[str, Any]) -> bytes:
    """The document as BSON, fields in their order (pymongo alone would put `_id` first).

    Raises:
        InvalidArgumentError: DOCUMENT_TOO_LARGE, or MALFORMED_BSON: nested too deeply, an integer beyond 64 bits, a
            zero byte in a field name, or another value that BSON has no form for.
    """
    data = _encode(document)
    if len(data) > limits.MAX_DOCUMENT_BYTES:
        raise _too_large(len(data))
    _check_depth(data, document)
    return data


def _encode(document: Mapping[str, Any]) -> bytes:
    """Wrapped into a field with an empty name, and unwrapped: only in inner documents pymongo leaves `_id` in place."""
    try:
        return bson.encode({"": document}, codec_options=OPTIONS)[6:-1]
    except _ENCODE_ERRORS as error:
        raise _malformed(str(error)) from error


def _plain(value: Any) -> Any:
    """Raw documents as dictionaries: unlike the C codec, without making a `DBRef` of what looks like one."""
    if isinstance(value, RawBSONDocument):
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    if isinstance(value, Code) and value.scope is not None:
        return Code(str(value), _plain(value.scope))
    return value


def _check_depth(data: bytes, document: Mapping[str, Any]) -> None:
    """Refuses what is nested too deeply; nearly every document passes on the count of two bytes alone."""
    if sum(map(data.count, _NESTING_BYTES)) < limits.MAX_DOCUMENT_DEPTH:
        return
    level: list[Any] = [document]
    for _ in range(limits.MAX_DOCUMENT_DEPTH):
        level = [inner for outer in level for inner in _children(outer) if isinstance(inner, Mapping | list)]
        if not level:
            return
    raise _malformed(f"nested deeper than {limits.MAX_DOCUMENT_DEPTH} levels")


def _children(value: Any) -> Any:
    return value.values() if isinstance(value, Mapping) else value


def _malformed(what: str) -> InvalidArgumentError:
    return InvalidArgumentError(f"malformed BSON: {what}", MALFORMED_BSON)


def _too_large(size: int) -> InvalidArgumentError:
    return InvalidArgumentError(
        f"a document of {size:,} bytes; at most {limits.MAX_DOCUMENT_BYTES:,} are allowed", DOCUMENT_TOO_LARGE
    )
