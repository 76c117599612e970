"""Requests of HTTP clients that know nothing of gRPC get answers that keep every rule of HTTP/2 (RFC 9113 §8)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.contract.http2_conformance.peer import (
    DATA,
    END_HEADERS,
    END_STREAM,
    FLOW_CONTROL_ERROR,
    HEADERS,
    NO_ERROR,
    PADDED,
    PRIORITY,
    PROTOCOL_ERROR,
    REFUSED_STREAM,
    RST_STREAM,
    STREAM_CLOSED,
    WINDOW_UPDATE,
    Field,
    Peer,
    data,
    frame,
    headers,
    settings,
    u32,
)

if TYPE_CHECKING:
    from tests.contract.http2_conformance.conftest import Connect

WHOLE = END_HEADERS | END_STREAM
BEGUN = END_HEADERS


def plain(method: bytes = b"GET", *more: Field) -> list[Field]:
    """What curl sends, less the decoration."""
    return [(b":method", method), (b":scheme", b"http"), (b":path", b"/"), (b":authority", b"127.0.0.1"), *more]


def get(stream_id: int = 1) -> bytes:
    return headers(stream_id, plain(), WHOLE)


async def sizes(peer: Peer, stream_id: int, total: int) -> list[int]:
    """Lengths of the DATA frames up to this many octets."""
    found: list[int] = []
    while sum(found) < total:
        found.append(len((await peer.until(DATA, stream_id=stream_id)).payload))
    return found


async def test_get_is_answered_with_a_page(peer: Peer) -> None:
    peer.send(get())
    page = await peer.answer(1)
    assert page.status == b"200"
    assert dict(page.headers[0])[b"content-length"] == b"%d" % len(page.body)
    assert page.body


@pytest.mark.parametrize(
    "pieces",
    [
        [headers(1, plain(b"HEAD"), WHOLE)],
        [headers(1, plain(b"POST"), BEGUN), data(1, b"test")],
        [headers(1, plain(b"POST"), BEGUN), data(1, b"test", 0), data(1, b"test")],
        [headers(1, plain(b"POST"), BEGUN), frame(DATA, END_STREAM | PADDED, 1, b"\x04test\0\0\0\0")],
        [headers(1, plain(b"POST"), BEGUN), data(1, bytes(16_384))],
        [headers(1, plain(b"POST"), BEGUN), data(1, b"test", 0), headers(1, [(b"x-test", b"ok")], WHOLE)],
        [headers(1, plain(b"POST", (b"content-length", b"4")), BEGUN), data(1, b"test")],
        [get(), frame(WINDOW_UPDATE, 0, 1, u32(1))],
        [get(), frame(PRIORITY, 0, 1, u32(0) + b"\xff")],
        [get(), frame(RST_STREAM, 0, 1, u32(NO_ERROR))],
        [frame(PRIORITY, 0, 9, u32(3) + b"\xff"), get()],
    ],
    ids=[
        "HEAD",
        "POST",
        "POST in two frames",
        "POST with padding",
        "POST of a full frame",
        "POST with trailers",
        "POST with content-length",
        "WINDOW_UPDATE behind the request",
        "PRIORITY behind the request",
        "RST_STREAM behind the request",
        "PRIORITY on an idle stream before it",
    ],
)
async def test_whole_requests_are_answered(peer: Peer, pieces: list[bytes]) -> None:
    peer.send(*pieces)
    answered = await peer.until(HEADERS, stream_id=1)
    assert answered.flags & END_HEADERS
    assert await peer.verdict() == ("alive", 0)


@pytest.mark.parametrize(
    "pieces",
    [
        [headers(1, plain(b"POST"), BEGUN), data(1, b"test", 0), headers(1, [(b":method", b"POST")], WHOLE)],
        [headers(1, plain(b"POST"), BEGUN), data(1, b"test", 0), headers(1, [(b"X-Test", b"ok")], WHOLE)],
        [headers(1, plain(b"POST"), BEGUN), data(1, b"test", 0), headers(1, [(b"x-test", b"ok")], BEGUN)],
        [headers(1, plain(b"POST", (b"content-length", b"1")), BEGUN), data(1, b"test")],
        [headers(1, plain(b"POST", (b"content-length", b"5")), BEGUN), data(1, b"t", 0), data(1, b"est")],
        [headers(1, plain(b"POST", (b"content-length", b"1")), BEGUN), data(1, b"test", 0), data(1, b"test")],
        [headers(1, plain(b"GET", (b"content-length", b"1")), WHOLE)],
        [headers(1, plain(b"GET", (b"connection", b"keep-alive")), WHOLE)],
        [headers(1, plain(b"GET", (b"te", b"trailers, deflate")), WHOLE)],
        [headers(1, plain(b"GET", (b":status", b"200")), WHOLE)],
        [headers(1, plain(b"GET", (b":test", b"ok")), WHOLE)],
        [headers(1, plain(b"GET", (b"x-test", b"ok"), (b":path", b"/")), WHOLE)],
        [headers(1, [*plain()[:2], (b":path", b""), plain()[3]], WHOLE)],
        [headers(1, plain()[1:], WHOLE)],
        [headers(1, [plain()[0], *plain()[2:]], WHOLE)],
        [headers(1, [*plain()[:2], plain()[3]], WHOLE)],
        *[[headers(1, [field, *plain()], WHOLE)] for field in plain()[:3]],
    ],
    ids=[
        "pseudo-header field in trailers",
        "upper case in trailers",
        "trailers that do not end the stream",
        "more than content-length",
        "less than content-length",
        "more than content-length in two frames",
        "content-length without a body",
        "connection",
        "te",
        "status",
        "unknown pseudo-header field",
        "late pseudo-header field",
        "empty path",
        "no method",
        "no scheme",
        "no path",
        "two methods",
        "two schemes",
        "two paths",
    ],
)
async def test_a_malformed_request_is_reset_and_never_answered(peer: Peer, pieces: list[bytes]) -> None:
    """§8.1.1: though its refusal was certain at the first octet of its body."""
    peer.send(*pieces)
    assert await peer.verdict() == ("reset", PROTOCOL_ERROR)
    assert not [seen for seen in peer.seen if seen.kind == HEADERS]


async def test_a_request_whose_end_does_not_come_is_answered_all_the_same(peer: Peer) -> None:
    """§8.1: and told to stop, without an error."""
    peer.send(headers(1, plain(b"POST"), BEGUN), data(1, b"test", 0))
    assert (await peer.until(HEADERS, stream_id=1)).flags & END_STREAM
    assert (await peer.until(RST_STREAM, stream_id=1)).error_code == NO_ERROR


class TestWindows:
    """§6.9: the page waits for room, octet by octet."""

    async def test_of_one_octet(self, connect: Connect) -> None:
        peer = await connect(first=settings((4, 1)))
        peer.send(get())
        assert await sizes(peer, 1, 1) == [1]
        peer.send(frame(WINDOW_UPDATE, 0, 1, u32(1_000)))
        rest = await peer.answer(1)
        assert rest.body.endswith(b"\n")

    async def test_the_last_of_several_values_holds(self, connect: Connect) -> None:
        """§6.5.3."""
        peer = await connect(first=settings((4, 100), (4, 1)))
        peer.send(get())
        assert await sizes(peer, 1, 1) == [1]

    async def test_that_opens_behind_the_request(self, connect: Connect) -> None:
        """§6.9.2."""
        peer = await connect(first=settings((4, 0)))
        peer.send(get(), settings((4, 1)))
        assert await sizes(peer, 1, 1) == [1]

    async def test_that_becomes_negative(self, connect: Connect) -> None:
        """§6.9.2."""
        peer = await connect(first=settings((4, 3)))
        peer.send(get())
        assert await sizes(peer, 1, 3) == [3]
        peer.send(settings((4, 2)), frame(WINDOW_UPDATE, 0, 1, u32(2)))
        assert await sizes(peer, 1, 1) == [1]

    async def test_that_overflows(self, peer: Peer) -> None:
        peer.send(headers(1, plain(), BEGUN), *[frame(WINDOW_UPDATE, 0, 1, u32(2**31 - 1))] * 2)
        assert await peer.verdict() == ("reset", FLOW_CONTROL_ERROR)

    async def test_pages_that_wait_count_as_streams(self, connect: Connect) -> None:
        """§5.1.2."""
        peer = await connect(first=settings((4, 0)))
        peer.send(*[get(stream_id) for stream_id in range(1, 203, 2)])
        assert await peer.verdict(201) == ("reset", REFUSED_STREAM)


@pytest.mark.parametrize("late", [data(1, b"test"), headers(1, plain(), WHOLE)], ids=["DATA", "HEADERS"])
@pytest.mark.parametrize("answered", [False, True], ids=["half-closed", "closed"])
async def test_nothing_comes_behind_the_end(peer: Peer, late: bytes, answered: bool) -> None:
    """§5.1."""
    peer.send(get())
    if answered:
        await peer.answer(1)
    peer.send(late)
    assert await peer.verdict() == ("goaway", STREAM_CLOSED)
