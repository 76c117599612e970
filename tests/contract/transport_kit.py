"""A server of either transport on loopback, and a peer that speaks raw HTTP/2 to it."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import grpc
import orjson
from hyperframe.frame import Frame, GoAwayFrame, HeadersFrame, PingFrame, SettingsFrame

from laura_fast.transport import grpcio, native
from laura_fast.transport.settings import RpcObserver, TlsFiles, TransportSettings

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator, Callable

FACTORIES: dict[str, Callable[..., Any]] = {"grpcio": grpcio.create_server, "native": native.create_server}
NAME_KINDS = ("peer_dns", "peer_uri")
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


class Recorder(RpcObserver):
    """An RpcObserver that remembers."""

    def __init__(self) -> None:
        self.started: list[str] = []
        self.codes: list[int] = []

    def rpc_started(self, method: str) -> None:
        self.started.append(method)

    def rpc_handled(self, method: str, code: int, seconds: float, peer: str) -> None:
        assert method in self.started
        assert seconds >= 0
        assert peer
        self.codes.append(code)


@dataclass
class Service:
    """Methods of service `t.T` that tests hold and let go."""

    open: asyncio.Event = field(default_factory=asyncio.Event)
    running: int = 0
    cancelled: int = 0

    async def hold(self, request: bytes, _context: Any) -> bytes:
        """Answers the request once `open` is set."""
        self.running += 1
        try:
            await self.open.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        finally:
            self.running -= 1
        return request

    async def echo(self, request: bytes, _context: Any) -> bytes:
        return request

    async def size(self, request: bytes, _context: Any) -> bytes:
        return str(len(request)).encode()

    async def who(self, _request: bytes, context: Any) -> bytes:
        """The caller's names by kind, as JSON."""
        properties = context.auth_context()
        return orjson.dumps({kind: sorted(map(bytes.decode, properties.get(kind, ()))) for kind in NAME_KINDS})

    async def blow(self, request: bytes, _context: Any) -> bytes:
        """As many bytes as the request says."""
        return bytes(int(request))

    async def ticks(self, request: bytes, _context: Any) -> AsyncIterator[bytes]:
        """One answer, and another once `open` is set."""
        yield request
        await self.open.wait()
        yield request

    def handler(self) -> grpc.GenericRpcHandler:
        unary = grpc.unary_unary_rpc_method_handler
        return grpc.method_handlers_generic_handler(
            "t.T",
            {
                "Hold": unary(self.hold),
                "Echo": unary(self.echo),
                "Who": unary(self.who),
                "Size": unary(self.size),
                "Blow": unary(self.blow),
                "Ticks": grpc.unary_stream_rpc_method_handler(self.ticks),
            },
        )


@dataclass
class Running:
    """A server under test."""

    server: Any
    port: int
    service: Service
    recorder: Recorder

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def channel(self, **options: int) -> Any:
        """A channel with a connection of its own, that neither retries nor waits long to reconnect."""
        return grpc.aio.insecure_channel(self.address, options=channel_options(**options))


def channel_options(**options: int) -> list[tuple[str, int]]:
    own = {"use_local_subchannel_pool": 1, "enable_retries": 0, "initial_reconnect_backoff_ms": 100}
    large = {"max_receive_message_length": -1, "max_send_message_length": -1}
    return [(f"grpc.{name}", value) for name, value in (own | large | options).items()]


@asynccontextmanager
async def serving(transport_name: str, *, tls: TlsFiles | Any = None, **settings: int) -> AsyncIterator[Running]:
    """A started server with `Service`; stopped hard at the end."""
    service, recorder = Service(), Recorder()
    server = FACTORIES[transport_name](TransportSettings(**settings), recorder)
    server.add_generic_rpc_handlers([service.handler()])
    port = server.add_tls_port("127.0.0.1:0", tls) if tls else server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        yield Running(server, port, service, recorder)
    finally:
        await server.stop(None)


async def call(channel: Any, method: str, request: bytes = b"x", **options: Any) -> Any:
    """The answer, or the code."""
    try:
        return await channel.unary_unary(f"/t.T/{method}")(request, **{"timeout": 10, **options})
    except grpc.aio.AioRpcError as error:
        return error.code()


async def until(condition: Callable[[], bool]) -> None:
    """Polls; TimeoutError after 5 s."""
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110  # looks at plain state of the server, there is no event to wait for
            await asyncio.sleep(0.002)


class RawPeer:
    """A client at the level of frames, that does only what it is told."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    @asynccontextmanager
    async def connect(cls, port: int, context: ssl.SSLContext | None = None) -> AsyncIterator[RawPeer]:
        name = "localhost" if context else None
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context, server_hostname=name)
        try:
            yield cls(reader, writer)
        finally:
            writer.transport.abort()  # closing would wait for the server's close_notify, which C-core never sends

    def send(self, *frames: Frame | bytes) -> None:
        self._writer.write(b"".join(item if isinstance(item, bytes) else item.serialize() for item in frames))

    def greet(self) -> None:
        """Preface, SETTINGS, and the acknowledgement of the server's."""
        self.send(PREFACE, SettingsFrame(), SettingsFrame(flags=["ACK"]))

    def ping(self, mark: int) -> None:
        self.send(PingFrame(opaque_data=mark.to_bytes(8, "big")))

    async def pong(self) -> bool:
        """Waits for the answer to a ping; False if the server closes first."""
        while (frame := await self.frame()) is not None:
            if isinstance(frame, PingFrame) and "ACK" in frame.flags:
                return True
        return False

    async def frame(self) -> Frame | None:
        """The server's next frame; None once it has closed."""
        try:
            header = await self._reader.readexactly(9)
            frame, length = Frame.parse_frame_header(memoryview(header))
            frame.parse_body(memoryview(await self._reader.readexactly(length)))
        except (asyncio.IncompleteReadError, ConnectionError):
            return None
        return frame

    async def frames_until_closed(self) -> list[Frame]:
        frames = []
        while (frame := await self.frame()) is not None:
            frames.append(frame)
        return frames

    async def next_of(self, kind: type[Frame]) -> Any:
        """The next frame of a kind that is no acknowledgement; None if the server closes first."""
        while (frame := await self.frame()) is not None:
            if isinstance(frame, kind) and "ACK" not in frame.flags:
                return frame
        return None

    async def closed(self) -> bool:
        """Waits for the end of the connection."""
        await self.frames_until_closed()
        return True


def goaway_of(frames: list[Frame]) -> tuple[int, bytes] | None:
    """Error code and text of the last GOAWAY."""
    found = [frame for frame in frames if isinstance(frame, GoAwayFrame)]
    return (found[-1].error_code, found[-1].additional_data) if found else None


def request_headers(stream_id: int, block: bytes) -> HeadersFrame:
    return HeadersFrame(stream_id, block, flags=["END_HEADERS"])
