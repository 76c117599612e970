"""RFC 9113 §3.4, §6.5 and §6.8: how a connection begins and how it ends."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from laura_fast.transport.settings import TransportSettings
from tests.contract.http2_conformance import echo
from tests.contract.http2_conformance.peer import (
    ACK,
    END_HEADERS,
    END_STREAM,
    GOAWAY,
    HEADERS,
    NO_ERROR,
    PING,
    PREFACE,
    PROTOCOL_ERROR,
    REFUSED_STREAM,
    RST_STREAM,
    SETTINGS,
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


@pytest.mark.parametrize(
    "preface",
    [
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\r",
        b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        bytes(24),
        PREFACE.lower(),
    ],
    ids=["last octet", "HTTP/1.1", "TLS", "zeroes", "lower case"],
)
async def test_a_wrong_preface_ends_the_connection(connect: Connect, preface: bytes) -> None:
    """§3.4: a connection error PROTOCOL_ERROR; GOAWAY may be left out."""
    peer = await connect(preface=preface, first=b"")
    verdict, code = await peer.verdict()
    assert verdict in ("goaway", "closed")
    assert code in (PROTOCOL_ERROR, -1)


@pytest.mark.parametrize(
    "first",
    [call(1), frame(PING, payload=bytes(8)), frame(WINDOW_UPDATE, payload=u32(1)), frame(SETTINGS, ACK)],
    ids=["call", "PING", "WINDOW_UPDATE", "SETTINGS acknowledgement"],
)
async def test_the_first_frame_must_be_settings(connect: Connect, first: bytes) -> None:
    """§3.4."""
    peer = await connect(first=first)
    assert await peer.verdict() == ("goaway", PROTOCOL_ERROR)


async def test_the_servers_first_frame_is_settings(connect: Connect) -> None:
    """§3.4: and it does not wait for the client's."""
    peer = await connect(preface=b"", first=b"")
    first = await peer.read()
    assert (first.kind, first.flags, first.stream_id) == (SETTINGS, 0, 0)
    assert len(first.payload) % 6 == 0


async def test_the_client_may_call_before_it_sees_settings(connect: Connect) -> None:
    """§3.4: preface, SETTINGS and calls in one segment."""
    peer = await connect(first=settings() + call(1, b"early"))
    assert (await peer.answer(1)).messages == [b"early"]


async def test_the_servers_settings_are_legal(peer: Peer) -> None:
    """§6.5.2: a server never enables push, and its numbers are in range."""
    await peer.verdict()
    sent = peer.server_settings
    assert sent.get(2, 0) == 0
    assert sent.get(4, 65_535) < 2**31
    assert 2**14 <= sent.get(5, 16_384) < 2**24


async def test_the_settings_acknowledgement_precedes_what_follows_them(peer: Peer) -> None:
    """§6.5.3: values are in force before the acknowledgement, so the answer behind it obeys them."""
    peer.send(settings((4, 3)), call(1, b"a long message"))
    await peer.until(SETTINGS, ack=True)
    await peer.until(SETTINGS, ack=True)
    body = await peer.until(0, stream_id=1)
    assert len(body.payload) == 3


@pytest.mark.parametrize("size", [16_384, 16_385, 100_000])
async def test_frames_never_exceed_the_peers_maximum(peer: Peer, size: int) -> None:
    """§4.2: the default of 16,384 while the client did not say more."""
    peer.send(frame(WINDOW_UPDATE, payload=u32(1 << 20)), settings((4, 1 << 20)))
    peer.send(headers(1, request("Repeat")), data(1, message(b"2 %d" % size)))
    answer = await peer.answer(1)
    assert answer.messages == [b"x" * size] * 2
    assert max(answer.data_sizes) <= 16_384


class TestShutdown:
    """§6.8: two steps, so that no call is lost."""

    async def test_two_goaways_and_the_calls_between_them(self) -> None:
        server, port = await echo.start(TransportSettings(min_ping_interval_ms=1))
        peer = await Peer.connect(port)
        peer.send(headers(1, request("Echo")), data(1, message(b"a"), 0))
        await peer.until(0, stream_id=1)
        stopping = asyncio.ensure_future(server.stop(10))
        first = await peer.until(GOAWAY)
        assert (int.from_bytes(first.payload[:4], "big"), first.error_code) == (2**31 - 1, NO_ERROR)
        peer.send(call(3, b"on its way"))
        assert (await peer.answer(3)).messages == [b"on its way"]
        await self._acknowledge_ping(peer)
        second = await peer.until(GOAWAY)
        assert (int.from_bytes(second.payload[:4], "big"), second.error_code) == (3, NO_ERROR)
        peer.send(call(5, b"too late"))
        assert (await peer.until(RST_STREAM, stream_id=5)).error_code == REFUSED_STREAM
        peer.send(data(1, message(b"b")))
        trailers = await peer.until(HEADERS, stream_id=1)
        assert trailers.flags & END_STREAM
        await asyncio.wait_for(stopping, 5)
        await peer.close()

    @staticmethod
    async def _acknowledge_ping(peer: Peer) -> None:
        pings = [seen for seen in peer.seen if seen.kind == PING and not seen.flags & ACK]
        ping = pings[0] if pings else await peer.until(PING, ack=False)
        peer.send(frame(PING, ACK, payload=ping.payload))

    async def test_idle_connections_end_at_once(self) -> None:
        server, port = await echo.start(TransportSettings())
        peer = await Peer.connect(port)
        assert await peer.is_served(1)
        stopping = asyncio.ensure_future(server.stop(10))
        await peer.until(GOAWAY)
        await self._acknowledge_ping(peer)
        async for _ in peer.frames():
            pass
        await asyncio.wait_for(stopping, 2)
        await peer.close()

    async def test_calls_that_outlive_the_grace_are_cancelled(self) -> None:
        server, port = await echo.start(TransportSettings())
        peer = await Peer.connect(port)
        peer.send(call(1, method="Hang"))
        assert (await peer.verdict())[0] == "alive"
        await asyncio.wait_for(server.stop(0.1), 5)
        async for _ in peer.frames():
            pass
        await peer.close()


async def test_a_connection_that_used_half_its_stream_ids_is_replaced(peer: Peer) -> None:
    """§5.1.1: gracefully, long before they run out."""
    assert await peer.is_served(2**30 + 1)
    assert (await peer.until(GOAWAY)).error_code == NO_ERROR


async def test_connection_errors_are_told_before_the_end(peer: Peer) -> None:
    """§5.4.1: GOAWAY with the last stream, then the connection closes; nothing comes behind it."""
    peer.send(call(1), frame(HEADERS, END_HEADERS, 0))
    kinds = [received.kind async for received in peer.frames()]
    assert kinds[-1] == GOAWAY
