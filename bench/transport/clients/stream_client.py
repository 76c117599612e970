"""Load on streams of messages from prepared bytes: cheap enough that the server, not the client, is what is measured.

Each stream carries its share of all messages. A new message goes out for each answer that came in, so that the same
number is always on its way. That many bytes stay far below half of any server's window, after which it gives them
back; so the client needs no flow control of its own.
"""

from __future__ import annotations

import asyncio
import struct
import sys
import time
from collections import deque
from typing import TYPE_CHECKING

import msgspec
import uvloop

from bench.endurance import rawclient
from bench.endurance.rawclient import DATA, END_HEADERS, END_STREAM, HEADERS, RawConnection, frame, request_block
from bench.rivals import pyload
from bench.rivals.load import Load, LoadResult, Target, WrongAnswersError, percentiles
from bench.transport.clients.aio_client import add_message
from bench.transport.clients.message import message_options

if TYPE_CHECKING:
    from argparse import Namespace

HEAD = struct.Struct(">IBI")
HEAD_BYTES = 9


def run(target: Target, load: Load) -> LoadResult:
    """Sends `load.requests` messages over all streams.

    Raises:
        WrongAnswersError: A stream ended early, or its answers don't add up.
    """
    options = [*message_options(target, load), f"--in-flight={load.in_flight}"]
    return pyload.run("bench.transport.clients.stream_client", target, load, *options)


class Exchange:
    """One stream: what is still to send, and when what is not yet answered was sent."""

    __slots__ = ("answered_bytes", "sent_at", "to_send")

    def __init__(self, messages: int) -> None:
        self.to_send = messages
        self.answered_bytes = 0
        self.sent_at: deque[float] = deque()


class StreamConnection(RawConnection):
    """One connection with all its streams."""

    def __init__(self, arguments: Namespace) -> None:
        super().__init__(arguments.path, b"")
        self._body = rawclient.message(arguments.body.read_bytes())
        self._answer_bytes = arguments.answer_bytes + len(rawclient.message(b""))
        self._exchanges: dict[int, Exchange] = {}
        self._out: list[bytes] = []
        self.times_us: list[float] = []

    async def exchange(self, path: str, streams: int, messages: int, in_flight: int) -> None:
        """Sends `messages` messages on each of `streams` streams and returns when the last stream has ended.

        Raises:
            WrongAnswersError: The connection ended before.
        """
        self._done, self._target = asyncio.get_running_loop().create_future(), streams
        now = time.perf_counter()
        for stream in range(1, 2 * streams, 2):
            self._out.append(frame(HEADERS, END_HEADERS, stream, request_block(path)))
            self._exchanges[stream] = Exchange(messages)
            self._send(stream, min(in_flight, messages), now)
        self._write()
        await self._done
        if self.data_bytes != streams * messages * self._answer_bytes:
            raise WrongAnswersError(f"{self.data_bytes} answer bytes for {streams} × {messages} messages")

    def data_received(self, data: bytes) -> None:
        buffer, at, now, read_head = self._buffer + data, 0, time.perf_counter(), HEAD.unpack_from
        while len(buffer) - at >= HEAD_BYTES:
            head, flags, stream = read_head(buffer, at)
            end = at + HEAD_BYTES + (head >> 8)
            if end > len(buffer):
                break
            if head & 0xFF == DATA:
                self._answered(stream, head >> 8, now)
            else:
                self._frame(head & 0xFF, flags, head >> 8, buffer[at + HEAD_BYTES : end])
            at = end
        self._buffer = buffer[at:]
        self._write()

    def _answered(self, stream: int, size: int, now: float) -> None:
        self.data_bytes += size
        exchange = self._exchanges[stream]
        exchange.answered_bytes += size
        answers, exchange.answered_bytes = divmod(exchange.answered_bytes, self._answer_bytes)
        for _ in range(answers):
            self.times_us.append((now - exchange.sent_at.popleft()) * 1e6)
        self._send(stream, min(answers, exchange.to_send), now)

    def _send(self, stream: int, messages: int, now: float) -> None:
        """A frame for each message, as gRPC's own clients send them; the last ends our side."""
        exchange, body = self._exchanges[stream], self._body
        for _ in range(messages):
            exchange.to_send -= 1
            exchange.sent_at.append(now)
            self._out.append(frame(DATA, 0 if exchange.to_send else END_STREAM, stream, body))

    def _write(self) -> None:
        if self._out:
            self.transport.write(b"".join(self._out))
            self._out.clear()


async def main(arguments: Namespace) -> LoadResult:
    """All connections at once."""
    loop = asyncio.get_running_loop()
    host, _, port = arguments.address.rpartition(":")
    made = [
        await loop.create_connection(lambda: StreamConnection(arguments), host, int(port))
        for _ in range(arguments.connections)
    ]
    connections = [connection for _, connection in made]
    await asyncio.gather(*(connection.ready for connection in connections))
    share = arguments.requests // (arguments.connections * arguments.streams)
    started, started_cpu = time.perf_counter(), time.process_time()
    await asyncio.gather(
        *(one.exchange(arguments.path, arguments.streams, share, arguments.in_flight) for one in connections)
    )
    seconds, spent = time.perf_counter() - started, time.process_time() - started_cpu
    times_us = [single for connection in connections for single in connection.times_us]
    return LoadResult(len(times_us), seconds, percentiles(times_us), spent)


if __name__ == "__main__":
    asked = add_message(pyload.parser(__doc__))
    asked.add_argument("--in-flight", type=int, default=1, help="messages on their way on each stream")
    sys.stdout.buffer.write(msgspec.json.encode(uvloop.run(main(asked.parse_args()))))
