"""Fuzz target: gRPC message framing, inflation, metadata, status and deadlines on arbitrary octets."""

from __future__ import annotations

from contextlib import suppress

from laura_fast.errors import RpcError
from laura_fast.wire.grpc.compression import DEFLATE, GZIP
from laura_fast.wire.grpc.framing import Deframer, frame_message
from laura_fast.wire.grpc.metadata import decode_metadata, encode_metadata
from laura_fast.wire.grpc.status import decode_message, encode_message
from laura_fast.wire.grpc.timeout import format_timeout, parse_timeout

LIMIT = 1000
_CODECS = (None, GZIP, DEFLATE)


def deframe(pieces: list[bytes], control: int) -> list[bytes] | None:
    """Messages, or None for a refusal."""
    deframer = Deframer(LIMIT, _CODECS[control % 3])
    found: list[bytes] = []
    try:
        for piece in pieces:
            deframer.push(piece)
            found += iter(deframer.pop, None)
            assert deframer.held_bytes <= LIMIT + 5
    except RpcError:
        return None
    assert all(len(message) <= LIMIT for message in found)
    return found


def one_input(data: bytes) -> None:
    """Any cut gives the same messages; whatever is found survives a round trip; only `RpcError` comes out."""
    control, body = (data[0], data[1:]) if data else (0, b"")
    step = control // 3 % 16 + 1
    messages = deframe([body], control)
    assert messages == deframe([body[start : start + step] for start in range(0, len(body), step)], control)
    for message in messages or ():
        framed = frame_message(message, _CODECS[control % 3])
        assert deframe([framed], control) == [message]
    text = decode_message(body)
    assert decode_message(encode_message(text)) == text
    with suppress(RpcError):
        assert parse_timeout(format_timeout(parse_timeout(body))) >= 0
    with suppress(RpcError):
        values = decode_metadata([(b"k-bin", body)])
        assert decode_metadata(encode_metadata(values)) == values
