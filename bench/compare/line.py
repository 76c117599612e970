"""A connection of the native server without a socket: bytes in, bytes out."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any, Final

from bench import data
from bench.endurance.rawclient import (
    END_HEADERS,
    END_STREAM,
    HEADERS,
    PREFACE,
    SETTINGS,
    WINDOW,
    WINDOW_UPDATE,
    frame,
    message,
    request_block,
)
from laura_fast.node.membership import Membership
from laura_fast.node.settings import MembershipSettings
from laura_fast.observability.rpc import RpcStats
from laura_fast.services.binding import bind
from laura_fast.services.cluster import ClusterServicer
from laura_fast.services.contract import SERVICES
from laura_fast.services.identity import identity_check
from laura_fast.services.nodes import encode_node
from laura_fast.testing.clock import VirtualClock
from laura_fast.transport.native.protocol import ServerProtocol
from laura_fast.transport.native.state import ServerState
from laura_fast.transport.settings import TransportSettings

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Sequence

    from laura_fast.metadata.store import MetadataStore

CLUSTER: Final = "lauradb.cluster.ClusterService"
_HEAD: Final = struct.Struct(">BHBBI")


class Wire:
    """The transport that the protocol writes to.

    Attributes:
        written: What came since it was last cleared.
        ended: Streams that the server ended.
        target: When so many have ended, `done` is told.
    """

    def __init__(self) -> None:
        self.written: list[bytes] = []
        self.ended = 0
        self.target = 0
        self.done: asyncio.Future[None] | None = None

    def write(self, piece: bytes) -> None:
        """Keeps it; only when somebody waits is it worth a look."""
        self.written.append(piece)
        if self.done is not None:
            self.ended += ended_streams(piece)
            if self.ended >= self.target and not self.done.done():
                self.done.set_result(None)

    def get_extra_info(self, name: str) -> Any:
        """A peer as of IPv4, no TLS."""
        return ("127.0.0.1", 50_000) if name == "peername" else None

    def is_closing(self) -> bool:
        """Never."""
        return False

    def can_write_eof(self) -> bool:
        """No: a server that ends the connection goes straight to `close`."""
        return False

    def close(self) -> None:
        """A benchmark keeps to the protocol, so this is a failure."""
        raise AssertionError(f"the server ended the connection: {self.written!r}")

    def pause_reading(self) -> None:
        """Nobody reads."""

    def resume_reading(self) -> None:
        """Nobody reads."""


def ended_streams(piece: bytes) -> int:
    """Streams that whole frames in `piece` end."""
    position = found = 0
    while position < len(piece):
        high, low, kind, flags, _stream = _HEAD.unpack_from(piece, position)
        found += kind <= HEADERS and flags & END_STREAM
        position += _HEAD.size + (high << 16 | low)
    return found


class Line:
    """One client of a whole server, on a virtual clock: services, statistics and machine are the real ones."""

    def __init__(self, loop: asyncio.AbstractEventLoop, store: MetadataStore) -> None:
        self.loop = loop
        self.wire = Wire()
        clock = VirtualClock(wall_ms=data.EPOCH_MS)
        self.membership = Membership(store, clock, MembershipSettings(), encode_node)
        statistics = RpcStats()
        statistics.add_service(SERVICES[CLUSTER])
        servicer = ClusterServicer(
            self.membership, clock, max_wait_ms=1_000, require_identity=identity_check(tls_bind_node_id=False)
        )
        state = ServerState(TransportSettings(), statistics, (), None, None)
        state.methods.add_generic([bind(SERVICES[CLUSTER], servicer)])
        self._server = ServerProtocol(state, loop, lambda: None)
        self._server.connection_made(self.wire)  # type: ignore[arg-type]  # as much of a transport as it uses
        self._next_stream = 1
        loop.run_until_complete(self.membership.start())
        widen = frame(WINDOW_UPDATE, 0, 0, WINDOW.to_bytes(4, "big"))  # for 100 million answers
        self.feed(PREFACE + frame(SETTINGS, 0, 0, b"") + widen)

    def requests(self, method: str, payloads: Sequence[bytes]) -> bytes:
        """One unary call per payload, as one read brings them."""
        block = request_block(f"/{CLUSTER}/{method}")
        parts: list[bytes] = []
        for payload in payloads:
            stream, self._next_stream = self._next_stream, self._next_stream + 2
            parts += frame(HEADERS, END_HEADERS, stream, block), frame(0, END_STREAM, stream, message(payload))
        return b"".join(parts)

    def feed(self, received: bytes) -> list[bytes]:
        """Hands the server bytes; what it wrote meanwhile."""
        written: list[bytes] = []
        self.wire.written = written
        self._server.data_received(received)
        return written

    def call(self, received: bytes, calls: int) -> list[bytes]:
        """Hands the server bytes and runs the loop until it has ended `calls` streams."""
        self.wire.ended, self.wire.target, self.wire.done = 0, calls, self.loop.create_future()
        written: list[bytes] = []
        self.wire.written = written
        self._server.data_received(received)
        self.loop.run_until_complete(self.wire.done)
        self.wire.done = None
        return written

    def close(self) -> None:
        """Ends the server's tasks and the loop."""
        self._server.connection_lost(None)
        self.loop.run_until_complete(self.membership.stop())
        self.loop.close()
