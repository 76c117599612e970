"""What the native channel does when servers refuse, leave, stall or die: no call is lost that need not be."""

from __future__ import annotations

import asyncio
import gc
from typing import TYPE_CHECKING, Any

import grpc
import h2.settings
import pytest

from laura_fast.limits.http2 import STREAM_QUEUE_BYTES, STREAM_WINDOW_BYTES
from laura_fast.limits.rpc import CHANNEL_CONNECTIONS, TRANSPARENT_RETRIES
from tests.contract.scripted_server import OK_HEAD, OK_TRAILERS, Session, echo, message, open_channel, scripted
from tests.contract.transport_kit import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

Code = grpc.StatusCode
REFUSED_STREAM, CANCEL = 7, 8
ONE_STREAM: dict[Any, int] = {h2.settings.SettingCodes.MAX_CONCURRENT_STREAMS: 1}


def unary(channel: Any, body: bytes = b"x", **options: Any) -> Any:
    return channel.unary_unary("/t.T/Echo")(body, **{"timeout": 5, **options})


async def test_a_refused_stream_is_sent_again() -> None:
    def script(session: Session, stream_id: int) -> None:
        if session.server.requests == 1:
            session.h2.reset_stream(stream_id, REFUSED_STREAM)
        else:
            echo(session, stream_id)

    async with scripted(script) as server, open_channel(server) as channel:
        assert await unary(channel) == b"x"
        assert server.requests == 2


async def test_a_server_that_always_refuses_is_not_asked_for_ever() -> None:
    def script(session: Session, stream_id: int) -> None:
        session.h2.reset_stream(stream_id, REFUSED_STREAM)

    async with scripted(script) as server, open_channel(server) as channel:
        assert await unary(channel).code() is Code.UNAVAILABLE
        assert server.requests == 1 + TRANSPARENT_RETRIES


async def test_a_refused_stream_of_requests_is_sent_again_whole() -> None:
    def script(session: Session, stream_id: int) -> None:
        if session.server.requests == 1:
            session.h2.reset_stream(stream_id, REFUSED_STREAM)
        else:
            count = session.bodies[stream_id].count(message(b"y"))
            session.answer(stream_id, OK_HEAD, message(b"%d" % count), OK_TRAILERS)

    async with scripted(script) as server, open_channel(server) as channel:
        assert await channel.stream_unary("/t.T/Count")(iter([b"y"] * 3), timeout=5) == b"3"


async def test_goaway_moves_what_was_not_processed_to_a_new_connection_and_lets_the_rest_end() -> None:
    held: list[tuple[Session, int]] = []

    def script(session: Session, stream_id: int) -> None:
        if len(server.sessions) > 1:
            echo(session, stream_id)
            return
        held.append((session, stream_id))
        if len(held) == 3:
            session.h2.close_connection(last_stream_id=1)
            # h2 answers nothing behind its GOAWAY, so the frames of the stream that still ends are written by hand.
            head, end = b"\x88\x5f\x10application/grpc", b"\x40\x0bgrpc-status\x010"
            session.flush()
            session.transport.write(len(head).to_bytes(3, "big") + b"\1\4\0\0\0\1" + head)
            session.transport.write((6).to_bytes(3, "big") + b"\0\0\0\0\0\1" + message(b"1"))
            session.transport.write(len(end).to_bytes(3, "big") + b"\1\5\0\0\0\1" + end)

    async with scripted(script) as server, open_channel(server) as channel:
        answers = await asyncio.gather(*(unary(channel, body) for body in (b"1", b"2", b"3")))
        assert answers == [b"1", b"2", b"3"]
        assert len(server.sessions) == 2
        await until(lambda: server.lost == 1)


async def test_calls_beyond_the_stream_limit_get_more_connections_and_then_wait() -> None:
    held: list[tuple[Session, int]] = []
    async with scripted(lambda *call: held.append(call), ONE_STREAM) as server, open_channel(server) as channel:
        bodies = [b"%d" % index for index in range(CHANNEL_CONNECTIONS + 2)]
        calls = [asyncio.ensure_future(unary(channel, body)) for body in bodies]
        await until(lambda: len(held) == CHANNEL_CONNECTIONS)
        assert len(server.sessions) == CHANNEL_CONNECTIONS
        while held:
            echo(*held.pop())
            await asyncio.sleep(0)
            if not held and not all(call.done() for call in calls):
                await until(lambda: bool(held) or all(call.done() for call in calls))
        assert await asyncio.gather(*calls) == bodies
        assert len(server.sessions) == CHANNEL_CONNECTIONS


async def test_a_connection_that_dies_ends_its_calls_and_the_next_call_gets_another() -> None:
    def script(session: Session, stream_id: int) -> None:
        if len(server.sessions) == 1:
            session.transport.abort()
        else:
            echo(session, stream_id)

    async with scripted(script) as server, open_channel(server) as channel:
        assert await unary(channel).code() is Code.UNAVAILABLE
        assert server.requests == 1, "a server that may have acted is not asked again"
        assert await unary(channel) == b"x"


async def test_nobody_listens_fails_at_once_unless_the_call_waits() -> None:
    async with scripted(echo) as server:
        address = server.port
    async with open_channel(server) as channel:
        with pytest.raises(grpc.aio.AioRpcError, match="Connection refused"):
            await unary(channel)
        assert channel.get_state() is grpc.ChannelConnectivity.TRANSIENT_FAILURE
        waiting = asyncio.ensure_future(unary(channel, wait_for_ready=True))
        async with scripted(echo, port=address):
            assert await waiting == b"x"
            assert channel.get_state() is grpc.ChannelConnectivity.READY


async def test_a_half_open_connection_is_noticed_by_keep_alive() -> None:
    async with scripted(lambda *_: None) as server:
        options = {"keepalive_time_ms": 50, "keepalive_timeout_ms": 50}
        async with open_channel(server, **options) as channel:
            call = unary(channel)
            await until(lambda: server.requests == 1)
            server.sessions[0].transport.pause_reading()
            assert await call.code() is Code.UNAVAILABLE
            assert "keep-alive" in await call.details()


async def test_pings_that_are_answered_keep_a_slow_call() -> None:
    held: list[tuple[Session, int]] = []
    async with (
        scripted(lambda *call: held.append(call)) as server,
        open_channel(server, keepalive_time_ms=20, keepalive_timeout_ms=1000) as channel,
    ):
        call = unary(channel)
        await until(lambda: bool(held) and held[0][0].pings >= 3)
        echo(*held[0])
        assert await call == b"x"


@pytest.mark.parametrize("how", ["cancel", "deadline"])
async def test_a_call_given_up_resets_its_stream(how: str) -> None:
    async with scripted(lambda *_: None) as server, open_channel(server) as channel:
        call = unary(channel, timeout=0.05 if how == "deadline" else 5)
        await until(lambda: server.requests == 1)
        if how == "cancel":
            assert call.cancel()
        assert await call.code() is (Code.CANCELLED if how == "cancel" else Code.DEADLINE_EXCEEDED)
        await asyncio.wait_for(server.reset.wait(), 5)
        assert server.sessions[0].resets == [(1, CANCEL)]


@pytest.mark.parametrize("kind", ["unary_stream", "stream_stream"])
async def test_a_call_dropped_before_its_end_resets_its_stream(kind: str) -> None:
    def script(session: Session, stream_id: int) -> None:
        session.h2.send_headers(stream_id, OK_HEAD)
        session.h2.send_data(stream_id, message(b"x"))

    async with scripted(script) as server, open_channel(server) as channel:
        server.early = True
        begin = getattr(channel, kind)("/t.T/Pour")
        call = begin(b"x", timeout=5) if kind == "unary_stream" else begin(timeout=5)
        assert await call.read() == b"x"
        del call
        gc.collect()
        await asyncio.wait_for(server.reset.wait(), 5)
        assert server.sessions[0].resets == [(1, CANCEL)]


async def test_a_task_that_is_cancelled_cancels_its_call() -> None:
    async with scripted(lambda *_: None) as server, open_channel(server) as channel:
        task = asyncio.ensure_future(unary(channel))
        await until(lambda: server.requests == 1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.wait_for(server.reset.wait(), 5)


async def test_a_reader_that_does_not_read_stops_the_server() -> None:
    """Back-pressure: no more than one window is sent to somebody who takes nothing."""
    sent = 0

    def script(session: Session, stream_id: int) -> None:
        session.h2.send_headers(stream_id, OK_HEAD)
        pour(session, stream_id)

    def pour(session: Session, stream_id: int) -> None:
        nonlocal sent
        while session.h2.local_flow_control_window(stream_id) >= 1005:
            session.h2.send_data(stream_id, message(bytes(1000)))
            sent += 1005
        session.flush()

    async with scripted(script) as server, open_channel(server) as channel:
        call = channel.unary_stream("/t.T/Pour")(b"x", timeout=5)
        assert await call.read() == bytes(1000)
        assert sent <= STREAM_WINDOW_BYTES
        for _ in range(50):
            await call.read()
        await until(lambda: server.sessions[0].h2.local_flow_control_window(1) > 1005)
        pour(server.sessions[0], 1)
        assert sent > STREAM_WINDOW_BYTES
        call.cancel()


async def test_a_server_that_does_not_read_stops_the_writer() -> None:
    async with scripted(lambda *_: None) as server, open_channel(server) as channel:
        server.early = server.deaf = True
        written = 0

        async def requests() -> AsyncIterator[bytes]:
            nonlocal written
            while True:
                written += 1000
                yield bytes(1000)

        call = channel.stream_unary("/t.T/Sink")(requests(), timeout=5)
        await until(lambda: server.requests == 1 and len(server.sessions[0].bodies[1]) > 60_000)
        before = -1
        while before != written:
            before = written
            await asyncio.sleep(0.01)
        assert written <= STREAM_QUEUE_BYTES + 65_535 + 2_000
        call.cancel()


async def test_states_and_close() -> None:
    async with scripted(echo) as server:
        channel = open_channel(server)
        assert channel.get_state() is grpc.ChannelConnectivity.IDLE
        await asyncio.wait_for(channel.channel_ready(), 5)
        assert channel.get_state() is grpc.ChannelConnectivity.READY
        server.script = lambda *_: None
        call = unary(channel)
        await channel.close()
        assert await call.code() is Code.CANCELLED
        assert channel.get_state() is grpc.ChannelConnectivity.SHUTDOWN
        with pytest.raises(grpc.aio.UsageError):
            unary(channel)
        await until(lambda: server.lost == 1)
