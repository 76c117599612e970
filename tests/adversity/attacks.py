"""The attacks: what each sends. Rows are those of the table in the README beside this file."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from laura_fast.wire.grpc.compression import GZIP
from tests.contract.http2_conformance.peer import (
    CANCEL,
    COMPRESSION_ERROR,
    CONTINUATION,
    DATA,
    END_HEADERS,
    END_STREAM,
    ENHANCE_YOUR_CALM,
    FLOW_CONTROL_ERROR,
    FRAME_SIZE_ERROR,
    PADDED,
    PING,
    PRIORITY,
    PROTOCOL_ERROR,
    RST_STREAM,
    SETTINGS,
    STREAM_CLOSED,
    WINDOW_UPDATE,
    Field,
    data,
    frame,
    headers,
    literal,
    message,
    request,
    settings,
    u32,
)

Pieces = Iterator[bytes]
FRAMES = 5_000
"""Hostile frames of a flood."""

HANG = literal(request("Hang"))
MOST = 2**31 - 1


@dataclass(frozen=True)
class Attack:
    """One way to hurt a server, and the code of the GOAWAY that ends it."""

    row: int
    name: str
    send: Callable[[], Pieces]
    codes: tuple[int, ...]


def _hang(stream_id: int) -> bytes:
    return headers(stream_id, block=HANG)


def _streams(count: int) -> range:
    return range(1, 2 * count, 2)


def rapid_reset() -> Pieces:
    for stream_id in _streams(FRAMES):
        yield _hang(stream_id) + frame(RST_STREAM, 0, stream_id, u32(CANCEL))


def rapid_reset_in_bursts() -> Pieces:
    """A hundred at a time, so that limits per read see little."""
    streams = list(_streams(FRAMES))
    for start in range(0, len(streams), 100):
        burst = streams[start : start + 100]
        yield b"".join(_hang(stream_id) for stream_id in burst)
        yield b"".join(frame(RST_STREAM, 0, stream_id, u32(CANCEL)) for stream_id in burst)


def _make_you_reset(primitive: Callable[[int], bytes]) -> Callable[[], Pieces]:
    def send() -> Pieces:
        for stream_id in _streams(FRAMES):
            yield _hang(stream_id) + primitive(stream_id)

    return send


MAKE_YOU_RESET: dict[str, tuple[Callable[[int], bytes], tuple[int, ...]]] = {
    "WINDOW_UPDATE of 0": (lambda i: frame(WINDOW_UPDATE, 0, i, u32(0)), (PROTOCOL_ERROR,)),
    "window overflow": (lambda i: frame(WINDOW_UPDATE, 0, i, u32(MOST)), (ENHANCE_YOUR_CALM,)),
    "PRIORITY of 4 octets": (lambda i: frame(PRIORITY, 0, i, bytes(4)), (FRAME_SIZE_ERROR,)),
    "PRIORITY on itself": (lambda i: frame(PRIORITY, 0, i, u32(i) + b"\0"), (PROTOCOL_ERROR,)),
    "DATA behind END_STREAM": (lambda i: data(i, b"") + data(i, b"x"), (STREAM_CLOSED,)),
    "HEADERS behind END_STREAM": (lambda i: data(i, b"") + _hang(i), (STREAM_CLOSED,)),
    "malformed trailers": (lambda i: headers(i, [(b"X", b"")], END_HEADERS | END_STREAM), (ENHANCE_YOUR_CALM,)),
}


def malformed_requests() -> Pieces:
    """Each makes the server reset a stream."""
    for stream_id in _streams(FRAMES):
        yield headers(stream_id, request(connection=b"close"))


def continuation_flood() -> Pieces:
    yield headers(1, flags=0)
    for _ in range(FRAMES):
        yield frame(CONTINUATION, 0, 1, b"\x00\x01a\x01b")


def continuation_of_full_frames() -> Pieces:
    yield headers(1, flags=0)
    for _ in range(FRAMES):
        yield frame(CONTINUATION, 0, 1, b"\x00\x01a\x7f\x80\x7f" + b"b" * 16_000)


def empty_continuation() -> Pieces:
    yield headers(1, flags=0)
    for _ in range(FRAMES):
        yield frame(CONTINUATION, 0, 1)


def empty_data() -> Pieces:
    yield _hang(1)
    for _ in range(FRAMES):
        yield data(1, b"", 0)


def padding_only() -> Pieces:
    yield _hang(1)
    for _ in range(FRAMES):
        yield frame(DATA, PADDED, 1, b"\x00")


def settings_flood() -> Pieces:
    for _ in range(FRAMES):
        yield settings()


def settings_of_windows() -> Pieces:
    """Each changes the windows of a hundred streams."""
    yield b"".join(_hang(stream_id) for stream_id in _streams(100))
    for number in range(FRAMES):
        yield settings((4, number % 2))


def huge_settings() -> Pieces:
    for _ in range(FRAMES):
        yield frame(SETTINGS, payload=struct.pack(">HI", 0x99, 0) * 2_730)


def settings_acknowledgements() -> Pieces:
    for _ in range(FRAMES):
        yield frame(SETTINGS, 0x1)


def ping_flood() -> Pieces:
    for _ in range(FRAMES):
        yield frame(PING, payload=bytes(8))


def ping_acknowledgements() -> Pieces:
    for _ in range(FRAMES):
        yield frame(PING, 0x1, payload=bytes(8))


def priority_flood() -> Pieces:
    for number in range(FRAMES):
        yield frame(PRIORITY, 0, 2 * number + 1, u32(2 * number + 3) + b"\xff")


def window_updates() -> Pieces:
    for _ in range(FRAMES):
        yield frame(WINDOW_UPDATE, payload=u32(1))


def window_updates_of_a_stream() -> Pieces:
    yield _hang(1)
    for _ in range(FRAMES):
        yield frame(WINDOW_UPDATE, 0, 1, u32(1))


def unknown_frames() -> Pieces:
    for _ in range(FRAMES):
        yield frame(0xEE, 0xFF, 0, b"x" * 100)


def goaways() -> Pieces:
    for _ in range(FRAMES):
        yield frame(0x7, payload=bytes(8))


def header_bomb() -> Pieces:
    """An entry of 3,900 octets, then requests that refer to it thousands of times."""
    entry = b"\x40\x01a\x7f\xbd\x1d" + b"b" * 3_900
    yield headers(1, block=HANG + entry)
    for stream_id in _streams(FRAMES)[1:]:
        yield headers(stream_id, block=HANG + b"\xbe" * 16_000)


def tiny_fields() -> Pieces:
    for stream_id in _streams(FRAMES):
        yield headers(stream_id, block=HANG + b"\x00\x00\x00" * 5_000)


def empty_names() -> Pieces:
    for stream_id in _streams(FRAMES):
        yield headers(stream_id, block=HANG + b"\x40\x00\x00")


def size_updates() -> Pieces:
    yield headers(1, block=b"\x20\x3f\xe1\x1f" * 4_000 + HANG)


def endless_integer() -> Pieces:
    yield headers(1, block=b"\xff" + b"\x80" * 10_000)


def connection_window_overflow() -> Pieces:
    yield frame(WINDOW_UPDATE, payload=u32(MOST)) * 2


def settings_window_overflow() -> Pieces:
    yield _hang(1) + frame(WINDOW_UPDATE, 0, 1, u32(MOST - 65_535)) + settings((4, 65_536))


def even_stream() -> Pieces:
    yield _hang(2)


def decreasing_streams() -> Pieces:
    yield _hang(1_001) + _hang(999)


def reused_stream() -> Pieces:
    yield _hang(1) + frame(RST_STREAM, 0, 1, u32(CANCEL)) + _hang(1)


def too_many_streams() -> Pieces:
    for stream_id in _streams(FRAMES):
        yield _hang(stream_id)


def large_frame() -> Pieces:
    yield _hang(1) + frame(DATA, 0, 1, b"", 0xFFFFFF)
    for _ in range(1_024):
        yield bytes(16_384)


def more_data_than_the_window() -> Pieces:
    yield headers(1, request("Deaf"))
    for _ in range(FRAMES):
        yield data(1, message(bytes(16_000)), 0)


def wrong_padding() -> Pieces:
    yield _hang(1) + frame(DATA, PADDED, 1, b"\xffabc")


FATAL = [
    Attack(1, "rapid reset", rapid_reset, (ENHANCE_YOUR_CALM,)),
    Attack(1, "rapid reset in bursts", rapid_reset_in_bursts, (ENHANCE_YOUR_CALM,)),
    *[
        Attack(2, f"make you reset: {name}", _make_you_reset(one), codes)
        for name, (one, codes) in MAKE_YOU_RESET.items()
    ],
    Attack(2, "make you reset: malformed requests", malformed_requests, (ENHANCE_YOUR_CALM,)),
    Attack(3, "CONTINUATION flood", continuation_flood, (ENHANCE_YOUR_CALM,)),
    Attack(3, "CONTINUATION of full frames", continuation_of_full_frames, (ENHANCE_YOUR_CALM,)),
    Attack(4, "empty CONTINUATION", empty_continuation, (ENHANCE_YOUR_CALM,)),
    Attack(4, "empty DATA", empty_data, (ENHANCE_YOUR_CALM,)),
    Attack(4, "DATA of padding alone", padding_only, (ENHANCE_YOUR_CALM,)),
    Attack(5, "SETTINGS flood", settings_flood, (ENHANCE_YOUR_CALM,)),
    Attack(5, "SETTINGS that change many windows", settings_of_windows, (ENHANCE_YOUR_CALM,)),
    Attack(5, "huge SETTINGS", huge_settings, (ENHANCE_YOUR_CALM,)),
    Attack(5, "SETTINGS acknowledgements", settings_acknowledgements, (ENHANCE_YOUR_CALM, PROTOCOL_ERROR)),
    Attack(6, "PING flood", ping_flood, (ENHANCE_YOUR_CALM,)),
    Attack(6, "PING acknowledgements", ping_acknowledgements, (ENHANCE_YOUR_CALM,)),
    Attack(7, "PRIORITY flood", priority_flood, (ENHANCE_YOUR_CALM,)),
    Attack(7, "WINDOW_UPDATE flood", window_updates, (ENHANCE_YOUR_CALM,)),
    Attack(7, "WINDOW_UPDATE flood on a stream", window_updates_of_a_stream, (ENHANCE_YOUR_CALM,)),
    Attack(7, "unknown frames", unknown_frames, (ENHANCE_YOUR_CALM,)),
    Attack(7, "GOAWAY flood", goaways, (ENHANCE_YOUR_CALM,)),
    Attack(8, "HPACK bomb", header_bomb, (ENHANCE_YOUR_CALM,)),
    Attack(8, "thousands of tiny fields", tiny_fields, (ENHANCE_YOUR_CALM,)),
    Attack(9, "empty names", empty_names, (ENHANCE_YOUR_CALM,)),
    Attack(9, "table size updates in a row", size_updates, (COMPRESSION_ERROR,)),
    Attack(9, "endless integer", endless_integer, (COMPRESSION_ERROR,)),
    Attack(10, "connection window overflow", connection_window_overflow, (FLOW_CONTROL_ERROR,)),
    Attack(10, "window overflow by SETTINGS", settings_window_overflow, (FLOW_CONTROL_ERROR,)),
    Attack(13, "even stream", even_stream, (PROTOCOL_ERROR,)),
    Attack(13, "decreasing streams", decreasing_streams, (PROTOCOL_ERROR,)),
    Attack(13, "reused stream", reused_stream, (STREAM_CLOSED, PROTOCOL_ERROR)),
    Attack(14, "more streams than allowed", too_many_streams, (ENHANCE_YOUR_CALM,)),
    Attack(15, "frame of 16 MiB", large_frame, (FRAME_SIZE_ERROR,)),
    Attack(15, "DATA beyond the window", more_data_than_the_window, (ENHANCE_YOUR_CALM,)),
    Attack(15, "wrong padding", wrong_padding, (PROTOCOL_ERROR,)),
]
"""Attacks that end their connection."""


def _compressed(packed: bytes) -> bytes:
    return b"\1" + u32(len(packed)) + packed


GRPC: dict[str, tuple[list[Field], bytes, bytes]] = {
    "16 prefix of 2 GiB": ([], b"\0\x7f\xff\xff\xff", b"8"),
    "16 prefix of 4 GiB": ([], b"\0\xff\xff\xff\xff", b"8"),
    "16 compression bomb": ([(b"grpc-encoding", b"gzip")], _compressed(GZIP.compress(bytes(50 << 20))), b"8"),
    "16 damaged compression": ([(b"grpc-encoding", b"gzip")], _compressed(b"garbage"), b"13"),
    "16 unknown encoding": ([(b"grpc-encoding", b"snappy")], message(b"x"), b"12"),
    "16 compressed without an encoding": ([], _compressed(b"x"), b"13"),
    "16 unknown flag": ([], b"\2\0\0\0\1x", b"13"),
    "16 truncated message": ([], b"\0\0\0\0\x09abc", b"13"),
    "16 truncated prefix": ([], b"\0\0", b"13"),
    "16 no message at all": ([], b"", b"12"),
    "16 two messages": ([], message(b"a") + message(b"b"), b"12"),
    "17 -bin that is no base64": ([(b"k-bin", b"!!!!")], message(b"x"), b"13"),
    "17 timeout 1e9H": ([(b"grpc-timeout", b"1e9H")], message(b"x"), b"13"),
    "17 timeout of nine digits": ([(b"grpc-timeout", b"123456789S")], message(b"x"), b"13"),
    "17 timeout without a unit": ([(b"grpc-timeout", b"1")], message(b"x"), b"13"),
}
"""Calls that end with a status and leave their connection alone: fields, body, status."""

METADATA: dict[str, tuple[bytes, bytes]] = {
    "17 upper case": (b"X-Up", b"v"),
    "17 control character": (b"x\x01", b"v"),
    "17 CR LF": (b"x", b"a\r\nb: c"),
    "17 NUL": (b"x", b"a\0"),
    "17 connection": (b"connection", b"close"),
    "17 te": (b"te", b"gzip"),
    "17 late pseudo-header field": (b":path", b"/"),
}
"""Fields that make their request malformed and leave the connection alone."""
