"""RFC 9113 §5.2, §6.9: windows of both directions, of streams and of the connection."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.contract.http2_conformance.peer import (
    CANCEL,
    DATA,
    END_HEADERS,
    END_STREAM,
    FLOW_CONTROL_ERROR,
    HEADERS,
    PADDED,
    PROTOCOL_ERROR,
    RST_STREAM,
    WINDOW_UPDATE,
    Peer,
    call,
    data,
    frame,
    headers,
    message,
    request,
    settings,
    u32,
)

if TYPE_CHECKING:
    from tests.contract.http2_conformance.conftest import Connect

MOST = 2**31 - 1
HANG = headers(1, request("Hang"))


def repeat(stream_id: int, count: int, size: int) -> bytes:
    """A call whose answer is `count` messages of `size` octets."""
    return headers(stream_id, request("Repeat")) + data(stream_id, message(b"%d %d" % (count, size)))


def widen(stream_id: int, increment: int) -> bytes:
    return frame(WINDOW_UPDATE, 0, stream_id, u32(increment))


async def take(peer: Peer, size: int, stream_id: int = 1) -> None:
    """Reads DATA of exactly `size` octets, and shows that no more comes until the window grows."""
    got = 0
    while got < size:
        got += len((await peer.until(DATA, stream_id=stream_id)).payload)
    assert got == size
    before = len(peer.seen)
    assert await peer.verdict() == ("alive", 0)
    assert not [
        seen for seen in peer.seen[before:] if seen.kind == DATA and seen.stream_id == stream_id and seen.payload
    ]


async def test_a_stream_window_of_one_octet(connect: Connect) -> None:
    """§6.9.2: the answer starts with as much as the window allows."""
    peer = await connect(first=settings((4, 1)))
    peer.send(repeat(1, 1, 10))
    await take(peer, 1)
    peer.send(widen(1, 3))
    await take(peer, 3)
    peer.send(widen(1, 100))
    await take(peer, 11)


async def test_a_window_widened_between_headers_and_body_in_one_read(connect: Connect) -> None:
    """§6.9.2: as grpcio sends it; what the window was widened by counts, each time."""
    peer = await connect(first=settings((4, 1)))
    begun = headers(1, request("Unary"))
    peer.send(begun + widen(1, 2) + widen(1, 3) + data(1, message(b"ping")))
    await take(peer, 6)
    peer.send(widen(1, 100))
    await take(peer, 3)


async def test_a_stream_window_of_zero_lets_headers_pass(connect: Connect) -> None:
    """§6.9: only DATA is flow-controlled."""
    peer = await connect(first=settings((4, 0)))
    peer.send(repeat(1, 1, 10))
    await peer.until(HEADERS, stream_id=1)
    await take(peer, 0)
    peer.send(widen(1, 15))
    await take(peer, 15)


async def test_the_default_windows(peer: Peer) -> None:
    """§6.9.2: 65,535 for a stream and for the connection."""
    peer.send(repeat(1, 1, 100_000))
    await take(peer, 65_535)
    peer.send(widen(0, 10))
    await take(peer, 0)
    peer.send(widen(1, 20))
    await take(peer, 10)
    peer.send(widen(0, 100_000), widen(1, 100_000))
    await take(peer, 100_005 - 65_545)


async def test_settings_do_not_change_the_connection_window(connect: Connect) -> None:
    """§6.9.2."""
    peer = await connect(first=settings((4, 1_000_000)))
    peer.send(repeat(1, 1, 100_000))
    await take(peer, 65_535)


async def test_new_settings_change_open_streams(connect: Connect) -> None:
    """§6.9.2: by the difference."""
    peer = await connect(first=settings((4, 3)))
    peer.send(repeat(1, 1, 100))
    await take(peer, 3)
    peer.send(settings((4, 5)))
    await take(peer, 2)


async def test_the_last_of_several_values_counts(connect: Connect) -> None:
    """§6.5.3: in the order in which they appear."""
    peer = await connect(first=settings((4, 100), (4, 1)))
    peer.send(repeat(1, 1, 10))
    await take(peer, 1)


async def test_a_window_may_become_negative(connect: Connect) -> None:
    """§6.9.2: and must be filled before DATA flows again."""
    peer = await connect(first=settings((4, 10)))
    peer.send(repeat(1, 1, 100))
    await take(peer, 10)
    peer.send(settings((4, 2)), widen(1, 8))
    await take(peer, 0)
    peer.send(widen(1, 1))
    await take(peer, 1)


async def test_a_blocked_stream_does_not_block_others(peer: Peer) -> None:
    """§5.2.1."""
    peer.send(widen(0, 1 << 20), repeat(1, 1, 100_000))
    await take(peer, 65_535)
    peer.send(repeat(3, 1, 50_000))
    assert (await peer.answer(3)).messages == [b"x" * 50_000]


@pytest.mark.parametrize("method", ["Unary", "Inline"])
async def test_megabytes_that_wait_do_not_block_others(peer: Peer, method: str) -> None:
    """§5.2.1: a client that reads large answers slowly still beats its heart."""
    peer.send(widen(0, 1 << 30), *[headers(i, request("Large")) + data(i, message(b"1000000")) for i in (1, 3, 5)])
    got = 0
    while got < 3 * 65_535:
        got += len((await peer.until(DATA)).payload)
    peer.send(call(7, b"beat", method))
    assert (await peer.answer(7)).messages == [b"beat"]


async def test_streams_share_the_connection_window_fairly(peer: Peer) -> None:
    """A large answer does not starve a small one."""
    peer.send(repeat(1, 1, 1_000_000), widen(1, 10 << 20))
    await take(peer, 65_535)
    peer.send(repeat(3, 1, 100))
    assert await peer.verdict() == ("alive", 0)
    before = len(peer.seen)
    peer.send(widen(0, 60_000))
    assert (await peer.answer(3)).messages == [b"x" * 100]
    assert sum(len(seen.payload) for seen in peer.seen[before:] if seen.kind == DATA) <= 60_000


OVERFLOWS = {
    "6.9.1 connection window above 2^31-1": (widen(0, MOST), FLOW_CONTROL_ERROR),
    "6.9.1 connection window above 2^31-1 in two steps": (widen(0, MOST - 65_535) + widen(0, 1), FLOW_CONTROL_ERROR),
    "6.9.2 settings lift a stream window above 2^31-1": (
        HANG + widen(1, MOST - 65_535) + settings((4, 65_536)),
        FLOW_CONTROL_ERROR,
    ),
}


@pytest.mark.parametrize(("octets", "code"), OVERFLOWS.values(), ids=OVERFLOWS)
async def test_connection_window_overflow(peer: Peer, octets: bytes, code: int) -> None:
    peer.send(octets)
    assert await peer.verdict() == ("goaway", code)


async def test_stream_window_overflow_ends_the_stream(peer: Peer) -> None:
    """§6.9.1: FLOW_CONTROL_ERROR of the stream; the connection goes on."""
    peer.send(HANG, widen(1, MOST))
    assert await peer.verdict() == ("reset", FLOW_CONTROL_ERROR)
    assert await peer.is_served(3)


async def test_stream_window_overflow_of_a_request_that_is_not_grpc(peer: Peer) -> None:
    """§6.9.1: also while its answer waits for the rest of the request."""
    peer.send(headers(1, [(b":method", b"GET"), (b":scheme", b"http"), (b":path", b"/")]), widen(1, MOST) * 2)
    assert (await peer.verdict())[1] == FLOW_CONTROL_ERROR


async def test_the_largest_windows_are_legal(connect: Connect) -> None:
    peer = await connect(first=settings((4, MOST)))
    peer.send(widen(0, MOST - 65_535), repeat(1, 3, 200_000))
    assert (await peer.answer(1)).messages == [b"x" * 200_000] * 3


async def test_zero_increment_on_a_stream(peer: Peer) -> None:
    """§6.9: PROTOCOL_ERROR."""
    peer.send(HANG, widen(1, 0))
    assert (await peer.verdict())[1] == PROTOCOL_ERROR


async def test_a_stream_window_that_is_exceeded(peer: Peer) -> None:
    """§6.9.1: a handler that does not read; a client that sends on all the same is told FLOW_CONTROL_ERROR."""
    await peer.verdict()
    peer.send(headers(1, request("Deaf")))
    for _ in range(65_535 // 1_005 + 2):
        peer.send(data(1, message(bytes(1_000)), 0))
    assert 1 not in peer.window_updates
    assert (await peer.verdict())[1] == FLOW_CONTROL_ERROR


async def test_the_connection_window_is_given_back(peer: Peer) -> None:
    """§6.9: more than any window passes through one connection, calls that are reset or malformed included."""
    await peer.verdict()
    body, sent = message(bytes(30_000)), 0
    peer.send(widen(0, 1 << 30))
    for number in range(1, 161, 2):
        while sent + len(body) > 65_535 + peer.window_updates.get(0, 0):
            await peer.until(WINDOW_UPDATE)
        peer.send(headers(number), data(number, body[:16_000], 0), data(number, body[16_000:]))
        sent += len(body)
        assert (await peer.answer(number)).messages == [bytes(30_000)]


async def test_data_of_dead_streams_counts_for_the_connection(peer: Peer) -> None:
    """§5.1, §6.9: the window that a reset stream used comes back, or the connection would starve."""
    await peer.verdict()
    sent = 0
    for number in range(1, 201, 2):
        while sent + 16_384 > 65_535 + peer.window_updates.get(0, 0):
            await peer.until(WINDOW_UPDATE)
        peer.send(headers(number, request("Missing")), data(number, bytes(16_384), 0))
        peer.send(frame(RST_STREAM, 0, number, u32(CANCEL)))
        sent += 16_384
    assert await peer.is_served(1001)


async def test_padding_counts(peer: Peer) -> None:
    """§6.9.1: the whole payload of DATA is flow-controlled; padding gives its octets back at once."""
    await peer.verdict()
    sent = 0
    peer.send(headers(1, request("Collect")))
    for _ in range(1500):
        while sent + 256 > 65_535 + min(peer.window_updates.get(0, 0), peer.window_updates.get(1, 0)):
            await peer.until(WINDOW_UPDATE)
        peer.send(frame(DATA, PADDED, 1, b"\xfe\0" + bytes(254)))
        sent += 256
    peer.send(data(1, message(b"a")))
    assert (await peer.answer(1)).messages == [b"a"]


async def test_a_large_message_passes_through_small_windows(peer: Peer) -> None:
    """The server widens the window of a message that is larger than it."""
    await peer.verdict()
    body, position = message(bytes(600_000)), 0
    peer.send(headers(1))
    while position < len(body):
        room = 65_535 - position + min(peer.window_updates.get(0, 0), peer.window_updates.get(1, 0))
        if room <= 0:
            await peer.until(WINDOW_UPDATE)
            continue
        piece = body[position : position + min(room, 16_384)]
        position += len(piece)
        peer.send(data(1, piece, END_STREAM if position == len(body) else 0))
    peer.send(frame(WINDOW_UPDATE, payload=u32(1 << 20)), frame(WINDOW_UPDATE, 0, 1, u32(1 << 20)))
    assert (await peer.answer(1)).messages == [bytes(600_000)]


async def test_a_reader_that_stops_holds_nobody_up(connect: Connect) -> None:
    """§5.2: back-pressure is the stream's own."""
    slow, quick = await connect(first=settings((4, 0))), await connect()
    slow.send(repeat(1, 1000, 10_000), call(3, method="Unary"))
    assert await slow.verdict() == ("alive", 0)
    assert await quick.is_served(1)


async def test_headers_with_end_stream_need_no_window(connect: Connect) -> None:
    """A trailers-only answer passes a closed window."""
    peer = await connect(first=settings((4, 0)))
    peer.send(headers(1, request("Missing"), END_HEADERS | END_STREAM))
    assert (await peer.answer(1)).trailers[b"grpc-status"] == b"12"
