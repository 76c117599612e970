"""Many connections, or slow ones, beside a well-behaved client that must not notice: rows 11, 12 and 18."""

from __future__ import annotations

import asyncio
import socket
import time
from typing import TYPE_CHECKING

import pytest

from tests.adversity import crowds
from tests.adversity.arena import Watched, arena
from tests.contract.http2_conformance.peer import CANCEL, PREFACE, RST_STREAM, Peer, data, headers, message, request

if TYPE_CHECKING:
    from collections.abc import Callable

FILES = 128


@pytest.mark.parametrize("crowd", crowds.CROWDS, ids=lambda crowd: f"{crowd.row} {crowd.name}")
async def test_the_probe_does_not_notice(crowd: crowds.Crowd) -> None:
    with arena(crowd.settings, crowd.limits) as place, Watched(place, crowd.growth_mib):
        await crowd.attack(place.port)


def test_more_connections_than_allowed() -> None:
    """Row 18: refused at accept; those that are in go on, and places come back."""
    with arena({"max_connections": 20}) as place, Watched(place):
        sockets = [socket.create_connection(("127.0.0.1", place.port)) for _ in range(60)]
        for each in sockets:
            each.settimeout(5)
        refused = [each for each in sockets if not _greeted(each)]
        assert 40 <= len(refused) <= 42
        for each in sockets:
            each.close()


def _greeted(connected: socket.socket) -> bool:
    try:
        return bool(connected.recv(1))
    except ConnectionError:
        return False


@pytest.mark.parametrize("said", [b"", PREFACE[:5], PREFACE], ids=["nothing", "half a preface", "no SETTINGS"])
async def test_silent_sockets_of_one_address_leave_places_for_others(said: bytes) -> None:
    """Row 18: they take all places, and give them to whoever comes from elsewhere."""
    settings = {"max_connections": crowds.PLACES, "connection_timeout_ms": 60_000}
    with arena(settings) as place, Watched(place), crowds.sockets(place.port, crowds.SILENT, said):
        async with crowds.crowd(place.port, 50, host="127.0.0.3") as polite:
            assert all([await peer.is_served(1) for peer in polite])


async def test_who_waits_behind_silent_sockets_comes_in_when_they_time_out() -> None:
    """Row 18: not refused, though of the same address."""
    settings = {"max_unauthenticated_per_address": 5, "connection_timeout_ms": 1_000}
    with arena(settings) as place, Watched(place), crowds.sockets(place.port, 5):
        started, most = time.monotonic(), place.server.num_fds() + 20

        async def accepted() -> None:
            """Who speaks before is let in at once."""
            await _until(lambda: place.server.num_fds() >= most)

        async with crowds.crowd(place.port, 20, accepted) as polite:
            assert all([await peer.is_served(1) for peer in polite])
        assert time.monotonic() - started > 0.5


async def test_accepting_pauses_while_descriptors_are_short() -> None:
    """Row 18: connections get four fifths of them; those that are in go on, those outside wait, nobody is refused."""
    with arena(files=FILES) as place:
        first = await Peer.connect(place.port)
        assert await first.is_served(1)
        place.probe.kill()
        with crowds.sockets(place.port, FILES):
            await _until(lambda: place.server.num_fds() >= FILES * 0.8)
            assert all([await first.is_served(stream_id) for stream_id in range(3, 203, 2)])
            assert place.server.num_fds() <= FILES * 0.8 + 1
            late = socket.create_connection(("127.0.0.1", place.port), timeout=5)
        assert late.recv(9)[3] == 4, "SETTINGS, once the others are gone"
        late.close()
        await first.close()


@pytest.mark.parametrize("method", ["Unary", "Collect"])
async def test_a_message_must_go_on_once_it_has_begun(method: str) -> None:
    """Row 12: of a unary call or of a stream; the same connection's other streams, silent or not, go on."""
    with arena(limits={"BODY_S": 0.3, "SWEEP_LONGEST_S": 0.05}) as place, Watched(place):
        peer = await Peer.connect(place.port)
        peer.send(headers(1, request("Echo")), data(1, message(b"whole"), 0))
        peer.send(headers(3, request(method)), data(3, message(bytes(1_000))[:10], 0))
        ended = asyncio.create_task(peer.until(RST_STREAM, stream_id=3))
        while not ended.done():
            peer.send(data(3, b"x", 0))
            await asyncio.sleep(0.02)
        assert (await ended).error_code == CANCEL
        peer.send(data(1, message(b"and another")))
        assert await peer.is_served(5)
        assert not any(frame.kind == RST_STREAM and frame.stream_id == 1 for frame in peer.seen)
        await peer.close()


async def _until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110  # looks at another process
            await asyncio.sleep(0.01)
