"""A server made with the h2 library that answers as a script says, however odd, and whose steps tests can await."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import h2.config
import h2.connection
import h2.events

from laura_fast.transport.native.channel import insecure_channel

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

Fields = list[tuple[str, str]]
OK_HEAD: Fields = [(":status", "200"), ("content-type", "application/grpc")]
OK_TRAILERS: Fields = [("grpc-status", "0")]


def message(body: bytes, flags: int = 0, length: int | None = None) -> bytes:
    """A length-prefixed message; `length` other than the body's is a lie."""
    return bytes([flags]) + (len(body) if length is None else length).to_bytes(4, "big") + body


class Session(asyncio.Protocol):
    """One connection: hands each completed request to the script, with its number among all of the server's."""

    def __init__(self, server: ScriptedServer) -> None:
        config = h2.config.H2Configuration(
            client_side=False, validate_outbound_headers=False, normalize_outbound_headers=False
        )
        self.h2 = h2.connection.H2Connection(config)
        self.server = server
        self.headers: dict[int, dict[str, str]] = {}
        self.bodies: dict[int, bytes] = {}
        self.resets: list[tuple[int, int]] = []
        self.transport: Any = None
        self.pings = 0
        self.silent = True
        self.unread = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.server.sessions.append(self)
        if not self.server.silent:
            self.speak()

    def connection_lost(self, exc: Exception | None) -> None:
        self.server.lost += 1

    def speak(self) -> None:
        """Greets the client, and reads what it said meanwhile."""
        self.silent = False
        self.h2.initiate_connection()
        if self.server.settings:
            self.h2.update_settings(self.server.settings)
        self.data_received(self.unread)

    def data_received(self, data: bytes) -> None:
        if self.silent:
            self.unread += data
            return
        for event in self.h2.receive_data(data):
            if isinstance(event, h2.events.RequestReceived):
                assert event.stream_id is not None
                self.headers[event.stream_id] = {name.decode(): value.decode() for name, value in event.headers or ()}
                self.bodies[event.stream_id] = b""
                self.server.requests += 1
                if self.server.early:
                    self.server.script(self, event.stream_id)
            elif isinstance(event, h2.events.DataReceived):
                assert event.stream_id is not None
                self.bodies[event.stream_id] += event.data or b""
                if not self.server.deaf:
                    self.h2.acknowledge_received_data(event.flow_controlled_length or 0, event.stream_id)
            elif isinstance(event, h2.events.PingReceived):
                self.pings += 1
            elif isinstance(event, h2.events.StreamEnded) and not self.server.early:
                assert event.stream_id is not None
                self.server.script(self, event.stream_id)
            elif isinstance(event, h2.events.StreamReset):
                assert event.stream_id is not None
                self.resets.append((event.stream_id, int(event.error_code or 0)))
                self.server.reset.set()
        self.flush()

    def answer(self, stream_id: int, head: Fields | None, body: bytes, trailers: Fields | None) -> None:
        """The whole answer; without `trailers` the last frame before ends it."""
        if head is not None:
            self.h2.send_headers(stream_id, head, end_stream=not body and trailers is None)
        if body:
            self.h2.send_data(stream_id, body, end_stream=trailers is None)
        if trailers is not None:
            self.h2.send_headers(stream_id, trailers, end_stream=True)
        self.flush()

    def flush(self) -> None:
        self.transport.write(self.h2.data_to_send())


class ScriptedServer:
    """What the sessions share.

    Attributes:
        script: Called with a session and the id of a stream whose request is complete, or with `early` has begun.
        silent: Accepts connections and says nothing until `Session.speak`.
        early: See `script`.
        deaf: Gives clients no more room for their requests.
        requests: That began, on all connections.
        lost: Connections that ended.
        settings: Sent to each client.
    """

    def __init__(self, script: Callable[[Session, int], Any], settings: dict[Any, int] | None = None) -> None:
        self.script = script
        self.settings = settings
        self.sessions: list[Session] = []
        self.requests = 0
        self.lost = 0
        self.early = self.deaf = False
        self.silent = False
        self.reset = asyncio.Event()
        self.port = 0

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"


@asynccontextmanager
async def scripted(
    script: Callable[[Session, int], Any], settings: dict[Any, int] | None = None, port: int = 0
) -> AsyncIterator[ScriptedServer]:
    """A listening server; its connections are aborted at the end."""
    server = ScriptedServer(script, settings)
    listener = await asyncio.get_running_loop().create_server(lambda: Session(server), "127.0.0.1", port)
    server.port = listener.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listener.close()
        for session in server.sessions:
            session.transport.abort()


def open_channel(server: ScriptedServer, **options: Any) -> Any:
    """A native channel to it, that does not wait long to reconnect."""
    given = {"initial_reconnect_backoff_ms": 20, **options}
    return insecure_channel(server.address, options=[(f"grpc.{name}", value) for name, value in given.items()])


def echo(session: Session, stream_id: int) -> None:
    """A good answer."""
    session.answer(stream_id, OK_HEAD, session.bodies[stream_id], OK_TRAILERS)
