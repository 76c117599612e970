"""Each known attack beside a well-behaved client: the attacker is cut off or harmless, the probe never fails."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import pytest

from laura_fast.wire.grpc.compression import GZIP
from laura_fast.wire.grpc.framing import frame_message
from tests.adversity import attacks
from tests.adversity.arena import Arena, Watched, arena, flood
from tests.contract.http2_conformance.peer import (
    CANCEL,
    END_HEADERS,
    END_STREAM,
    ENHANCE_YOUR_CALM,
    GOAWAY,
    PREFACE,
    PROTOCOL_ERROR,
    REFUSED_STREAM,
    RST_STREAM,
    WINDOW_UPDATE,
    Field,
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
    from collections.abc import Iterator

    from laura_fast.wire.grpc.compression import Codec

SHORT_TIMES = {"FRAME_S": 0.5, "STALL_S": 0.5, "IDLE_CONNECTION_S": 1.0, "SWEEP_LONGEST_S": 0.1}


@pytest.fixture(scope="module")
def shared() -> Iterator[Arena]:
    with arena({"max_message_bytes": 1 << 20, "min_ping_interval_ms": 10_000}) as started:
        yield started


@pytest.fixture(scope="module")
def hasty() -> Iterator[Arena]:
    """A server whose patience is short, so that tests need not wait long."""
    times = {"connection_timeout_ms": 500, "keepalive_interval_ms": 60_000}
    with arena({"max_message_bytes": 1 << 20, **times}, SHORT_TIMES) as started:
        yield started


@pytest.mark.parametrize("attack", attacks.FATAL, ids=lambda attack: f"{attack.row} {attack.name}")
async def test_the_attacker_is_cut_off(shared: Arena, attack: attacks.Attack) -> None:
    """Rows 1-10 and 13-15."""
    with Watched(shared):
        outcome = await flood(shared.port, attack.send(), patience_s=5)
        assert outcome.cut
        assert outcome.code in attack.codes


@pytest.mark.parametrize(("fields", "body", "status"), attacks.GRPC.values(), ids=attacks.GRPC)
async def test_a_poisoned_call_ends_alone(shared: Arena, fields: list[Field], body: bytes, status: bytes) -> None:
    """Rows 16 and 17: its status, and the next call on the same connection is served."""
    with Watched(shared):
        peer = await Peer.connect(shared.port)
        peer.send(headers(1, [*request(), *fields]), *_cut(body))
        assert (await peer.answer(1)).trailers[b"grpc-status"] == status
        assert await peer.is_served(3)
        await peer.close()


@pytest.mark.parametrize("codec", [None, GZIP], ids=["empty", "compressed"])
async def test_windows_full_of_messages_that_nobody_reads(shared: Arena, codec: Codec | None) -> None:
    """Row 16: on a hundred streams. A message costs more than its five octets, and inflates to more than its size."""
    one = frame_message(b"" if codec is None else bytes(200_000), codec)
    full = one * (65_535 // len(one))
    with Watched(shared):
        peer = await Peer.connect(shared.port)
        for stream_id in range(1, 201, 2):
            peer.send(headers(stream_id, request("Deaf", grpc_encoding=b"gzip")))
            peer.send(*[data(stream_id, full[start : start + 16_000], 0) for start in range(0, len(full), 16_000)])
            await peer.drain()
            while peer.window_updates.get(0, 0) + 65_535 - len(full) * (stream_id // 2 + 1) < 32_768:
                await peer.until(WINDOW_UPDATE)
        assert (await peer.verdict())[0] == "alive"
        await peer.close()


async def test_a_unary_call_of_endless_messages(shared: Arena) -> None:
    """Row 16: ended at the second message."""
    with Watched(shared):
        peer = await Peer.connect(shared.port)
        peer.send(headers(1), *[data(1, message(b"") * 3_000, 0) for _ in range(4)])
        assert (await peer.answer(1)).trailers[b"grpc-status"] == b"12"
        assert await peer.is_served(3)
        await peer.close()


def _cut(body: bytes) -> list[bytes]:
    """DATA frames of a body, within the default frame size and window."""
    pieces = [body[start : start + 16_000] for start in range(0, min(len(body), 64_000), 16_000)] or [b""]
    return [data(1, piece, 0) for piece in pieces[:-1]] + [data(1, pieces[-1])]


@pytest.mark.parametrize(("name", "value"), attacks.METADATA.values(), ids=attacks.METADATA)
async def test_malformed_metadata_ends_its_stream_alone(shared: Arena, name: bytes, value: bytes) -> None:
    """Row 17."""
    with Watched(shared):
        peer = await Peer.connect(shared.port)
        peer.send(headers(1, [*request(), (name, value)]), data(1, message(b"x")))
        assert (await peer.until(RST_STREAM)).error_code == PROTOCOL_ERROR
        assert await peer.is_served(3)
        await peer.close()


async def test_a_stream_window_overflow_ends_its_stream_alone(shared: Arena) -> None:
    """Row 10."""
    with Watched(shared):
        peer = await Peer.connect(shared.port)
        peer.send(headers(1, request("Hang")), frame(WINDOW_UPDATE, 0, 1, u32(2**31 - 1)))
        await peer.until(RST_STREAM, stream_id=1)
        assert await peer.is_served(3)
        await peer.close()


async def test_streams_above_the_limit_are_refused(shared: Arena) -> None:
    """Row 14: safe to repeat elsewhere; the others go on."""
    with Watched(shared):
        peer = await Peer.connect(shared.port)
        peer.send(*[headers(stream_id, request("Hang")) for stream_id in range(1, 203, 2)])
        assert (await peer.until(RST_STREAM)).error_code == REFUSED_STREAM
        peer.send(frame(RST_STREAM, 0, 1, u32(CANCEL)))
        assert await peer.is_served(1001)
        await peer.close()


async def test_reset_handlers_count_until_they_end(shared: Arena) -> None:
    """Row 1: a reset stream frees no place while its handler runs. Slow, so that no rate limit helps."""
    with Watched(shared):
        peer = await Peer.connect(shared.port)
        for stream_id in range(1, 101, 2):
            peer.send(headers(stream_id, request("Hang")), frame(RST_STREAM, 0, stream_id, u32(CANCEL)))
        assert await peer.is_served(1001)
        await peer.close()


async def test_large_answers_that_nobody_takes(shared: Arena) -> None:
    """Row 11: fifty unary calls whose answers are a megabyte each, behind a closed window."""
    with Watched(shared):
        peer = await Peer.connect(shared.port, first=settings((4, 0)))
        for stream_id in range(1, 101, 2):
            peer.send(headers(stream_id, request("Large")), data(stream_id, message(b"1000000")))
        await peer.drain()
        await asyncio.sleep(0.5)  # for as long as memory could grow
        peer.send(settings((4, 1 << 30)), frame(WINDOW_UPDATE, payload=u32(1 << 30)))
        answers = await peer.answers(*range(1, 101, 2))
        assert {len(answer.body) for answer in answers.values()} == {1_000_005}
        await peer.close()


async def test_a_stalled_stream_is_reset(hasty: Arena) -> None:
    """Row 11: nothing taken of what is queued for STALL_S."""
    with Watched(hasty):
        peer = await Peer.connect(hasty.port, first=settings((4, 0)))
        peer.send(headers(1, request("Repeat")), data(1, message(b"10 50000")))
        assert (await peer.until(RST_STREAM, stream_id=1)).error_code in (CANCEL, ENHANCE_YOUR_CALM)
        await peer.close()


SLOW: dict[str, list[bytes]] = {
    "12 nothing at all": [],
    "12 half a preface": [PREFACE[:10]],
    "12 preface without SETTINGS": [PREFACE],
    "12 SETTINGS that stop in the middle": [PREFACE, settings((4, 1))[:12]],
    "12 half a frame head": [PREFACE, settings(), call(1)[:4]],
    "12 half a frame": [PREFACE, settings(), call(1)[:40]],
    "12 header block without an end": [PREFACE, settings(), headers(1, flags=0)],
    "12 DATA that stops in the middle": [PREFACE, settings(), call(1)[:-2]],
}


@pytest.mark.parametrize("pieces", SLOW.values(), ids=SLOW)
async def test_slow_clients_are_cut_off(hasty: Arena, pieces: list[bytes]) -> None:
    """Row 12: who begins must go on, within FRAME_S or the connection timeout."""
    with Watched(hasty):
        peer = Peer(*await asyncio.open_connection("127.0.0.1", hasty.port))
        peer.send(*pieces)
        async for _ in peer.frames():
            pass
        await peer.close()


async def test_one_octet_at_a_time_is_too_slow(hasty: Arena) -> None:
    """Row 12: a frame must be whole in time, however often an octet of it comes."""
    with Watched(hasty):
        peer = await Peer.connect(hasty.port)
        started = time.monotonic()
        reading = asyncio.create_task(peer.until(GOAWAY))
        for octet in call(1):
            peer.send(bytes([octet]))
            await asyncio.sleep(0.05)
            if reading.done():
                break
        await asyncio.wait_for(reading, 5)
        assert time.monotonic() - started < 5
        await peer.close()


async def test_idle_connections_end(hasty: Arena) -> None:
    """Row 12: gracefully, so that a call on its way is not lost."""
    with Watched(hasty):
        peer = await Peer.connect(hasty.port)
        assert await peer.is_served(1)
        assert (await peer.until(GOAWAY)).error_code == 0
        await peer.close()


async def test_a_client_that_ignores_goaway_does_not_hold_the_server() -> None:
    """Row 19: the drain ends at its time, with streams open and new ones coming."""
    with arena() as place:
        peer = await Peer.connect(place.port)
        peer.send(headers(1, request("Hang")), data(1, message(b"")))
        assert (await peer.verdict())[0] == "alive"  # else the server may stop before it has seen the connection
        place.server.terminate()
        started = time.monotonic()
        await peer.until(GOAWAY)
        stream_id = 3
        async for _ in peer.frames():
            peer.send(headers(stream_id, request("Hang"), END_HEADERS | END_STREAM))
            stream_id += 2
        assert time.monotonic() - started < 8
        await peer.close()
