"""A gRPC caller made of prepared bytes: cheap enough that the server, not the caller, is what is measured.

Header blocks use only literals without indexing (RFC 7541 §6.2.2), so no state is shared with the server's decoder.
"""

from __future__ import annotations

import asyncio
import itertools
import socket
import struct
from typing import cast

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE = 0, 1, 3, 4, 6, 7, 8
END_STREAM, END_HEADERS, ACK = 0x1, 0x4, 0x1
CANCEL = 8
WINDOW = 2**31 - 1 - 65_535
SETTINGS_BY_ID = struct.Struct(">HI")


def frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    """One HTTP/2 frame (RFC 9113 §4.1)."""
    return len(payload).to_bytes(3, "big") + bytes((kind, flags)) + stream.to_bytes(4, "big") + payload


def request_block(path: str) -> bytes:
    """The header block of a gRPC call."""
    fields = [
        (":method", "POST"),
        (":scheme", "http"),
        (":path", path),
        (":authority", "localhost"),
        ("te", "trailers"),
        ("content-type", "application/grpc"),
    ]
    return b"".join(b"\x00" + _text(name) + _text(value) for name, value in fields)


def _text(value: str) -> bytes:
    raw = value.encode()
    assert len(raw) < 127, "one length byte is all this client writes"
    return bytes((len(raw),)) + raw


def message(payload: bytes) -> bytes:
    """An uncompressed length-prefixed gRPC message."""
    return b"\x00" + len(payload).to_bytes(4, "big") + payload


class RawConnection(asyncio.Protocol):
    """One connection that repeats one prepared call, with one message after the other.

    Attributes:
        data_bytes: Bytes of DATA frames received: what proves that the answers were answers.
        finished: Streams that the server ended.
        gone_away: Error code of a GOAWAY, or None.
    """

    def __init__(self, path: str, *payloads: bytes) -> None:
        self._block = request_block(path)
        self._bodies = itertools.cycle([message(payload) for payload in payloads])
        self._next_stream = 1
        self._buffer = b""
        self._target = 0
        self._done: asyncio.Future[None] | None = None
        self._wanted = 0
        self.data_bytes = 0
        self.finished = 0
        self.gone_away: int | None = None
        self.ready = asyncio.get_running_loop().create_future()
        self.closed = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)  # uvloop's is none by inheritance
        settings = SETTINGS_BY_ID.pack(4, 2**31 - 1)
        window = frame(WINDOW_UPDATE, 0, 0, WINDOW.to_bytes(4, "big"))
        self.transport.write(PREFACE + frame(SETTINGS, 0, 0, settings) + window)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the interface of asyncio.Protocol
        for future in (self.ready, self.closed, self._done):
            if future and not future.done():
                future.set_result(None)

    def data_received(self, data: bytes) -> None:
        buffer = self._buffer + data
        at = 0
        while len(buffer) - at >= 9:
            length = int.from_bytes(buffer[at : at + 3], "big")
            if len(buffer) - at < 9 + length:
                break
            self._frame(buffer[at + 3], buffer[at + 4], length, buffer[at + 9 : at + 9 + length])
            at += 9 + length
        self._buffer = buffer[at:]

    def _frame(self, kind: int, flags: int, length: int, payload: bytes) -> None:
        if kind == DATA:
            self.data_bytes += length
        if kind in (DATA, HEADERS) and flags & END_STREAM:
            self._stream_ended()
        elif kind == SETTINGS and not flags & ACK:
            self.transport.write(frame(SETTINGS, ACK, 0, b""))
            if not self.ready.done():
                self.ready.set_result(None)
        elif kind == PING and not flags & ACK:
            self.transport.write(frame(PING, ACK, 0, payload))
        elif kind == GOAWAY:
            self.gone_away = int.from_bytes(payload[4:8], "big")

    def _stream_ended(self) -> None:
        self.finished += 1
        if self._wanted:
            self._wanted -= 1
            self.transport.write(self._call())
        elif self._done and self.finished >= self._target and not self._done.done():
            self._done.set_result(None)

    def _call(self, end: int = END_STREAM) -> bytes:
        stream, self._next_stream = self._next_stream, self._next_stream + 2
        return frame(HEADERS, END_HEADERS, stream, self._block) + frame(DATA, end, stream, next(self._bodies))

    async def run(self, calls: int, in_flight: int) -> None:
        """Makes `calls` calls, `in_flight` at a time, and returns when the last is answered."""
        await self.ready
        self._done = asyncio.get_running_loop().create_future()
        self._target = self.finished + calls
        first = min(calls, in_flight)
        self._wanted = calls - first
        self.transport.write(b"".join(self._call() for _ in range(first)))
        await self._done

    async def cancel(self, calls: int, in_flight: int) -> None:
        """Begins `calls` calls and resets each one, `in_flight` at a time."""
        await self.ready
        for begun in range(0, calls, in_flight):
            streams = range(self._next_stream, self._next_stream + 2 * min(in_flight, calls - begun), 2)
            self.transport.write(b"".join(self._call() for _ in streams))
            await asyncio.sleep(0)
            reset = CANCEL.to_bytes(4, "big")
            self.transport.write(b"".join(frame(RST_STREAM, 0, stream, reset) for stream in streams))
            await asyncio.sleep(0)

    def abort(self) -> None:
        """Closes with a reset, so that no port stays in TIME_WAIT."""
        handle = self.transport.get_extra_info("socket")
        if handle is not None:
            handle.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.transport.abort()


async def connect(address: tuple[str, int], path: str, *payloads: bytes) -> RawConnection:
    """Opens a connection that will repeat the call `path`, its messages taken in turn from `payloads`."""
    loop = asyncio.get_running_loop()
    _, protocol = await loop.create_connection(lambda: RawConnection(path, *payloads), *address)
    return protocol
