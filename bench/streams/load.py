"""One connection that talks to the server from prepared bytes and counts what comes back."""

from __future__ import annotations

import socket
import struct
import time
from typing import TYPE_CHECKING, Final

from bench.endurance.rawclient import DATA, END_HEADERS, END_STREAM, HEADERS, frame, message, request_block
from bench.streams.server import SERVICE

if TYPE_CHECKING:
    from collections.abc import Callable

STREAMS: Final = 10
SIZE: Final = 50
TIMEOUT_S: Final = 30.0
PATIENCE_S: Final = 0.2
"""For what a server sends of its own accord at the start."""
_MOST: Final = struct.pack(">I", 2**31 - 1 - 65_535)
_WIDE: Final = struct.pack(">HI", 4, 2**31 - 1)
_PREFACE: Final = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_SETTINGS, _PING, _WINDOW_UPDATE, _ACK = 4, 6, 8, 1
_CONTROL: Final = frozenset({_SETTINGS, _PING, _WINDOW_UPDATE})
_HEAD_BYTES: Final = 9


class Connection:
    """The server's windows are opened so wide that it never waits for them; its own are kept."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), TIMEOUT_S)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._rest = b""
        self.data_bytes = 0
        self.ended = 0
        self._initial = self._allowed = 65_535
        self._widened = 0
        self._socket.sendall(_PREFACE + frame(_SETTINGS, 0, 0, _WIDE) + frame(_WINDOW_UPDATE, 0, 0, _MOST))

    def close(self) -> None:
        """Ends it."""
        self._socket.close()

    def send(self, frames: bytes) -> None:
        """Sends frames."""
        self._socket.sendall(frames)

    def send_body(self, frames: bytes, size: int) -> None:
        """Sends DATA of the first stream, `size` octets of it, as soon as both windows take them."""
        self.until(lambda: size <= min(self._allowed, self._initial + self._widened))
        self._allowed -= size
        self._widened -= size
        self.send(frames)

    def open(self, method: str, streams: range) -> None:
        """Begins calls."""
        block = request_block(f"/{SERVICE}/{method}")
        self.send(b"".join(frame(HEADERS, END_HEADERS, stream, block) for stream in streams))

    def until(self, done: Callable[[], bool]) -> None:
        """Reads until `done`.

        Raises:
            EOFError: The server hung up.
        """
        while not done():
            data = self._socket.recv(1 << 18)
            if not data:
                raise EOFError
            self._take(self._rest + data)

    def _take(self, buffer: bytes) -> None:
        at = 0
        while len(buffer) - at >= _HEAD_BYTES:
            size, kind, flags = int.from_bytes(buffer[at : at + 3], "big"), buffer[at + 3], buffer[at + 4]
            end = at + _HEAD_BYTES + size
            if end > len(buffer):
                break
            if kind == DATA:
                self.data_bytes += size
            elif kind == HEADERS and flags & END_STREAM:
                self.ended += 1
            elif kind in _CONTROL:
                self._control(kind, flags, buffer[at + 5 : at + _HEAD_BYTES], buffer[at + _HEAD_BYTES : end])
            at = end
        self._rest = buffer[at:]

    def _control(self, kind: int, flags: int, stream: bytes, payload: bytes) -> None:
        if kind == _WINDOW_UPDATE:
            increment = int.from_bytes(payload, "big")
            if any(stream):
                self._widened += increment
            else:
                self._allowed += increment
        elif not flags & _ACK:
            if kind == _SETTINGS:
                self._initial = dict(struct.iter_unpack(">HI", payload)).get(4, self._initial)
            self.send(frame(kind, _ACK, 0, b"" if kind == _SETTINGS else payload))


def server_stream(connection: Connection, count: int) -> None:
    """One call that is answered `count` messages."""
    connection.open("Repeat", range(1, 2, 2))
    connection.send(frame(DATA, END_STREAM, 1, message(b"%d %d" % (count, SIZE))))
    connection.until(lambda: bool(connection.ended))
    _check(connection, count)


def echo(connection: Connection, count: int, method: str = "Echo") -> None:
    """Ten streams, each of which sends its next message when all were answered."""
    streams = range(1, 2 * STREAMS, 2)
    connection.open(method, streams)
    turn = b"".join(frame(DATA, 0, stream, message(bytes(SIZE))) for stream in streams)
    expected = 0
    for _ in range(count // STREAMS):
        expected += STREAMS * len(message(bytes(SIZE)))
        connection.send(turn)
        connection.until(lambda: connection.data_bytes >= expected)  # noqa: B023  # called before it changes
    _check(connection, count // STREAMS * STREAMS)


def exchange(connection: Connection, count: int) -> None:
    """The same with a handler that may be run without a task."""
    echo(connection, count, "Exchange")


def client_stream(connection: Connection, count: int) -> None:
    """One call that sends `count` messages, some of them in each piece; the server says how many came."""
    connection.open("Swallow", range(1, 2, 2))
    per_piece = 20
    piece = b"".join(frame(DATA, 0, 1, message(bytes(SIZE))) for _ in range(per_piece))
    for _ in range(count // per_piece):
        connection.send_body(piece, per_piece * len(message(bytes(SIZE))))
    connection.send(frame(DATA, END_STREAM, 1, b""))
    connection.until(lambda: bool(connection.ended))
    assert connection.data_bytes == len(message(b"%d" % (count // per_piece * per_piece)))


KINDS: Final[dict[str, Callable[[Connection, int], None]]] = {
    "server stream": server_stream,
    "client stream": client_stream,
    "echo": echo,
    "exchange": exchange,
}


def settle() -> None:
    """Lets a new server come to rest."""
    time.sleep(PATIENCE_S)


def _check(connection: Connection, count: int) -> None:
    assert connection.data_bytes == count * len(message(bytes(SIZE))), "an answer is missing or wrong"
