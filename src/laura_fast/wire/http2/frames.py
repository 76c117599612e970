"""Frames as bytes: one function per frame we send, and the parts of received ones that need care (RFC 9113 §6)."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from laura_fast.errors import ProtocolError
from laura_fast.wire.http2 import constants as h2
from laura_fast.wire.http2.errors import ErrorCode

if TYPE_CHECKING:
    from collections.abc import Mapping

HEAD = struct.Struct(">IBI")
"""Length (24 bits) and type (8 bits) read as one number, flags, stream id with its reserved bit."""

SETTINGS_ACK = HEAD.pack(h2.SETTINGS, h2.ACK, 0)
_U32 = struct.Struct(">I")
_ENTRY = struct.Struct(">HI")
_PRIORITY_BYTES = 5


def head(size: int, kind: int, flags: int, stream_id: int) -> bytes:
    """The nine bytes in front of a payload of `size` bytes."""
    return HEAD.pack(size << 8 | kind, flags, stream_id)


def settings(entries: Mapping[int, int]) -> bytes:
    """A SETTINGS frame with these values."""
    payload = b"".join(_ENTRY.pack(key, value) for key, value in entries.items())
    return head(len(payload), h2.SETTINGS, 0, 0) + payload


def ping(payload: bytes, *, ack: bool = False) -> bytes:
    """A PING; `payload` is eight bytes, repeated by the answer."""
    return head(8, h2.PING, h2.ACK if ack else 0, 0) + payload


def goaway(last_stream_id: int, error_code: int, reason: bytes = b"") -> bytes:
    """A GOAWAY: streams above `last_stream_id` were not and will not be served."""
    payload = _U32.pack(last_stream_id) + _U32.pack(error_code) + reason
    return head(len(payload), h2.GOAWAY, 0, 0) + payload


def rst_stream(stream_id: int, error_code: int) -> bytes:
    """A RST_STREAM."""
    return head(4, h2.RST_STREAM, 0, stream_id) + _U32.pack(error_code)


def window_update(stream_id: int, increment: int) -> bytes:
    """A WINDOW_UPDATE; stream 0 is the connection."""
    return head(4, h2.WINDOW_UPDATE, 0, stream_id) + _U32.pack(increment)


def headers(stream_id: int, block: bytes, *, end_stream: bool, frame_bytes: int) -> bytes:
    """A header block as HEADERS and as many CONTINUATION frames as the peer's frame size asks for."""
    flags = h2.END_STREAM if end_stream else 0
    if len(block) <= frame_bytes:
        return head(len(block), h2.HEADERS, flags | h2.END_HEADERS, stream_id) + block
    pieces = [block[start : start + frame_bytes] for start in range(0, len(block), frame_bytes)]
    frames = [head(len(pieces[0]), h2.HEADERS, flags, stream_id), pieces[0]]
    for piece in pieces[1:-1]:
        frames += head(len(piece), h2.CONTINUATION, 0, stream_id), piece
    frames += head(len(pieces[-1]), h2.CONTINUATION, h2.END_HEADERS, stream_id), pieces[-1]
    return b"".join(frames)


def number(payload: bytes, kind_name: str) -> int:
    """The 31-bit number that is the whole payload of RST_STREAM's and WINDOW_UPDATE's kin.

    Raises:
        ProtocolError: Any other length than four bytes (RFC 9113 §6.4, §6.9: connection error FRAME_SIZE_ERROR).
    """
    if len(payload) != _U32.size:
        raise ProtocolError(f"{kind_name} of {len(payload)} bytes", ErrorCode.FRAME_SIZE_ERROR)
    return int.from_bytes(payload, "big")


def increment(payload: bytes) -> int:
    """By how much a WINDOW_UPDATE widens its window.

    Raises:
        ProtocolError: Any other length than four bytes, or 0. RFC 9113 §6.9 asks for a stream error for 0 on a stream;
            ending the connection is allowed (§5.4.2) and leaves no way to make us reset streams (CVE-2025-8671).
    """
    widened = number(payload, "WINDOW_UPDATE") & h2.MAX_WINDOW
    if not widened:
        raise ProtocolError("WINDOW_UPDATE of 0", ErrorCode.PROTOCOL_ERROR)
    return widened


def strip_padding(payload: bytes, flags: int) -> bytes:
    """The payload without its padding (RFC 9113 §6.1).

    Raises:
        ProtocolError: The padding is as long as the payload or longer (connection error PROTOCOL_ERROR).
    """
    if not flags & h2.PADDED:
        return payload
    if not payload:
        raise ProtocolError("padded frame without a pad length", ErrorCode.FRAME_SIZE_ERROR)
    end = len(payload) - payload[0]
    if end < 1:
        raise ProtocolError("padding longer than the frame", ErrorCode.PROTOCOL_ERROR)
    return payload[1:end]


def strip_priority(payload: bytes, flags: int, stream_id: int) -> bytes:
    """The header fragment behind an optional priority part, which is checked and not acted on (RFC 9113 §5.3.2).

    Raises:
        ProtocolError: The part is cut short, or the stream depends on itself. Both end the connection: answering
            with a reset would let the peer make the server reset streams at will (CVE-2025-8671).
    """
    if not flags & h2.HAS_PRIORITY:
        return payload
    if len(payload) < _PRIORITY_BYTES:
        raise ProtocolError("HEADERS shorter than its priority part", ErrorCode.FRAME_SIZE_ERROR)
    check_dependency(payload, stream_id)
    return payload[_PRIORITY_BYTES:]


def check_priority(payload: bytes, stream_id: int) -> None:
    """Checks a PRIORITY frame (RFC 9113 §6.3); see `strip_priority` for why its errors end the connection."""
    if not stream_id:
        raise ProtocolError("PRIORITY on stream 0", ErrorCode.PROTOCOL_ERROR)
    if len(payload) != _PRIORITY_BYTES:
        raise ProtocolError(f"PRIORITY of {len(payload)} bytes", ErrorCode.FRAME_SIZE_ERROR)
    check_dependency(payload, stream_id)


def check_dependency(payload: bytes, stream_id: int) -> None:
    """Refuses a stream that depends on itself (RFC 7540 §5.3.1)."""
    if int.from_bytes(payload[:4], "big") & h2.MAX_STREAM_ID == stream_id:
        raise ProtocolError(f"stream {stream_id} depends on itself", ErrorCode.PROTOCOL_ERROR)


def settings_entries(payload: bytes) -> list[tuple[int, int]]:
    """The entries of a SETTINGS payload, in order.

    Raises:
        ProtocolError: The length is not a multiple of six (RFC 9113 §6.5: FRAME_SIZE_ERROR).
    """
    if len(payload) % _ENTRY.size:
        raise ProtocolError(f"SETTINGS of {len(payload)} bytes", ErrorCode.FRAME_SIZE_ERROR)
    return list(_ENTRY.iter_unpack(payload))
