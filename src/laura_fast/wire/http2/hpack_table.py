"""Header fields, their size, and the static table of HPACK (RFC 7541 §4.1, Appendix A)."""

from __future__ import annotations

from typing import Final

Field = tuple[bytes, bytes]
"""Name and value as they are on the wire."""

Fields = tuple[Field, ...]

FIELD_OVERHEAD_BYTES: Final = 32
"""What a field counts besides its name and value (RFC 7541 §4.1)."""

_WITH_VALUE: Final[tuple[Field, ...]] = (
    (b":authority", b""),
    (b":method", b"GET"),
    (b":method", b"POST"),
    (b":path", b"/"),
    (b":path", b"/index.html"),
    (b":scheme", b"http"),
    (b":scheme", b"https"),
    (b":status", b"200"),
    (b":status", b"204"),
    (b":status", b"206"),
    (b":status", b"304"),
    (b":status", b"400"),
    (b":status", b"404"),
    (b":status", b"500"),
    (b"accept-charset", b""),
    (b"accept-encoding", b"gzip, deflate"),
)
_NAME_ONLY: Final = (
    b"accept-language accept-ranges accept access-control-allow-origin age allow authorization cache-control "
    b"content-disposition content-encoding content-language content-length content-location content-range content-type "
    b"cookie date etag expect expires from host if-match if-modified-since if-none-match if-range if-unmodified-since "
    b"last-modified link location max-forwards proxy-authenticate proxy-authorization range referer refresh "
    b"retry-after server set-cookie strict-transport-security transfer-encoding user-agent vary via www-authenticate"
)

STATIC_TABLE: Final[Fields] = _WITH_VALUE + tuple((name, b"") for name in _NAME_ONLY.split())
"""Entry i has index i + 1."""

FIRST_DYNAMIC_INDEX: Final = len(STATIC_TABLE) + 1


def field_bytes(field: Field) -> int:
    """Size of a field as the table and the header list count it."""
    return len(field[0]) + len(field[1]) + FIELD_OVERHEAD_BYTES
