"""What depends on time passing without anything arriving: keep-alive, idle and stuck connections.

One timer per server looks at all connections; a timer per connection and purpose would cost more memory than the
connection itself. Times are therefore kept to within a sweep's interval.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from laura_fast.limits import transport as limits
from laura_fast.limits.http2 import LAST_STREAM_ID_BEFORE_DRAIN
from laura_fast.wire.http2.errors import ErrorCode

if TYPE_CHECKING:
    from laura_fast.transport.native.protocol import ServerProtocol
    from laura_fast.transport.native.state import ServerState
    from laura_fast.wire.http2.stream import Stream


class Sweeper:
    """Looks at every connection at a regular interval."""

    def __init__(self, server: ServerState, max_age_s: float | None) -> None:
        settings = server.settings
        self._server = server
        self._max_age_s = max_age_s if max_age_s is not None else float("inf")
        self._handshake_s = settings.connection_timeout_ms / 1000
        self._ping_after_s = settings.keepalive_interval_ms / 1000
        self._ping_answer_s = settings.keepalive_timeout_ms / 1000
        shortest_s = min(self._handshake_s, self._ping_after_s, self._ping_answer_s, self._max_age_s)
        self._interval_s = min(limits.SWEEP_LONGEST_S, max(limits.SWEEP_SHORTEST_S, shortest_s / 4))
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Sweeps from now on."""
        self._timer = asyncio.get_running_loop().call_later(self._interval_s, self._sweep)

    def stop(self) -> None:
        """Sweeps no more."""
        if self._timer is not None:
            self._timer.cancel()

    def _sweep(self) -> None:
        self.start()
        now = time.monotonic()
        for connection in tuple(self._server.connections):
            self._look_at(connection, now)

    def _look_at(self, connection: ServerProtocol, now: float) -> None:
        machine = connection.machine
        if connection.closing_at is not None:
            if now - connection.closing_at > limits.LINGER_S:
                connection.kill()
        elif not machine.settings_received:
            if now - connection.opened_at > self._handshake_s:
                connection.end(ErrorCode.SETTINGS_TIMEOUT, "no HTTP/2 handshake in time")
                connection.close()  # all it sent was read, so it can read this: no need to linger while others wait
        elif _is_stuck(connection, now):
            connection.end(ErrorCode.ENHANCE_YOUR_CALM, "a frame or a header block took too long")
        else:
            self._keep_alive(connection, now)
            self._retire(connection, now)
            if machine.streams:
                _reset_stalled(connection, now)

    def _keep_alive(self, connection: ServerProtocol, now: float) -> None:
        sent_at = connection.machine.ping_sent_at
        if sent_at is not None:
            if now - max(sent_at, connection.heard_at) > self._ping_answer_s:
                connection.kill()
        elif now - connection.heard_at >= self._ping_after_s:
            connection.machine.keep_alive(now)
            connection.flush_soon()

    def _retire(self, connection: ServerProtocol, now: float) -> None:
        machine = connection.machine
        if connection.draining_at is not None:
            if now - connection.draining_at > limits.DRAIN_ANSWER_S:
                machine.finish_draining()
                connection.flush_soon()
        elif (
            now - connection.opened_at > self._max_age_s
            or machine.last_stream_id > LAST_STREAM_ID_BEFORE_DRAIN
            or connection.idle_s(now) > limits.IDLE_CONNECTION_S
        ):
            connection.drain()


def _is_stuck(connection: ServerProtocol, now: float) -> bool:
    machine = connection.machine
    since = [at for at in (machine.partial_since, machine.block_since) if at is not None]
    return bool(since) and now - min(since) > limits.FRAME_S and not machine.blocked


def _reset_stalled(connection: ServerProtocol, now: float) -> None:
    """Streams that don't get on, either way: what they hold is memory somebody else could use."""
    machine = connection.machine
    stalled = [stream for stream in machine.streams.values() if _is_stalled(stream, now)]
    for stream in stalled:
        machine.reset_stream(stream.stream_id, ErrorCode.CANCEL)
        if stream.call is not None:
            stream.call.abort()
    if stalled:
        connection.flush_soon()


def _is_stalled(stream: Stream, now: float) -> bool:
    untaken = stream.stalled_s(now) > limits.STALL_S
    return untaken or (stream.call is not None and stream.call.dribbles(now))
