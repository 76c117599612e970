"""How a call's end is written: trailers, percent-encoded messages, and what other endings mean."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from laura_fast.errors import Code
from laura_fast.wire.http2.errors import ErrorCode

if TYPE_CHECKING:
    from collections.abc import Mapping

    from laura_fast.wire.http2.hpack_table import Field

_ESCAPED: Final = re.compile(rb"[^ -$&-~]")
_ESCAPE: Final = re.compile(rb"%([0-9A-Fa-f]{2})")

_CODE_BY_HTTP_STATUS: Final = {
    400: Code.INTERNAL,
    401: Code.UNAUTHENTICATED,
    403: Code.PERMISSION_DENIED,
    404: Code.UNIMPLEMENTED,
    429: Code.UNAVAILABLE,
    502: Code.UNAVAILABLE,
    503: Code.UNAVAILABLE,
    504: Code.UNAVAILABLE,
}
_CODE_BY_RESET: Final = {
    ErrorCode.REFUSED_STREAM: Code.UNAVAILABLE,
    ErrorCode.CANCEL: Code.CANCELLED,
    ErrorCode.ENHANCE_YOUR_CALM: Code.RESOURCE_EXHAUSTED,
    ErrorCode.INADEQUATE_SECURITY: Code.PERMISSION_DENIED,
}
_CODES: Final = {b"%d" % code: code for code in Code}


def encode_message(message: str) -> bytes:
    """Value of `grpc-message`: UTF-8, everything but printable ASCII percent-encoded, and the percent sign."""
    return _ESCAPED.sub(lambda match: b"%%%02X" % match[0][0], message.encode("utf-8", "replace"))


def decode_message(value: bytes) -> str:
    """Inverse of `encode_message`. Never fails: what is no escape or no UTF-8 is kept or replaced, as gRPC demands."""
    return _ESCAPE.sub(lambda match: bytes((int(match[1], 16),)), value).decode("utf-8", "replace")


def status_fields(code: int, message: str = "") -> list[Field]:
    """`grpc-status` and, where there is one, `grpc-message`."""
    fields = [(b"grpc-status", b"%d" % code)]
    if message:
        fields.append((b"grpc-message", encode_message(message)))
    return fields


def parse_status(trailers: Mapping[bytes, bytes]) -> tuple[Code, str]:
    """Code and message of a call's trailers; UNKNOWN where they have no status or none that gRPC defines."""
    value = trailers.get(b"grpc-status")
    message = decode_message(trailers.get(b"grpc-message", b""))
    if value is None:
        return Code.UNKNOWN, message or "trailers without grpc-status"
    return _CODES.get(value, Code.UNKNOWN), message


def code_for_http_status(status: int) -> Code:
    """What an answer that is not gRPC means (gRPC http-grpc-status-mapping.md)."""
    return _CODE_BY_HTTP_STATUS.get(status, Code.UNKNOWN)


def code_for_reset(error_code: int) -> Code:
    """What RST_STREAM means (gRPC over HTTP/2, "Errors")."""
    return next((code for reset, code in _CODE_BY_RESET.items() if reset == error_code), Code.INTERNAL)
