"""Header blocks whose deadline changes from call to call, as grpcio and Go send them: nothing can be remembered."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any, Final

from bench.compare.case import Case
from bench.endurance.rawclient import END_HEADERS, END_STREAM, HEADERS, PREFACE, SETTINGS, frame, message, request_block
from laura_fast.wire.http2.server import ServerConnection

if TYPE_CHECKING:
    from collections.abc import Sequence

    from laura_fast.wire.http2.hpack_table import Fields

CALLS: Final = 100
PER_READ: Final = 10
BODY: Final = message(b"x" * 60)
INDEXED_TIMEOUT: Final = b"\x40\x0cgrpc-timeout"
"""A literal that enters the dynamic table (RFC 7541 §6.2.1)."""


class _Request:
    content_length = None
    takes_whole = True


class _Host:
    """Takes every request and answers none: only reading is measured."""

    def __init__(self) -> None:
        self.machine = ServerConnection(self, 100, 10.0)  # type: ignore[arg-type]  # the methods it needs
        self.taken = 0

    def prepare(self, _common: Fields, _own: Fields) -> _Request:
        return _Request()

    def whole(self, _stream_id: int, _request: Any, _body: bytes) -> None:
        self.taken += 1

    def run(self, _request: Any, run: Sequence[tuple[int, bytes]]) -> None:
        self.taken += len(run)

    def received(self, _stream: Any, _data: bytes) -> None:
        raise AssertionError("all requests come whole")


def prepare() -> Case:
    """A connection past its handshake."""
    host, block, numbers = _Host(), request_block("/lauradb.cluster.ClusterService/Heartbeat"), count()
    machine = host.machine
    machine.receive(PREFACE + frame(SETTINGS, 0, 0, b""), 0.0)

    def request() -> bytes:
        number = next(numbers)
        deadline = b"%du" % (10_000_000 + number % 10_000_000)
        stream, fields = 2 * number + 1, block + INDEXED_TIMEOUT + bytes((len(deadline),)) + deadline
        return frame(HEADERS, END_HEADERS, stream, fields) + frame(0, END_STREAM, stream, BODY)

    def begin() -> list[bytes]:
        return [b"".join(request() for _ in range(PER_READ)) for _ in range(CALLS // PER_READ)]

    def work(reads: list[bytes]) -> None:
        before = host.taken
        for read in reads:
            machine.receive(read, 0.0)
            machine.out.clear()
        assert host.taken == before + CALLS, "a request was not taken whole"

    return Case(CALLS, begin, work)
