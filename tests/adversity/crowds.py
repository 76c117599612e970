"""Attacks that need more than one connection, or time: what each does to the server of an `Arena`.

Attackers come from an address of their own (all of 127.0.0.0/8 is loopback), as the probe is somebody else.
"""

from __future__ import annotations

import asyncio
import socket
from contextlib import ExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.adversity.arena import RSS_GROWTH_MIB
from tests.contract.http2_conformance.peer import PREFACE, Peer, data, frame, headers, message, request, settings, u32

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine, Iterator

ATTACKER = "127.0.0.2"
PLACES = 200
SILENT = PLACES + 100
WINDOW_UPDATE = 0x8
WIDE_OPEN = PREFACE + settings((4, 2**31 - 1)) + frame(WINDOW_UPDATE, payload=u32(2**31 - 1 - 65_535))


@contextmanager
def sockets(port: int, count: int, said: bytes = b"", host: str = ATTACKER) -> Iterator[list[socket.socket]]:
    """Connections that say this and nothing else until the end; those that are refused stay in the list."""
    with ExitStack() as open_ones:
        made = []
        for _ in range(count):
            one = socket.create_connection(("127.0.0.1", port), timeout=5, source_address=(host, 0))
            made.append(open_ones.enter_context(one))
            with suppress(OSError):
                one.sendall(said)
        yield made


async def silent_sockets(port: int) -> None:
    """More than there are places, held for as long as a probe needs for a few connections."""
    with sockets(port, SILENT):
        await asyncio.sleep(1.0)


async def half_handshakes(port: int) -> None:
    """The same with a preface, which is not yet a handshake."""
    with sockets(port, SILENT, PREFACE):
        await asyncio.sleep(1.0)


async def connection_churn(port: int) -> None:
    """Open and closed, two thousand times: the price of accepting."""
    for _ in range(20):
        with sockets(port, 100):
            await asyncio.sleep(0)


async def crowd_at_once(port: int) -> None:
    """No attack: all places of the server are asked for at once from one address, and every client is served."""
    async with crowd(port, PLACES - 10) as peers:
        served = await asyncio.gather(*(peer.is_served(1) for peer in peers))
        assert all(served)


@asynccontextmanager
async def crowd(
    port: int, count: int, met: Callable[[], Coroutine[Any, Any, None]] | None = None, host: str = ATTACKER
) -> AsyncIterator[list[Peer]]:
    """Clients that connect all at once, speak at once or when they were `met`, and are as they should be."""
    peers: list[Peer] = []

    async def connect() -> None:
        peer = Peer(*await asyncio.open_connection("127.0.0.1", port, local_addr=(host, 0)))
        peers.append(peer)
        if met is None:
            peer.send(PREFACE, settings())

    await asyncio.gather(*(connect() for _ in range(count)))
    if met is not None:
        await met()
        for peer in peers:
            peer.send(PREFACE, settings())
    try:
        yield peers
    finally:
        for peer in peers:
            await peer.close()


async def unread_answers(port: int) -> None:
    """Two connections with the widest windows ask for ten gigabytes each, and nobody reads the sockets."""
    wanted = b"".join(headers(i, request("Repeat")) + data(i, message(b"2000 50000")) for i in range(1, 201, 2))
    with sockets(port, 2, WIDE_OPEN + wanted):
        await asyncio.sleep(0.5)  # for as long as memory could grow


async def closed_windows(port: int) -> None:
    """A hundred streams that may not answer, and one that may by an octet at a time."""
    peer = await Peer.connect(port, first=settings((4, 0)))
    for stream_id in range(1, 201, 2):
        peer.send(headers(stream_id, request("Repeat")), data(stream_id, message(b"2000 50000")))
    peer.send(b"".join(frame(WINDOW_UPDATE, 0, 1, u32(1)) for _ in range(50)))
    await peer.drain()
    await asyncio.sleep(0.5)  # for as long as memory could grow
    await peer.close()


async def dribble(port: int) -> None:
    """A hundred streams, each of whose messages of 50,000 octets comes at twenty octets a second, for a second."""
    peer = await Peer.connect(port)
    for stream_id in range(1, 201, 2):
        peer.send(headers(stream_id, request("Collect")), data(stream_id, message(bytes(50_000))[:100], 0))
    with suppress(OSError):
        for _ in range(20):
            peer.send(b"".join(data(stream_id, b"x", 0) for stream_id in range(1, 201, 2)))
            await asyncio.sleep(0.05)
    await peer.close()


@dataclass(frozen=True)
class Crowd:
    """One of them, how much memory it may cost, and the server it is for."""

    row: int
    name: str
    growth_mib: float
    attack: Callable[[int], Coroutine[Any, Any, None]]
    settings: dict[str, Any] = field(default_factory=dict)
    limits: dict[str, Any] = field(default_factory=dict)


_FEW_PLACES = {"max_connections": PLACES, "connection_timeout_ms": 60_000}
_HASTY = {"BODY_S": 0.3, "SWEEP_LONGEST_S": 0.05}

CROWDS = [
    Crowd(11, "sockets that are not read", 2 * RSS_GROWTH_MIB, unread_answers),
    Crowd(11, "windows that stay closed", RSS_GROWTH_MIB, closed_windows),
    Crowd(12, "messages that dribble", RSS_GROWTH_MIB, dribble, limits=_HASTY),
    Crowd(18, "silent sockets", RSS_GROWTH_MIB, silent_sockets, _FEW_PLACES),
    Crowd(18, "half handshakes", RSS_GROWTH_MIB, half_handshakes, _FEW_PLACES),
    Crowd(18, "connections opened and closed", RSS_GROWTH_MIB, connection_churn, _FEW_PLACES),
    Crowd(18, "an honest crowd at once (no attack)", RSS_GROWTH_MIB, crowd_at_once, _FEW_PLACES),
]
"""The memory is what one hostile connection may cost, for each connection that asks for anything."""
