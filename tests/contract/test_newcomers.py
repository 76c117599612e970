"""How the native transport takes in connections that it does not know yet, over TLS and without."""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
from contextlib import AsyncExitStack, nullcontext
from typing import TYPE_CHECKING

import pytest
import trustme
from cryptography import x509
from hyperframe.frame import SettingsFrame

from laura_fast.limits import transport as limits
from laura_fast.transport.native.descriptors import Descriptors
from laura_fast.transport.native.newcomers import Handshake
from laura_fast.wire.http2.server import ServerConnection
from tests.contract.certificates import Identity, issue, server_identity, write
from tests.contract.transport_kit import PREFACE, RawPeer, Running, serving, until

if TYPE_CHECKING:
    from pathlib import Path

    from laura_fast.transport.settings import TlsFiles

MOMENT_S = 0.2
"""For what must not happen."""

GREETING = PREFACE + SettingsFrame(settings={4: 1_000_000}).serialize()


@pytest.fixture(scope="module")
def ca() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def mutual(tmp_path: Path, ca: trustme.CA) -> TlsFiles:
    return write(tmp_path, server_identity(ca), ca)


@pytest.fixture
def one_sided(tmp_path: Path, ca: trustme.CA) -> TlsFiles:
    return write(tmp_path, server_identity(ca), None)


def client(ca: trustme.CA, tmp_path: Path, identity: Identity | None) -> ssl.SSLContext:
    context = ssl.create_default_context(cadata=ca.cert_pem.bytes().decode())
    context.set_alpn_protocols(["h2"])
    if identity is not None:
        (tmp_path / "client.pem").write_bytes(identity.key_pem + identity.chain_pem)
        context.load_cert_chain(tmp_path / "client.pem")
    return context


async def greeted(peer: RawPeer) -> bool:
    """The server spoke, so the connection's turn has come and TLS is done."""
    async with asyncio.timeout(5):
        return await peer.next_of(SettingsFrame) is not None


async def is_let_wait(peer: RawPeer) -> bool:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(MOMENT_S):
            await peer.frame()
    return True


async def test_settings_prove_a_plain_connection() -> None:
    async with (
        serving("native", max_unauthenticated_per_address=1) as running,
        RawPeer.connect(running.port) as first,
        RawPeer.connect(running.port) as second,
        RawPeer.connect(running.port) as third,
    ):
        first.send(PREFACE)
        assert await greeted(first)
        assert await is_let_wait(second)
        first.send(SettingsFrame())
        assert await greeted(second)
        second.greet()
        assert await greeted(third)


@pytest.mark.parametrize(("octets", "waits"), [(GREETING, False), (GREETING[:-1], True), (b"x" * 40, True)])
async def test_who_has_greeted_before_it_is_accepted_does_not_wait(octets: bytes, waits: bool) -> None:
    async with (
        serving("native", max_unauthenticated_per_address=1) as running,
        RawPeer.connect(running.port) as silent,
    ):
        assert await greeted(silent)
        with socket.create_connection(("127.0.0.1", running.port)) as early:
            early.sendall(octets)  # the server's loop, which is ours, runs only now
            early.setblocking(False)
            answer = asyncio.get_running_loop().sock_recv(early, 1)
            with pytest.raises(TimeoutError) if waits else nullcontext():
                assert await asyncio.wait_for(answer, MOMENT_S if waits else 5)


async def test_a_connection_that_ends_lets_the_next_one_in() -> None:
    async with (
        serving("native", max_unauthenticated_per_address=1) as running,
        AsyncExitStack() as first_one,
        RawPeer.connect(running.port) as first,
    ):
        assert await greeted(first)
        second = await first_one.enter_async_context(RawPeer.connect(running.port))
        first.send(b"no preface")
        assert await greeted(second)


@pytest.mark.parametrize("secure", [False, True], ids=["plain", "TLS"])
async def test_a_known_connection_is_read_by_its_own_protocol_alone(
    one_sided: TlsFiles, ca: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, secure: bool
) -> None:
    """Counting newcomers costs nothing at the reads that follow."""
    reads: list[bytes] = []
    received = Handshake.data_received

    def watched(handshake: Handshake, data: bytes) -> None:
        reads.append(data)
        received(handshake, data)

    monkeypatch.setattr(Handshake, "data_received", watched)
    context = client(ca, tmp_path, None) if secure else None
    async with (
        serving("native", tls=one_sided if secure else None, min_ping_interval_ms=0) as running,
        RawPeer.connect(running.port, context) as peer,
    ):
        peer.send(PREFACE)
        peer.send(SettingsFrame())
        for mark in range(5):
            peer.ping(mark)
            assert await peer.pong()
    assert b"".join(reads).startswith(PREFACE + SettingsFrame().serialize())
    assert len(reads) <= 2


async def test_a_verified_certificate_proves_a_connection(mutual: TlsFiles, ca: trustme.CA, tmp_path: Path) -> None:
    """Before any octet of HTTP/2."""
    context = client(ca, tmp_path, issue(ca, x509.DNSName("n1")))
    async with (
        asyncio.timeout(5),
        serving("native", tls=mutual, max_unauthenticated_per_address=1) as running,
        RawPeer.connect(running.port, context) as first,
        RawPeer.connect(running.port, context) as second,
    ):
        assert await greeted(first)
        assert await greeted(second)


async def test_tls_alone_proves_nothing(one_sided: TlsFiles, ca: trustme.CA, tmp_path: Path) -> None:
    """Anybody can finish a handshake that asks for no certificate."""
    context = client(ca, tmp_path, None)
    async with (
        serving("native", tls=one_sided, max_unauthenticated_per_address=1) as running,
        RawPeer.connect(running.port, context) as first,
    ):
        assert await greeted(first)
        second = asyncio.create_task(_connect(running, context))
        assert not (await asyncio.wait([second], timeout=MOMENT_S))[0]
        first.greet()
        assert await asyncio.wait_for(second, 5)


async def test_silent_sockets_on_a_tls_port_take_a_share_only(mutual: TlsFiles, ca: trustme.CA, tmp_path: Path) -> None:
    context = client(ca, tmp_path, issue(ca, x509.DNSName("n1")))
    async with AsyncExitStack() as crowd:
        running = await crowd.enter_async_context(
            serving("native", tls=mutual, max_unauthenticated_per_address=2, connection_timeout_ms=500)
        )
        for _ in range(2):
            await crowd.enter_async_context(RawPeer.connect(running.port))
        assert await _connect(running, context)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_no_octet_of_http2_is_read_before_the_certificate_is_verified(
    mutual: TlsFiles, ca: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: ssl.TLSVersion
) -> None:
    """In TLS 1.3 the client may speak before the server has looked at its certificate."""
    read: list[bytes] = []
    receive = ServerConnection.receive

    def watched(machine: ServerConnection, data: bytes, now: float) -> bool:
        read.append(data)
        return receive(machine, data, now)

    monkeypatch.setattr(ServerConnection, "receive", watched)
    strangers = [None, issue(trustme.CA(), x509.DNSName("n1")), issue(None, x509.DNSName("n1"))]
    async with serving("native", tls=mutual) as running:
        for identity in [*strangers, issue(ca, x509.DNSName("n1"))]:
            assert read == []
            context = client(ca, tmp_path, identity)
            context.minimum_version = context.maximum_version = version
            assert await _connect(running, context) is (identity not in strangers)
        await until(lambda: bool(read))
    assert read[0].startswith(PREFACE)


async def _connect(running: Running, context: ssl.SSLContext) -> bool:
    try:
        async with RawPeer.connect(running.port, context) as peer:
            peer.greet()
            return await greeted(peer)
    except OSError:
        return False


async def test_stopping_drops_who_waits() -> None:
    async with AsyncExitStack() as outside:
        async with serving("native", max_unauthenticated_per_address=1) as running:
            first = await outside.enter_async_context(RawPeer.connect(running.port))
            assert await greeted(first)
            second = await outside.enter_async_context(RawPeer.connect(running.port))
            assert await is_let_wait(second)
        async with asyncio.timeout(5):
            assert await second.frames_until_closed() == []


async def test_who_waits_too_long_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "WAITING_TIMEOUTS", 0.01)
    async with (
        serving("native", max_unauthenticated_per_address=1) as running,
        RawPeer.connect(running.port) as first,
        RawPeer.connect(running.port) as second,
    ):
        async with asyncio.timeout(5):
            assert await second.frames_until_closed() == []
        assert await greeted(first)


class Gauge(Descriptors):
    """Says what the test wants."""

    def __init__(self) -> None:
        super().__init__()
        self.short = self.plenty = False
        self.looks = 0

    def are_short(self, newest: int) -> bool:  # as the real one's
        return self.short

    def are_plenty(self) -> bool:
        self.looks += 1
        return self.plenty


async def test_accepting_pauses_between_two_marks_and_says_so(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The one that reached the high mark is served, the next one not before the low mark."""
    gauge = Gauge()
    monkeypatch.setattr(limits, "ACCEPT_PAUSE_S", 0.01)
    monkeypatch.setattr("laura_fast.transport.native.state.Descriptors", lambda: gauge)
    caplog.set_level(logging.INFO, "laura_fast.transport")
    async with serving("native") as running:
        gauge.short = True
        async with RawPeer.connect(running.port) as last, RawPeer.connect(running.port) as outside:
            assert await greeted(last)
            gauge.short = False
            seen = gauge.looks
            await until(lambda: gauge.looks > seen + 2)
            assert await is_let_wait(outside)
            gauge.plenty = True
            assert await greeted(outside)
    assert [record.msg["event"] for record in caplog.records] == ["accept_paused", "accept_resumed"]  # type: ignore[index]  # structlog's records


async def test_who_waits_gives_its_descriptor_before_accepting_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    gauge = Gauge()
    monkeypatch.setattr("laura_fast.transport.native.state.Descriptors", lambda: gauge)
    async with (
        serving("native", max_unauthenticated_per_address=1) as running,
        RawPeer.connect(running.port) as first,
        RawPeer.connect(running.port) as waiting,
    ):
        assert await greeted(first)
        assert await is_let_wait(waiting)
        gauge.short = True
        async with RawPeer.connect(running.port) as newest, asyncio.timeout(5):
            assert await newest.frames_until_closed() == []
        assert gauge.looks == 0
