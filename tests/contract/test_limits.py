"""Every configured limit is enforced, by a real server on loopback."""

from __future__ import annotations

import asyncio
import socket
from contextlib import AsyncExitStack
from time import monotonic
from typing import TYPE_CHECKING, Any

import grpc
import hpack
import pytest
from hyperframe.frame import DataFrame, GoAwayFrame, HeadersFrame, PingFrame, RstStreamFrame, SettingsFrame

from laura_fast.errors import AddressInUseError, Code
from laura_fast.transport.settings import TransportSettings
from tests.contract.transport_kit import (
    FACTORIES,
    PREFACE,
    RawPeer,
    Recorder,
    Running,
    call,
    goaway_of,
    request_headers,
    serving,
    until,
)

if TYPE_CHECKING:
    from pathlib import Path

KIB = 1024
MIB = 1024 * KIB
ENHANCE_YOUR_CALM = 11


async def test_connections_over_the_maximum_are_refused_until_one_ends(transport_name: str) -> None:
    async with serving(transport_name, max_connections=2) as running, AsyncExitStack() as first:
        one = await first.enter_async_context(running.channel())
        async with running.channel() as two, running.channel() as three:
            assert await call(one, "Echo") == b"x"
            assert await call(two, "Echo") == b"x"
            assert await call(three, "Echo") is grpc.StatusCode.UNAVAILABLE
            assert await call(one, "Echo") == b"x"
            await first.aclose()
            assert await call(three, "Echo", wait_for_ready=True) == b"x"


async def test_a_refused_connection_is_closed_before_http2_starts(transport_name: str) -> None:
    async with serving(transport_name, max_connections=1) as running, RawPeer.connect(running.port) as first:
        first.greet()
        assert await first.next_of(SettingsFrame)
        async with RawPeer.connect(running.port) as second, asyncio.timeout(5):
            assert await second.frames_until_closed() == []


async def test_the_stream_limit_is_announced_and_excess_waits_at_the_client(transport_name: str) -> None:
    async with serving(transport_name, max_concurrent_rpcs=2) as running, running.channel() as channel:
        calls = [asyncio.create_task(call(channel, "Hold")) for _ in range(2)]
        await until(lambda: running.service.running == 2)
        third = asyncio.create_task(call(channel, "Echo"))
        async with RawPeer.connect(running.port) as peer:
            peer.greet()
            settings = await peer.next_of(SettingsFrame)
        assert settings.settings[SettingsFrame.MAX_CONCURRENT_STREAMS] == 2
        assert not third.done()
        assert len(running.recorder.started) == 2
        running.service.open.set()
        assert await asyncio.gather(*calls, third) == [b"x"] * 3


async def test_a_client_that_ignores_the_stream_limit_is_refused(transport_name: str) -> None:
    """RFC 9113 §5.1.2: REFUSED_STREAM for the stream, or the end of the connection; never a third running call."""
    async with serving(transport_name, max_concurrent_rpcs=2) as running, RawPeer.connect(running.port) as peer:
        peer.greet()
        await peer.next_of(SettingsFrame)
        encoder = hpack.Encoder()
        for stream_id in (1, 3, 5):
            peer.send(request_headers(stream_id, encoder.encode(headers("/t.T/Hold"))))
        async with asyncio.timeout(5):
            while (frame := await peer.frame()) is not None:
                if isinstance(frame, RstStreamFrame | GoAwayFrame):
                    break
        assert len(running.recorder.started) <= 2


async def test_calls_over_the_process_wide_limit_are_exhausted_until_one_ends(transport_name: str) -> None:
    async with (
        serving(transport_name, max_total_rpcs=2) as running,
        running.channel() as one,
        running.channel() as two,
    ):
        held = asyncio.create_task(call(one, "Hold"))
        ticks = two.unary_stream("/t.T/Ticks")(b"x")
        assert await ticks.read() == b"x"
        await until(lambda: running.service.running == 1)
        for channel in (one, two):
            assert await call(channel, "Echo") is grpc.StatusCode.RESOURCE_EXHAUSTED
        running.service.open.set()
        assert await held == b"x"
        assert await ticks.read() == b"x"
        assert await ticks.read() is grpc.aio.EOF
        await until(lambda: len(running.recorder.codes) >= 2)
        for channel in (one, two):
            assert await call(channel, "Echo") == b"x"


@pytest.mark.parametrize("said", [b"", PREFACE[:10], PREFACE], ids=["nothing", "half a preface", "no SETTINGS"])
async def test_a_socket_that_does_not_finish_its_handshake_is_closed(transport_name: str, said: bytes) -> None:
    async with serving(transport_name, connection_timeout_ms=300) as running, RawPeer.connect(running.port) as peer:
        began = monotonic()
        peer.send(said)
        async with asyncio.timeout(5):
            await peer.closed()
        assert monotonic() - began > 0.25


async def test_silent_sockets_take_a_place_for_the_connection_timeout_only(transport_name: str) -> None:
    """They count from the moment they are accepted, or a flood of them would go round the limit."""
    async with (
        serving(transport_name, max_connections=1, connection_timeout_ms=500) as running,
        RawPeer.connect(running.port) as silent,
        running.channel() as channel,
    ):
        assert await call(channel, "Echo") is grpc.StatusCode.UNAVAILABLE
        async with asyncio.timeout(5):
            await silent.closed()
        assert await call(channel, "Echo", wait_for_ready=True) == b"x"


async def test_a_finished_handshake_outlives_the_connection_timeout(transport_name: str) -> None:
    async with serving(transport_name, connection_timeout_ms=500) as running, RawPeer.connect(running.port) as peer:
        peer.greet()
        await peer.next_of(SettingsFrame)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.8):
                await peer.closed()


async def test_a_unary_call_is_cancelled_at_the_request_timeout(transport_name: str) -> None:
    async with serving(transport_name, request_timeout_ms=300) as running, running.channel() as channel:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await channel.unary_unary("/t.T/Hold")(b"x")
        assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
        assert "request timeout" in str(caught.value.details())
        assert running.service.cancelled == 1
        assert await call(channel, "Echo") == b"x"
        await until(lambda: running.recorder.codes == [Code.DEADLINE_EXCEEDED, Code.OK])


async def test_a_stream_outlives_the_request_timeout(transport_name: str) -> None:
    async with serving(transport_name, request_timeout_ms=50) as running, running.channel() as channel:
        ticks = channel.unary_stream("/t.T/Ticks")(b"x")
        assert await ticks.read() == b"x"
        await asyncio.sleep(0.15)
        running.service.open.set()
        assert await ticks.read() == b"x"


async def test_keepalive_closes_a_peer_that_does_not_answer_pings(transport_name: str) -> None:
    async with (
        serving(transport_name, keepalive_interval_ms=200, keepalive_timeout_ms=200) as running,
        RawPeer.connect(running.port) as peer,
    ):
        peer.greet()
        began = monotonic()
        async with asyncio.timeout(10):
            frames = await peer.frames_until_closed()
        assert any(isinstance(frame, PingFrame) and "ACK" not in frame.flags for frame in frames)
        assert monotonic() - began > 0.3


async def test_keepalive_leaves_a_peer_alone_that_answers_pings(transport_name: str) -> None:
    async with (
        serving(transport_name, keepalive_interval_ms=100, keepalive_timeout_ms=2000) as running,
        RawPeer.connect(running.port) as peer,
    ):
        peer.greet()
        async with asyncio.timeout(10):
            for _ in range(5):
                ping = await peer.next_of(PingFrame)
                assert ping is not None
                peer.send(PingFrame(opaque_data=ping.opaque_data, flags=["ACK"]))


async def test_pings_faster_than_the_minimum_interval_end_the_connection(transport_name: str) -> None:
    async with (
        serving(transport_name, min_ping_interval_ms=60_000) as running,
        RawPeer.connect(running.port) as peer,
    ):
        peer.greet()
        async with asyncio.timeout(5):
            for mark in range(3):  # two are forgiven
                peer.ping(mark)
                await peer.pong()
            peer.ping(3)
            frames = await peer.frames_until_closed()
        assert goaway_of(frames) == (ENHANCE_YOUR_CALM, b"too_many_pings")


async def test_pings_at_the_minimum_interval_are_answered_without_any_stream(transport_name: str) -> None:
    async with (
        serving(transport_name, min_ping_interval_ms=50) as running,
        RawPeer.connect(running.port) as peer,
    ):
        peer.greet()
        await peer.next_of(SettingsFrame)
        for mark in range(6):
            await asyncio.sleep(0.07)
            peer.ping(mark)
            async with asyncio.timeout(5):
                assert await peer.pong()


async def test_a_message_over_the_limit_is_exhausted_either_way_and_the_connection_lives(transport_name: str) -> None:
    async with serving(transport_name, max_message_bytes=MIB) as running, running.channel() as channel:
        assert await call(channel, "Size", bytes(MIB)) == str(MIB).encode()
        assert await call(channel, "Size", bytes(MIB + 1)) is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert await call(channel, "Blow", str(MIB + 1).encode()) is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert await call(channel, "Blow", str(MIB).encode()) == bytes(MIB)


async def test_a_message_over_the_limit_is_refused_at_its_length_prefix(transport_name: str) -> None:
    """Nothing may be allocated, or waited for, on the word of a peer."""
    async with serving(transport_name, max_message_bytes=MIB) as running, RawPeer.connect(running.port) as peer:
        peer.greet()
        await peer.next_of(SettingsFrame)
        block = hpack.Encoder().encode(headers("/t.T/Size"))
        prefix = b"\0" + (100 * MIB).to_bytes(4, "big")
        peer.send(request_headers(1, block), DataFrame(1, prefix + bytes(100)))
        async with asyncio.timeout(5):
            trailers = await peer.next_of(HeadersFrame)
        fields = {str(name): str(value) for name, value in hpack.Decoder().decode(trailers.data)}
        assert fields["grpc-status"] == str(int(Code.RESOURCE_EXHAUSTED))


async def test_a_compressed_message_is_measured_inflated(transport_name: str) -> None:
    """A bomb: a few kilobytes on the wire."""
    async with serving(transport_name, max_message_bytes=MIB) as running, running.channel() as channel:
        answer = await call(channel, "Size", bytes(20 * MIB), compression=grpc.Compression.Gzip)
        assert answer is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert running.recorder.codes.count(Code.OK) == 0


async def test_a_document_of_16_mib_passes_the_default_limit(transport_name: str) -> None:
    async with serving(transport_name) as running, running.channel() as channel:
        assert len(await call(channel, "Echo", bytes(16 * MIB))) == 16 * MIB


async def test_metadata_over_the_limit_ends_its_call_only(transport_name: str) -> None:
    async with serving(transport_name) as running, running.channel() as channel:
        for size, refused in ((14 * KIB, False), (20 * KIB, True), (14 * KIB, False)):
            answer = await call(channel, "Echo", metadata=(("x-long", "v" * size),))
            assert (answer != b"x") is refused


async def test_a_second_server_on_the_port_is_refused(transport_name: str) -> None:
    """With SO_REUSEPORT the kernel would split the clients between the two."""
    async with serving(transport_name) as running:
        with socket.socket() as thief:
            thief.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            with pytest.raises(OSError, match="Address already in use"):
                thief.bind(("127.0.0.1", running.port))
        second = FACTORIES[transport_name](TransportSettings(), Recorder())
        with pytest.raises(AddressInUseError, match=f"{running.address}: Address already in use"):
            second.add_insecure_port(running.address)
        await second.stop(None)


async def test_a_unix_socket_serves(transport_name: str, tmp_path: Path) -> None:
    address = f"unix:{tmp_path / 'laura.sock'}"
    server = FACTORIES[transport_name](TransportSettings(), Recorder())
    server.add_insecure_port(address)
    await server.start()
    async with grpc.aio.insecure_channel(address) as channel:
        assert await call(channel, "Echo") is grpc.StatusCode.UNIMPLEMENTED
    await server.stop(None)


async def test_stop_lets_running_calls_finish_within_the_grace_time(transport_name: str) -> None:
    async with serving(transport_name) as running, running.channel() as channel:
        held = asyncio.create_task(call(channel, "Hold"))
        await until(lambda: running.service.running == 1)
        stopping = asyncio.create_task(running.server.stop(5))
        await _refuses_newcomers(running)
        running.service.open.set()
        assert await held == b"x"
        await stopping


async def _refuses_newcomers(running: Running) -> None:
    async with asyncio.timeout(5):
        while True:
            async with running.channel() as late:
                if await call(late, "Echo") is grpc.StatusCode.UNAVAILABLE:
                    return


async def test_stop_cancels_what_runs_after_the_grace_time(transport_name: str) -> None:
    async with serving(transport_name) as running, running.channel() as channel:
        held = asyncio.create_task(call(channel, "Hold"))
        await until(lambda: running.service.running == 1)
        await running.server.stop(0.05)
        assert await held in {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED}
        await until(lambda: running.service.cancelled == 1)


def headers(path: str) -> list[tuple[str, Any]]:
    return [
        (":method", "POST"),
        (":scheme", "http"),
        (":path", path),
        (":authority", "t"),
        ("te", "trailers"),
        ("content-type", "application/grpc"),
    ]
