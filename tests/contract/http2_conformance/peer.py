"""A client that speaks HTTP/2 octet by octet, so that it can break each rule."""

from __future__ import annotations

import asyncio
import contextlib
import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

import hpack

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

PREFACE: Final = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(10)
END_STREAM = ACK = 0x1
END_HEADERS, PADDED, HAS_PRIORITY = 0x4, 0x8, 0x20

(NO_ERROR, PROTOCOL_ERROR, INTERNAL_ERROR, FLOW_CONTROL_ERROR, SETTINGS_TIMEOUT, STREAM_CLOSED, FRAME_SIZE_ERROR) = (
    range(7)
)
REFUSED_STREAM, CANCEL, COMPRESSION_ERROR, CONNECT_ERROR, ENHANCE_YOUR_CALM = range(7, 12)

SECONDS: Final = 5.0
"""Longest wait for an answer."""

Field = tuple[bytes, bytes]


class Frame(NamedTuple):
    """A received frame."""

    kind: int
    flags: int
    stream_id: int
    payload: bytes

    @property
    def error_code(self) -> int:
        """Of RST_STREAM and GOAWAY."""
        return int.from_bytes(self.payload[4:8] if self.kind == GOAWAY else self.payload[:4], "big")


def frame(kind: int, flags: int = 0, stream_id: int = 0, payload: bytes = b"", length: int | None = None) -> bytes:
    """A frame; `length` other than the payload's is a lie."""
    size = len(payload) if length is None else length
    return size.to_bytes(3, "big") + struct.pack(">BBI", kind, flags, stream_id) + payload


def u32(number: int) -> bytes:
    return struct.pack(">I", number)


def settings(*entries: tuple[int, int]) -> bytes:
    return frame(SETTINGS, payload=b"".join(struct.pack(">HI", *entry) for entry in entries))


def literal(fields: Iterable[Field]) -> bytes:
    """A header block of literals that touches no table."""
    return b"".join(b"\0" + _string(name) + _string(value) for name, value in fields)


def _string(octets: bytes) -> bytes:
    if len(octets) < 0x7F:
        return bytes([len(octets)]) + octets
    rest, length = len(octets) - 0x7F, bytearray([0x7F])
    while rest > 0x7F:
        length.append(0x80 | (rest & 0x7F))
        rest >>= 7
    return bytes(length) + bytes([rest]) + octets


def message(body: bytes) -> bytes:
    """A gRPC message."""
    return b"\0" + u32(len(body)) + body


def request(method: str = "Unary", **changes: bytes) -> list[Field]:
    """Fields of a call to the test service."""
    fields = {
        b":method": b"POST",
        b":scheme": b"http",
        b":path": b"/test.Echo/" + method.encode(),
        b":authority": b"localhost",
        b"te": b"trailers",
        b"content-type": b"application/grpc",
    }
    fields |= {name.encode().replace(b"_", b"-"): value for name, value in changes.items()}
    return list(fields.items())


def headers(
    stream_id: int, fields: Iterable[Field] | None = None, flags: int = END_HEADERS, *, block: bytes | None = None
) -> bytes:
    """HEADERS with the fields as literals, or with a block as it is."""
    content = literal(request() if fields is None else fields) if block is None else block
    return frame(HEADERS, flags, stream_id, content)


def data(stream_id: int, payload: bytes, flags: int = END_STREAM) -> bytes:
    return frame(DATA, flags, stream_id, payload)


def call(stream_id: int, body: bytes = b"ping", method: str = "Unary") -> bytes:
    """A whole unary call."""
    return headers(stream_id, request(method)) + data(stream_id, message(body))


class ConnectionEndedError(Exception):
    """The server closed."""


@dataclass
class Answer:
    """What came on one stream."""

    headers: list[list[Field]] = field(default_factory=list)
    body: bytes = b""
    data_sizes: list[int] = field(default_factory=list)

    @property
    def trailers(self) -> dict[bytes, bytes]:
        return dict(self.headers[-1])

    @property
    def status(self) -> bytes:
        return dict(self.headers[0])[b":status"]

    @property
    def messages(self) -> list[bytes]:
        found, rest = [], self.body
        while rest:
            end = 5 + int.from_bytes(rest[1:5], "big")
            found.append(rest[5:end])
            rest = rest[end:]
        return found


class Peer:
    """One connection. Frames of the handshake are read away; the rest is the test's to send and to judge."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._decoder = hpack.Decoder(max_header_list_size=1 << 20)
        self.server_settings: dict[int, int] = {}
        self.window_updates: dict[int, int] = {}
        self.seen: list[Frame] = []

    @classmethod
    async def connect(cls, port: int, *, preface: bytes = PREFACE, first: bytes | None = None) -> Peer:
        """Connects and sends the preface and SETTINGS (or `first`)."""
        peer = cls(*await asyncio.open_connection("127.0.0.1", port))
        peer.send(preface, settings() if first is None else first)
        return peer

    def send(self, *pieces: bytes) -> None:
        self._writer.write(b"".join(pieces))

    async def drain(self) -> None:
        await asyncio.wait_for(self._writer.drain(), SECONDS)

    async def close(self) -> None:
        self._writer.close()
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()

    async def read(self) -> Frame:
        """The next frame, handshake included.

        Raises:
            ConnectionEndedError: There is none.
        """
        try:
            head = await self._reader.readexactly(9)
            payload = await self._reader.readexactly(int.from_bytes(head[:3], "big"))
        except (asyncio.IncompleteReadError, OSError) as error:
            raise ConnectionEndedError from error
        received = Frame(head[3], head[4], int.from_bytes(head[5:], "big"), payload)
        self.seen.append(received)
        self._follow(received)
        return received

    def _follow(self, received: Frame) -> None:
        if received.kind == SETTINGS and not received.flags & ACK:
            self.server_settings |= dict(struct.iter_unpack(">HI", received.payload))
            self.send(frame(SETTINGS, ACK))
        elif received.kind == WINDOW_UPDATE:
            before = self.window_updates.get(received.stream_id, 0)
            self.window_updates[received.stream_id] = before + int.from_bytes(received.payload, "big")

    async def frames(self) -> AsyncIterator[Frame]:
        """Frames until the connection ends; every one within `SECONDS`."""
        while True:
            try:
                yield await asyncio.wait_for(self.read(), SECONDS)
            except ConnectionEndedError:
                return

    async def until(self, kind: int, *, stream_id: int | None = None, ack: bool | None = None) -> Frame:
        """The next frame of this kind; others pass."""
        async for received in self.frames():
            wanted = received.kind == kind and stream_id in (None, received.stream_id)
            if wanted and ack in (None, bool(received.flags & ACK)):
                return received
        raise ConnectionEndedError(f"no frame of kind {kind}, but {self.seen[-5:]}")

    async def answer(self, stream_id: int) -> Answer:
        """Everything on a stream up to END_STREAM."""
        return (await self.answers(stream_id))[stream_id]

    async def answers(self, *stream_ids: int) -> dict[int, Answer]:
        """Everything on several streams, which may be interleaved."""
        found, open_ids = {stream_id: Answer() for stream_id in stream_ids}, set(stream_ids)
        async for received in self.frames():
            if received.kind in (RST_STREAM, GOAWAY) and received.error_code and received.stream_id in (0, *open_ids):
                break
            self._add(received, found.get(received.stream_id, Answer()))
            if received.kind in (DATA, HEADERS) and received.flags & END_STREAM:
                open_ids.discard(received.stream_id)
            if not open_ids:
                return found
        raise AssertionError(f"no answer on streams {open_ids}, but {self.seen[-3:]}")

    def _add(self, received: Frame, answer: Answer) -> None:
        if received.kind == HEADERS:
            block = self._decoder.decode(received.payload, raw=True)
            answer.headers.append([(bytes(name), bytes(value)) for name, value in block])
        elif received.kind == DATA:
            answer.body += received.payload
            answer.data_sizes.append(len(received.payload))

    async def verdict(self, stream_id: int = 1) -> tuple[str, int]:
        """What the server made of what was sent: ("goaway", code) and closed; ("reset", code); else ("alive", 0).

        Alive is shown by the answer to a PING that was sent behind everything else.
        """
        self.send(frame(PING, payload=b"verdict?"))
        async for received in self.frames():
            if received.kind == GOAWAY:
                async for _ in self.frames():
                    pass
                return "goaway", received.error_code
            if received.kind == RST_STREAM and received.stream_id == stream_id and received.error_code != NO_ERROR:
                return "reset", received.error_code
            if received.kind == PING and received.flags & ACK and received.payload == b"verdict?":
                return "alive", 0
        return "closed", -1

    async def is_served(self, stream_id: int) -> bool:
        """A well-formed call on this stream is answered."""
        self.send(call(stream_id, b"again"))
        answer = await self.answer(stream_id)
        return answer.messages == [b"again"] and answer.trailers[b"grpc-status"] == b"0"
