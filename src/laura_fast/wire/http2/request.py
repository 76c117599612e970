"""What makes a request well-formed (RFC 9113 §8.2, §8.3).

A malformed request ends its stream, never the connection: every `ProtocolError` from here is for the caller to tie to
a stream.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from laura_fast.wire.http2.errors import MalformedFieldsError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from laura_fast.wire.http2.hpack_table import Field, Fields

_NAME: Final = re.compile(rb"[!#$%&'*+\-.^_`|~0-9a-z]+").fullmatch
"""A token without upper case (RFC 9113 §8.2.1)."""

_BAD_VALUE: Final = re.compile(rb"[\x00\r\n]|\A[ \t]|[ \t]\Z").search
_CONNECTION_FIELDS: Final = frozenset(
    {b"connection", b"keep-alive", b"proxy-connection", b"transfer-encoding", b"upgrade"}
)
_PSEUDO_FIELDS: Final = frozenset({b":method", b":scheme", b":authority", b":path"})


class RequestHead(NamedTuple):
    """The control data and the regular fields of a well-formed request."""

    method: bytes
    path: bytes
    authority: bytes
    fields: Fields
    content_length: int | None


def request_head(fields: Fields) -> RequestHead:
    """Checks a request's fields.

    Raises:
        MalformedFieldsError: RFC 9113 §8.2 or §8.3 is broken.
    """
    regular_at = sum(1 for name, _ in fields if name.startswith(b":"))
    pseudo, regular = dict(fields[:regular_at]), fields[regular_at:]
    if len(pseudo) != regular_at or not pseudo.keys() <= _PSEUDO_FIELDS:
        raise MalformedFieldsError("pseudo-header field unknown, repeated, or after a regular field")
    method, path = pseudo.get(b":method", b""), pseudo.get(b":path", b"")
    if method == b"CONNECT":
        # RFC 9113 §8.5: CONNECT names an authority and nothing else.
        _require(b":authority" in pseudo and regular_at == 2, "CONNECT with a path or without an authority")  # noqa: PLR2004  # the method and it
    else:
        _require(bool(method and pseudo.get(b":scheme")), "no :method or no :scheme")
        _require(path.startswith(b"/") or (path == b"*" and method == b"OPTIONS"), "no absolute :path")
    for value in pseudo.values():
        _require(not _BAD_VALUE(value), "control character in a pseudo-header field")
    content_length = check_fields(regular)
    authority = pseudo.get(b":authority", b"")
    for name, value in regular:
        _require(name != b"host" or not authority or value == authority, "host differs from :authority")
    return RequestHead(method, path, authority, regular, content_length)


def check_fields(fields: Iterable[Field]) -> int | None:
    """Checks regular fields, of a header or a trailer block, and returns the content length they state.

    Raises:
        MalformedFieldsError: A name or value is not allowed, or belongs to HTTP/1.1 connections (RFC 9113 §8.2.2).
    """
    content_length = None
    for name, value in fields:
        _require(bool(_NAME(name)), "field name empty, in upper case, or no token")
        _require(not _BAD_VALUE(value), "field value with a control character or outer space")
        _require(name not in _CONNECTION_FIELDS, "connection-specific field")
        if name == b"te":
            _require(value == b"trailers", "te other than trailers")
        elif name == b"content-length":
            _require(value.isdigit() and len(value) < 16, "content-length is no number")  # noqa: PLR2004  # 10^15 bytes
            _require(content_length in (None, int(value)), "content-length stated twice")
            content_length = int(value)
    return content_length


def _require(holds: bool, message: str) -> None:
    if not holds:
        raise MalformedFieldsError(message)
