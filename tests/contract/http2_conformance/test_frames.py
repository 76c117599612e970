"""RFC 9113 §4 and §6: every frame type with every wrong length, stream id and flag."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.contract.http2_conformance.peer import (
    ACK,
    COMPRESSION_ERROR,
    CONTINUATION,
    DATA,
    END_HEADERS,
    END_STREAM,
    FLOW_CONTROL_ERROR,
    FRAME_SIZE_ERROR,
    GOAWAY,
    HAS_PRIORITY,
    HEADERS,
    PADDED,
    PING,
    PRIORITY,
    PROTOCOL_ERROR,
    PUSH_PROMISE,
    RST_STREAM,
    SETTINGS,
    STREAM_CLOSED,
    WINDOW_UPDATE,
    call,
    data,
    frame,
    headers,
    literal,
    message,
    request,
    settings,
    u32,
)

if TYPE_CHECKING:
    from tests.contract.http2_conformance.peer import Peer

BLOCK = literal(request())
OPEN = headers(1)
PRIORITY_PART = u32(0) + b"\x10"

CONNECTION_ERRORS = {
    # §4.2: frame size
    "4.2 DATA above the maximum size": (OPEN + data(1, bytes(16_385)), FRAME_SIZE_ERROR),
    "4.2 HEADERS above the maximum size": (headers(1, block=bytes(16_385)), FRAME_SIZE_ERROR),
    "4.2 SETTINGS above the maximum size": (frame(SETTINGS, payload=bytes(6 * 2731)), FRAME_SIZE_ERROR),
    "4.2 unknown frame above the maximum size": (frame(0xBB, payload=bytes(16_385)), FRAME_SIZE_ERROR),
    "4.2 length of 16 MiB is refused at the head": (OPEN + frame(DATA, 0, 1, b"", 0xFFFFFF), FRAME_SIZE_ERROR),
    # §4.3: header blocks are contiguous
    "4.3 PRIORITY inside a header block": (headers(1, flags=0) + frame(PRIORITY, 0, 1, PRIORITY_PART), PROTOCOL_ERROR),
    "4.3 HEADERS of another stream inside a header block": (headers(1, flags=0) + headers(3), PROTOCOL_ERROR),
    "4.3 DATA inside a header block": (headers(1, flags=0) + data(1, b""), PROTOCOL_ERROR),
    "4.3 unknown frame inside a header block": (headers(1, flags=0) + frame(0xBB), PROTOCOL_ERROR),
    "4.3 PING inside a header block": (headers(1, flags=0) + frame(PING, payload=bytes(8)), PROTOCOL_ERROR),
    "4.3 broken header block": (headers(1, block=b"\x80"), COMPRESSION_ERROR),
    # §6.1: DATA
    "6.1 DATA on stream 0": (data(0, b"x"), PROTOCOL_ERROR),
    "6.1 DATA whose padding is the whole payload": (OPEN + frame(DATA, PADDED, 1, b"\x05abcd"), PROTOCOL_ERROR),
    "6.1 DATA whose padding exceeds the payload": (OPEN + frame(DATA, PADDED, 1, b"\xffabcd"), PROTOCOL_ERROR),
    "6.1 padded DATA without a pad length": (OPEN + frame(DATA, PADDED, 1), FRAME_SIZE_ERROR),
    # §6.2: HEADERS
    "6.2 HEADERS on stream 0": (headers(0), PROTOCOL_ERROR),
    "6.2 HEADERS whose padding exceeds the payload": (
        frame(HEADERS, END_HEADERS | PADDED, 1, b"\xff" + BLOCK),
        PROTOCOL_ERROR,
    ),
    "6.2 padded HEADERS without a pad length": (frame(HEADERS, END_HEADERS | PADDED, 1), FRAME_SIZE_ERROR),
    "6.2 HEADERS shorter than its priority": (
        frame(HEADERS, END_HEADERS | HAS_PRIORITY, 1, b"\0\0\0"),
        FRAME_SIZE_ERROR,
    ),
    # §6.3: PRIORITY
    "6.3 PRIORITY on stream 0": (frame(PRIORITY, 0, 0, PRIORITY_PART), PROTOCOL_ERROR),
    # §6.4: RST_STREAM
    "6.4 RST_STREAM on stream 0": (frame(RST_STREAM, payload=u32(8)), PROTOCOL_ERROR),
    "6.4 RST_STREAM on an idle stream": (frame(RST_STREAM, 0, 1, u32(8)), PROTOCOL_ERROR),
    "6.4 RST_STREAM on an even stream": (frame(RST_STREAM, 0, 2, u32(8)), PROTOCOL_ERROR),
    "6.4 RST_STREAM of 3 octets": (OPEN + frame(RST_STREAM, 0, 1, bytes(3)), FRAME_SIZE_ERROR),
    "6.4 RST_STREAM of 5 octets": (OPEN + frame(RST_STREAM, 0, 1, bytes(5)), FRAME_SIZE_ERROR),
    "6.4 RST_STREAM of 0 octets": (OPEN + frame(RST_STREAM, 0, 1), FRAME_SIZE_ERROR),
    # §6.5: SETTINGS
    "6.5 SETTINGS acknowledgement with a payload": (frame(SETTINGS, ACK, 0, bytes(6)), FRAME_SIZE_ERROR),
    "6.5 SETTINGS on a stream": (frame(SETTINGS, 0, 1), PROTOCOL_ERROR),
    "6.5 SETTINGS acknowledgement on a stream": (frame(SETTINGS, ACK, 1), PROTOCOL_ERROR),
    "6.5 SETTINGS of 3 octets": (frame(SETTINGS, payload=bytes(3)), FRAME_SIZE_ERROR),
    "6.5 SETTINGS of 7 octets": (frame(SETTINGS, payload=bytes(7)), FRAME_SIZE_ERROR),
    "6.5.2 ENABLE_PUSH of 2": (settings((2, 2)), PROTOCOL_ERROR),
    "6.5.2 ENABLE_PUSH of 2^32-1": (settings((2, 2**32 - 1)), PROTOCOL_ERROR),
    "6.5.2 INITIAL_WINDOW_SIZE of 2^31": (settings((4, 2**31)), FLOW_CONTROL_ERROR),
    "6.5.2 INITIAL_WINDOW_SIZE of 2^32-1": (settings((4, 2**32 - 1)), FLOW_CONTROL_ERROR),
    "6.5.2 MAX_FRAME_SIZE of 16,383": (settings((5, 16_383)), PROTOCOL_ERROR),
    "6.5.2 MAX_FRAME_SIZE of 0": (settings((5, 0)), PROTOCOL_ERROR),
    "6.5.2 MAX_FRAME_SIZE of 2^24": (settings((5, 2**24)), PROTOCOL_ERROR),
    "6.5.2 wrong value behind a right one": (settings((5, 16_384), (2, 3)), PROTOCOL_ERROR),
    # §6.6: PUSH_PROMISE
    "6.6 PUSH_PROMISE from a client": (OPEN + frame(PUSH_PROMISE, END_HEADERS, 1, u32(2) + BLOCK), PROTOCOL_ERROR),
    "6.6 PUSH_PROMISE on stream 0": (frame(PUSH_PROMISE, END_HEADERS, 0, u32(2) + BLOCK), PROTOCOL_ERROR),
    # §6.7: PING
    "6.7 PING on a stream": (frame(PING, 0, 1, bytes(8)), PROTOCOL_ERROR),
    "6.7 PING acknowledgement on a stream": (frame(PING, ACK, 1, bytes(8)), PROTOCOL_ERROR),
    "6.7 PING of 0 octets": (frame(PING), FRAME_SIZE_ERROR),
    "6.7 PING of 6 octets": (frame(PING, payload=bytes(6)), FRAME_SIZE_ERROR),
    "6.7 PING of 9 octets": (frame(PING, payload=bytes(9)), FRAME_SIZE_ERROR),
    "6.7 PING acknowledgement of 7 octets": (frame(PING, ACK, payload=bytes(7)), FRAME_SIZE_ERROR),
    # §6.8: GOAWAY
    "6.8 GOAWAY on a stream": (frame(GOAWAY, 0, 1, bytes(8)), PROTOCOL_ERROR),
    "6.8 GOAWAY of 7 octets": (frame(GOAWAY, payload=bytes(7)), FRAME_SIZE_ERROR),
    # §6.9: WINDOW_UPDATE
    "6.9 WINDOW_UPDATE of 0 on the connection": (frame(WINDOW_UPDATE, payload=u32(0)), PROTOCOL_ERROR),
    "6.9 WINDOW_UPDATE of 0 but for the reserved bit": (frame(WINDOW_UPDATE, payload=u32(1 << 31)), PROTOCOL_ERROR),
    "6.9 WINDOW_UPDATE of 3 octets": (frame(WINDOW_UPDATE, payload=bytes(3)), FRAME_SIZE_ERROR),
    "6.9 WINDOW_UPDATE of 5 octets": (frame(WINDOW_UPDATE, payload=bytes(5)), FRAME_SIZE_ERROR),
    "6.9 WINDOW_UPDATE of 5 octets on a stream": (OPEN + frame(WINDOW_UPDATE, 0, 1, bytes(5)), FRAME_SIZE_ERROR),
    # §6.10: CONTINUATION
    "6.10 CONTINUATION on stream 0": (headers(1, flags=0) + frame(CONTINUATION, END_HEADERS, 0), PROTOCOL_ERROR),
    "6.10 CONTINUATION without HEADERS": (frame(CONTINUATION, END_HEADERS, 1, BLOCK), PROTOCOL_ERROR),
    "6.10 CONTINUATION on another stream": (headers(1, flags=0) + frame(CONTINUATION, END_HEADERS, 3), PROTOCOL_ERROR),
    "6.10 CONTINUATION behind END_HEADERS": (OPEN + frame(CONTINUATION, END_HEADERS, 1, BLOCK), PROTOCOL_ERROR),
    "6.10 CONTINUATION behind END_HEADERS of CONTINUATION": (
        headers(1, flags=0) + frame(CONTINUATION, END_HEADERS, 1) + frame(CONTINUATION, END_HEADERS, 1),
        PROTOCOL_ERROR,
    ),
    "6.10 CONTINUATION behind DATA": (OPEN + data(1, b"") + frame(CONTINUATION, END_HEADERS, 1), PROTOCOL_ERROR),
}


@pytest.mark.parametrize(("octets", "code"), CONNECTION_ERRORS.values(), ids=CONNECTION_ERRORS)
async def test_connection_error(peer: Peer, octets: bytes, code: int) -> None:
    """GOAWAY with the code that the RFC names, then the end."""
    peer.send(octets)
    assert await peer.verdict() == ("goaway", code)


STREAM_ERRORS = {
    "5.3.2 PRIORITY of 4 octets": (OPEN + frame(PRIORITY, 0, 1, bytes(4)), FRAME_SIZE_ERROR),
    "5.3.2 PRIORITY of 6 octets": (OPEN + frame(PRIORITY, 0, 1, bytes(6)), FRAME_SIZE_ERROR),
    "RFC 7540 5.3.1 HEADERS that depends on itself": (
        frame(HEADERS, END_HEADERS | HAS_PRIORITY, 1, u32(1) + b"\x10" + BLOCK),
        PROTOCOL_ERROR,
    ),
    "RFC 7540 5.3.1 PRIORITY that depends on itself": (OPEN + frame(PRIORITY, 0, 1, u32(1) + b"\x10"), PROTOCOL_ERROR),
    "6.9 WINDOW_UPDATE of 0 on a stream": (OPEN + frame(WINDOW_UPDATE, 0, 1, u32(0)), PROTOCOL_ERROR),
    "5.1 DATA behind END_STREAM": (headers(1, request("Hang")) + data(1, b"") + data(1, b"x"), STREAM_CLOSED),
}


@pytest.mark.parametrize(("octets", "code"), STREAM_ERRORS.values(), ids=STREAM_ERRORS)
async def test_stream_error(peer: Peer, octets: bytes, code: int) -> None:
    """RST_STREAM, or GOAWAY as §5.4.2 allows; with the same code either way."""
    peer.send(octets)
    assert (await peer.verdict())[1] == code


HARMLESS = {
    "4.1 unknown frame type": frame(0x16, 0, 0, b"unknown"),
    "4.1 unknown frame type on a stream that is idle": frame(0xFA, 0xFF, 7, b"unknown"),
    "4.1 reserved bit of the stream id is ignored": frame(PING, ACK, 1 << 31, bytes(8)),
    "4.1 undefined flags of PING": frame(PING, 0xFE, payload=bytes(8)),
    "4.1 undefined flags of WINDOW_UPDATE": frame(WINDOW_UPDATE, 0xFF, payload=u32(1)),
    "4.1 undefined flags of SETTINGS": frame(SETTINGS, 0xFE),
    "6.3 PRIORITY on an idle stream": frame(PRIORITY, 0, 5, PRIORITY_PART),
    "6.3 PRIORITY with the exclusive bit": frame(PRIORITY, 0, 5, u32(1 << 31 | 3) + b"\xff"),
    "6.5 SETTINGS that nobody defined": settings((0x0, 1), (0x10, 0), (0xFFFF, 2**32 - 1)),
    "6.5 empty SETTINGS": settings(),
    "6.5 the same setting twice": settings((4, 100), (4, 70_000)),
    "6.5.2 each extreme that is allowed": settings((1, 0), (2, 0), (3, 0), (4, 2**31 - 1), (5, 2**24 - 1), (6, 0)),
    "6.7 PING acknowledgement that nobody asked for": frame(PING, ACK, payload=bytes(8)),
    "6.8 GOAWAY with debug data": frame(GOAWAY, payload=bytes(8) + b"bye"),
    "6.8 GOAWAY with an undefined error code": frame(GOAWAY, payload=u32(0) + u32(0xFFFF)),
    "6.9 WINDOW_UPDATE with the reserved bit": frame(WINDOW_UPDATE, payload=u32(1 << 31 | 1)),
}


@pytest.mark.parametrize("octets", HARMLESS.values(), ids=HARMLESS)
async def test_harmless(peer: Peer, octets: bytes) -> None:
    """Ignored or obeyed; the next call is served."""
    peer.send(octets)
    assert await peer.verdict() == ("alive", 0)
    assert await peer.is_served(9)


FORMS = {
    "6.1 padded DATA": headers(1) + frame(DATA, PADDED | END_STREAM, 1, b"\x03" + message(b"again") + bytes(3)),
    "6.1 DATA with padding of length 0": headers(1) + frame(DATA, PADDED | END_STREAM, 1, b"\0" + message(b"again")),
    "6.1 message over several frames": headers(1) + data(1, message(b"again")[:6], 0) + data(1, message(b"again")[6:]),
    "6.1 END_STREAM in an empty frame": headers(1) + data(1, message(b"again"), 0) + data(1, b""),
    "6.1 END_STREAM in a padded frame of nothing": headers(1)
    + data(1, message(b"again"), 0)
    + frame(DATA, PADDED | END_STREAM, 1, b"\0"),
    "6.1 undefined flags of DATA": headers(1) + frame(DATA, 0xF6 | END_STREAM, 1, message(b"again")),
    "6.2 padded HEADERS": frame(HEADERS, END_HEADERS | PADDED, 1, b"\x04" + BLOCK + bytes(4))
    + data(1, message(b"again")),
    "6.2 HEADERS with priority": frame(HEADERS, END_HEADERS | HAS_PRIORITY, 1, PRIORITY_PART + BLOCK)
    + data(1, message(b"again")),
    "6.2 HEADERS with padding and priority": frame(
        HEADERS, END_HEADERS | PADDED | HAS_PRIORITY, 1, b"\x02" + PRIORITY_PART + BLOCK + bytes(2)
    )
    + data(1, message(b"again")),
    "6.2 undefined flags of HEADERS": frame(HEADERS, 0xD2 | END_HEADERS, 1, BLOCK) + data(1, message(b"again")),
    "6.2 reserved bit of the stream id": frame(HEADERS, END_HEADERS, 1 << 31 | 1, BLOCK)
    + frame(DATA, END_STREAM, 1 << 31 | 1, message(b"again")),
    "6.10 header block over three frames": headers(1, block=BLOCK[:10], flags=0)
    + frame(CONTINUATION, 0, 1, BLOCK[10:20])
    + frame(CONTINUATION, END_HEADERS, 1, BLOCK[20:])
    + data(1, message(b"again")),
    "6.10 empty HEADERS and CONTINUATION": headers(1, block=b"", flags=0)
    + frame(CONTINUATION, 0, 1)
    + frame(CONTINUATION, END_HEADERS, 1, BLOCK)
    + data(1, message(b"again")),
    "8.1 trailers of a request": headers(1)
    + data(1, message(b"again"), 0)
    + headers(1, [(b"x-trailer", b"1")], END_HEADERS | END_STREAM),
}


@pytest.mark.parametrize("octets", FORMS.values(), ids=FORMS)
async def test_every_form_of_a_call_is_served(peer: Peer, octets: bytes) -> None:
    peer.send(octets)
    answer = await peer.answer(1)
    assert answer.messages == [b"again"]
    assert answer.trailers[b"grpc-status"] == b"0"


async def test_frames_of_the_maximum_size(peer: Peer) -> None:
    """§4.2: 2^14 octets of DATA."""
    body = message(bytes(16_384 * 2 - 5))
    peer.send(headers(1), data(1, body[:16_384], 0), data(1, body[16_384:]))
    assert (await peer.answer(1)).body == body


async def test_frames_may_arrive_in_any_pieces(peer: Peer) -> None:
    """§4.1: octet by octet, preface included, each in its own segment as far as the kernel allows."""
    for octet in call(1, b"again"):
        peer.send(bytes([octet]))
        await peer.drain()
    assert (await peer.answer(1)).messages == [b"again"]


async def test_ping_is_answered_with_its_payload(peer: Peer) -> None:
    """§6.7."""
    peer.send(frame(PING, payload=b"\x01\x02\x03\x04abcd"))
    assert (await peer.until(PING)).payload == b"\x01\x02\x03\x04abcd"


async def test_settings_are_acknowledged_each(peer: Peer) -> None:
    """§6.5.3: in order, one for each."""
    peer.send(settings(), settings((3, 7)))
    for _ in range(3):
        assert (await peer.until(SETTINGS, ack=True)).payload == b""


async def test_unknown_error_codes_are_no_error(peer: Peer) -> None:
    """§7: a reset with a code that nobody defined is a reset."""
    peer.send(headers(1, request("Hang")), frame(RST_STREAM, 0, 1, u32(0xABCD)))
    assert await peer.verdict() == ("alive", 0)
    assert await peer.is_served(3)
