"""RFC 9113 §5: stream states, identifiers, concurrency, and §8.1 the order of frames in a call."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from laura_fast.transport.settings import TransportSettings
from tests.contract.http2_conformance.peer import (
    CANCEL,
    CONTINUATION,
    END_HEADERS,
    END_STREAM,
    GOAWAY,
    HEADERS,
    NO_ERROR,
    PRIORITY,
    PROTOCOL_ERROR,
    REFUSED_STREAM,
    RST_STREAM,
    STREAM_CLOSED,
    WINDOW_UPDATE,
    call,
    data,
    frame,
    headers,
    literal,
    message,
    request,
    u32,
)

if TYPE_CHECKING:
    from tests.contract.http2_conformance.conftest import Connect
    from tests.contract.http2_conformance.peer import Peer

HANG = headers(1, request("Hang"))
ENDED = HANG + data(1, message(b""))
RESET = headers(1, request("Hang")) + frame(RST_STREAM, 0, 1, u32(CANCEL))
TRAILERS = headers(1, [(b"x", b"y")], END_HEADERS | END_STREAM)

CONNECTION_ERRORS = {
    # idle
    "5.1 DATA on an idle stream": (data(1, b"x"), PROTOCOL_ERROR),
    "5.1 RST_STREAM on an idle stream": (frame(RST_STREAM, 0, 5, u32(CANCEL)), PROTOCOL_ERROR),
    "5.1 WINDOW_UPDATE on an idle stream": (frame(WINDOW_UPDATE, 0, 1, u32(100)), PROTOCOL_ERROR),
    "5.1 CONTINUATION on an idle stream": (frame(CONTINUATION, END_HEADERS, 1, b""), PROTOCOL_ERROR),
    "5.1 DATA above the highest stream": (call(1) + data(3, b"x"), PROTOCOL_ERROR),
    "5.1 WINDOW_UPDATE above the highest stream": (call(1) + frame(WINDOW_UPDATE, 0, 3, u32(1)), PROTOCOL_ERROR),
    "5.1 WINDOW_UPDATE on a stream of the server": (call(1) + frame(WINDOW_UPDATE, 0, 2, u32(1)), PROTOCOL_ERROR),
    "5.1 DATA on a stream of the server": (call(1) + data(2, b"x"), PROTOCOL_ERROR),
    # the half-closed states
    "5.1 CONTINUATION behind END_STREAM": (ENDED + frame(CONTINUATION, END_HEADERS, 1, b""), PROTOCOL_ERROR),
    # §5.1.1: identifiers
    "5.1.1 even stream": (headers(2), PROTOCOL_ERROR),
    "5.1.1 even stream above others": (call(1) + headers(4), PROTOCOL_ERROR),
    "5.1.1 stream below a higher one": (headers(5) + headers(3), PROTOCOL_ERROR),
    "5.1.1 stream below a higher one that has ended": (call(5) + call(3), PROTOCOL_ERROR),
}


@pytest.mark.parametrize(("octets", "code"), CONNECTION_ERRORS.values(), ids=CONNECTION_ERRORS)
async def test_connection_error(peer: Peer, octets: bytes, code: int) -> None:
    peer.send(octets)
    assert await peer.verdict() == ("goaway", code)


CLOSED_ERRORS = {
    "5.1 half-closed: DATA": ENDED + data(1, b"x", 0),
    "5.1 half-closed: empty DATA": ENDED + data(1, b"", 0),
    "5.1 half-closed: HEADERS": ENDED + TRAILERS,
    "5.1 half-closed by HEADERS: DATA": headers(1, request("Hang"), END_HEADERS | END_STREAM) + data(1, b"x"),
    "5.1 half-closed by trailers: DATA": HANG + TRAILERS + data(1, b"x"),
}


@pytest.mark.parametrize("octets", CLOSED_ERRORS.values(), ids=CLOSED_ERRORS)
async def test_frames_behind_the_end_of_a_stream(peer: Peer, octets: bytes) -> None:
    """STREAM_CLOSED, for the stream or for the connection."""
    peer.send(octets)
    assert (await peer.verdict())[1] == STREAM_CLOSED


LATE = {
    "5.1 after RST_STREAM: DATA": data(1, b"x"),
    "5.1 after RST_STREAM: HEADERS": TRAILERS,
    "5.1 after RST_STREAM: reopened": headers(1),
}


@pytest.mark.parametrize("octets", LATE.values(), ids=LATE)
async def test_frames_behind_a_reset_of_the_client(peer: Peer, octets: bytes) -> None:
    """STREAM_CLOSED: who resets a stream knows that it is closed."""
    peer.send(RESET, octets)
    assert (await peer.verdict())[1] == STREAM_CLOSED


@pytest.mark.parametrize("octets", [data(1, b"x"), TRAILERS, headers(1)], ids=["DATA", "trailers", "reopened"])
async def test_frames_behind_both_ends(peer: Peer, octets: bytes) -> None:
    """A stream that both sides ended is closed, and stays so (§5.1, §5.1.1)."""
    peer.send(call(1))
    await peer.answer(1)
    peer.send(octets)
    assert await peer.verdict() == ("goaway", STREAM_CLOSED)


HARMLESS = {
    "5.1 closed: RST_STREAM": frame(RST_STREAM, 0, 1, u32(CANCEL)),
    "5.1 closed: WINDOW_UPDATE": frame(WINDOW_UPDATE, 0, 1, u32(1)),
    "5.1 closed: PRIORITY": frame(PRIORITY, 0, 1, u32(0) + b"\0"),
}


@pytest.mark.parametrize("octets", HARMLESS.values(), ids=HARMLESS)
async def test_frames_that_may_come_late(peer: Peer, octets: bytes) -> None:
    """§5.1: what the client sent before it saw the end is ignored."""
    peer.send(call(1))
    await peer.answer(1)
    peer.send(octets)
    assert await peer.verdict() == ("alive", 0)
    assert await peer.is_served(3)


@pytest.mark.parametrize(
    "octets",
    [frame(WINDOW_UPDATE, 0, 1, u32(1)), frame(PRIORITY, 0, 1, u32(0) + b"\0"), frame(RST_STREAM, 0, 1, u32(CANCEL))],
    ids=["WINDOW_UPDATE", "PRIORITY", "RST_STREAM"],
)
async def test_frames_that_a_half_closed_stream_still_takes(peer: Peer, octets: bytes) -> None:
    """§5.1 half-closed (remote)."""
    peer.send(ENDED, octets)
    assert await peer.verdict() == ("alive", 0)


async def test_skipped_streams_are_legal(peer: Peer) -> None:
    """§5.1.1: ids only have to grow."""
    peer.send(call(1001, b"a"))
    assert (await peer.answer(1001)).messages == [b"a"]


async def test_the_last_stream_id_works(peer: Peer) -> None:
    """§5.1.1: 2^31-1 is an id like others."""
    peer.send(call(2**31 - 1, b"a"))
    assert (await peer.answer(2**31 - 1)).messages == [b"a"]


async def test_answers_come_on_the_stream_of_the_call_in_any_order(peer: Peer) -> None:
    """§5: streams do not wait for one another."""
    peer.send(HANG, call(3, b"three"), call(5, b"five"))
    answers = await peer.answers(3, 5)
    assert {stream_id: answer.messages for stream_id, answer in answers.items()} == {3: [b"three"], 5: [b"five"]}


class TestConcurrency:
    """§5.1.2."""

    @pytest.fixture
    def settings(self) -> TransportSettings:
        return TransportSettings(max_concurrent_rpcs=3, min_ping_interval_ms=1)

    async def test_the_limit_is_announced(self, peer: Peer) -> None:
        await peer.verdict()
        assert peer.server_settings[3] == 3

    async def test_a_stream_above_the_limit_is_refused_and_nothing_else(self, peer: Peer) -> None:
        peer.send(*[headers(stream_id, request("Hang")) for stream_id in (1, 3, 5)])
        assert await peer.verdict() == ("alive", 0)
        peer.send(headers(7, request("Hang")))
        assert await peer.verdict(7) == ("reset", REFUSED_STREAM)
        peer.send(frame(RST_STREAM, 0, 1, u32(CANCEL)))
        assert await peer.verdict() == ("alive", 0)
        assert await peer.is_served(9)

    async def test_a_refused_stream_leaves_the_header_table_in_step(self, peer: Peer) -> None:
        """§4.3: the block of a refused stream is decoded all the same."""
        indexed = b"\x40\x01a\x01b"
        fields = literal(request())
        peer.send(*[headers(stream_id, request("Hang")) for stream_id in (1, 3, 5)])
        peer.send(headers(7, block=fields + indexed), frame(RST_STREAM, 0, 5, u32(CANCEL)))
        peer.send(headers(9, block=fields + b"\xbe"), data(9, message(b"again")))
        assert (await peer.answer(9)).messages == [b"again"]


async def test_trailers_without_end_stream_are_malformed(peer: Peer) -> None:
    """§8.1: a second HEADERS must end the stream."""
    peer.send(HANG, headers(1, [(b"x", b"y")]))
    assert (await peer.verdict())[1] == PROTOCOL_ERROR


async def test_early_answer_is_followed_by_a_reset_without_error(peer: Peer) -> None:
    """§8.1: the server may answer before the request is complete, and then asks to stop with NO_ERROR."""
    peer.send(headers(1, request("Missing")))
    answer = await peer.answer(1)
    assert answer.trailers[b"grpc-status"] == b"12"
    reset = await peer.until(RST_STREAM, stream_id=1)
    assert reset.error_code == NO_ERROR
    peer.send(data(1, b"late", 0), data(1, b"late"), TRAILERS)
    assert await peer.verdict() == ("alive", 0)
    assert await peer.is_served(3)


async def test_goaway_of_the_client_leaves_its_calls_alone(peer: Peer) -> None:
    """§6.8: calls that run are finished."""
    peer.send(headers(1), frame(GOAWAY, payload=bytes(8)), data(1, message(b"a")))
    assert (await peer.answer(1)).messages == [b"a"]


async def test_goaway_names_the_last_stream(peer: Peer) -> None:
    """§6.8: so that the client knows what to repeat."""
    peer.send(call(1), call(7), frame(HEADERS, END_HEADERS, 0))
    goaway = await peer.until(GOAWAY)
    assert int.from_bytes(goaway.payload[:4], "big") == 7


async def test_a_broken_connection_ends_alone(connect: Connect) -> None:
    """§5.4.1: the error of one connection is nobody else's."""
    healthy, broken = await connect(), await connect()
    broken.send(frame(HEADERS, END_HEADERS, 0))
    assert (await broken.verdict())[0] == "goaway"
    assert await healthy.is_served(1)
