"""Flow control and the end of a server, on both transports: a slow side stops the other, and nothing is lost."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import grpc
import pytest

from laura_fast.transport.settings import TransportSettings
from tests.contract.transport_kit import FACTORIES, Recorder, channel_options, until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

KIB = 1024
TIMEOUT_S = 20.0


class Streams:
    """Behaviours of `/t.S`."""

    def __init__(self) -> None:
        self.written = self.read = 0
        self.go_on = asyncio.Event()

    async def flood(self, request: bytes, _context: Any) -> AsyncIterator[bytes]:
        """Sixteen KiB, as often as the request says."""
        for _ in range(int(request)):
            yield bytes(16 * KIB)
            self.written += 1

    async def read_late(self, requests: Any, _context: Any) -> bytes:
        """Reads one message, waits, then reads the rest."""
        async for _ in requests:
            self.read += 1
            if self.read == 1:
                await self.go_on.wait()
        return b"%d" % self.read

    async def hold(self, request: bytes, _context: Any) -> bytes:
        await self.go_on.wait()
        return request

    def handlers(self) -> grpc.GenericRpcHandler:
        return grpc.method_handlers_generic_handler(
            "t.S",
            {
                "Flood": grpc.unary_stream_rpc_method_handler(self.flood),
                "ReadLate": grpc.stream_unary_rpc_method_handler(self.read_late),
                "Hold": grpc.unary_unary_rpc_method_handler(self.hold),
            },
        )


@pytest.fixture
def streams() -> Streams:
    return Streams()


@pytest.fixture
async def running(transport_name: str, streams: Streams) -> AsyncIterator[tuple[Any, str]]:
    server = FACTORIES[transport_name](TransportSettings(), Recorder())
    server.add_generic_rpc_handlers([streams.handlers()])
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    yield server, f"127.0.0.1:{port}"
    await server.stop(None)


def connect(address: str) -> Any:
    return grpc.aio.insecure_channel(address, options=channel_options())


async def test_a_client_that_does_not_read_stops_the_handler(running: Any, streams: Streams) -> None:
    """64 MiB are on offer; what is produced stays within windows and socket buffers until the client reads."""
    async with connect(running[1]) as channel:
        call = channel.unary_stream("/t.S/Flood")(b"4096", timeout=TIMEOUT_S)
        await call.read()
        produced = -1
        while produced != streams.written:
            produced = streams.written
            await asyncio.sleep(0.2)
        assert produced < 2048
        sizes = []
        while (answer := await call.read()) is not grpc.aio.EOF:
            sizes.append(len(answer))
    assert sizes == [16 * KIB] * 4095
    await until(lambda: streams.written == 4096)


async def test_a_handler_that_does_not_read_stops_the_client(running: Any, streams: Streams) -> None:
    async with connect(running[1]) as channel:
        call = channel.stream_unary("/t.S/ReadLate")(timeout=TIMEOUT_S)
        sent = 0

        async def send() -> None:
            nonlocal sent
            for _ in range(1024):
                await call.write(bytes(16 * KIB))
                sent += 1
            await call.done_writing()

        sending = asyncio.create_task(send())
        before = -1
        while before != sent:
            before = sent
            await asyncio.sleep(0.2)
        assert sent < 512
        streams.go_on.set()
        assert await call == b"1024"
        await sending


async def test_messages_of_every_size_around_frames_and_windows_arrive(running: Any, streams: Streams) -> None:
    streams.go_on.set()
    async with connect(running[1]) as channel:
        hold = channel.unary_unary("/t.S/Hold")
        for edge in (0, 16_384, 65_535, 1024 * KIB):
            for size in range(max(0, edge - 10), edge + 10, 4):
                request = bytes(range(256)) * (size // 256) + bytes(size % 256)
                assert await hold(request, timeout=TIMEOUT_S) == request


async def test_stop_waits_for_running_calls_and_refuses_new_ones(running: Any, streams: Streams) -> None:
    server, address = running
    async with connect(address) as channel:
        hold = channel.unary_unary("/t.S/Hold")
        first = asyncio.ensure_future(hold(b"first", timeout=TIMEOUT_S))
        await until(lambda: channel.get_state() is grpc.ChannelConnectivity.READY)
        await asyncio.sleep(0.05)
        stopping = asyncio.ensure_future(server.stop(10))
        await asyncio.sleep(0.1)
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await hold(b"second", timeout=1)
        assert refused.value.code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED)
        assert not stopping.done()
        streams.go_on.set()
        assert await first == b"first"
        async with asyncio.timeout(5):
            await stopping


async def test_stop_without_grace_ends_running_calls(running: Any) -> None:
    server, address = running
    async with connect(address) as channel:
        call = channel.unary_unary("/t.S/Hold")(b"", timeout=TIMEOUT_S)
        await until(lambda: channel.get_state() is grpc.ChannelConnectivity.READY)
        await asyncio.sleep(0.05)
        async with asyncio.timeout(5):
            await server.stop(None)
        assert await call.code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED)
