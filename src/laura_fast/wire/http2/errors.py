"""The error codes of HTTP/2 and what header blocks can do wrong."""

from __future__ import annotations

from enum import IntEnum

from laura_fast.errors import ProtocolError


class ErrorCode(IntEnum):
    """Reasons for RST_STREAM and GOAWAY (RFC 9113 §7)."""

    NO_ERROR = 0x0
    PROTOCOL_ERROR = 0x1
    INTERNAL_ERROR = 0x2
    FLOW_CONTROL_ERROR = 0x3
    SETTINGS_TIMEOUT = 0x4
    STREAM_CLOSED = 0x5
    FRAME_SIZE_ERROR = 0x6
    REFUSED_STREAM = 0x7
    CANCEL = 0x8
    COMPRESSION_ERROR = 0x9
    CONNECT_ERROR = 0xA
    ENHANCE_YOUR_CALM = 0xB
    INADEQUATE_SECURITY = 0xC
    HTTP_1_1_REQUIRED = 0xD


class CompressionError(ProtocolError):
    """A header block that can't be decoded: both tables are out of step, so the connection ends (RFC 9113 §4.3)."""

    def __init__(self, message: str) -> None:
        super().__init__(message, ErrorCode.COMPRESSION_ERROR)


class HeaderBombError(ProtocolError):
    """A header list far beyond its limits: the connection ends."""

    def __init__(self, message: str) -> None:
        super().__init__(message, ErrorCode.ENHANCE_YOUR_CALM)


class RefusedFieldsError(ProtocolError):
    """Fields that one stream must not have. The decoder's table is in step, so only that stream ends.

    The decoder does not know the stream: its caller answers for it.
    """


class HeaderListTooLargeError(RefusedFieldsError):
    """More fields, or larger ones, than SETTINGS_MAX_HEADER_LIST_SIZE allows (RFC 9113 §10.5.1)."""

    def __init__(self, message: str) -> None:
        super().__init__(message, ErrorCode.ENHANCE_YOUR_CALM)


class MalformedFieldsError(RefusedFieldsError):
    """Fields that make a message malformed (RFC 9113 §8.1.1)."""

    def __init__(self, message: str) -> None:
        super().__init__(message, ErrorCode.PROTOCOL_ERROR)
