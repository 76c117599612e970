"""Who gets in over TLS, with what ciphers, and what a change of files does, by a real server on loopback."""

from __future__ import annotations

import asyncio
import socket
import ssl
import warnings
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import grpc
import orjson
import pytest
import trustme
from cryptography import x509
from hyperframe.frame import SettingsFrame

from laura_fast.errors import TlsMaterialError
from laura_fast.transport.settings import TlsFiles, TransportSettings
from laura_fast.transport.tls import TlsMaterial
from tests.contract.certificates import DAY, SERVER, Identity, issue, server_identity, write
from tests.contract.transport_kit import FACTORIES, RawPeer, Recorder, Running, call, channel_options, serving, until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

N1 = x509.DNSName("n1")
N1_URI = x509.UniformResourceIdentifier("spiffe://laura/node/n1")


@pytest.fixture(scope="module")
def ca() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def other_ca() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def files(tmp_path: Path, ca: trustme.CA) -> TlsFiles:
    """Mutual TLS."""
    return write(tmp_path, server_identity(ca), ca)


@asynccontextmanager
async def connected(running: Running, credentials: grpc.ChannelCredentials) -> AsyncIterator[Any]:
    """A channel with a connection of its own."""
    options = channel_options()
    async with grpc.aio.secure_channel(f"localhost:{running.port}", credentials, options=options) as channel:
        yield channel


def python_client(ca: trustme.CA, identity: Identity | None, tmp_path: Path) -> ssl.SSLContext:
    """A client whose version, ciphers and protocols a test can choose."""
    context = ssl.create_default_context(cadata=ca.cert_pem.bytes().decode())
    context.set_alpn_protocols(["h2"])
    if identity:
        both = tmp_path / "client.pem"
        both.write_bytes(identity.key_pem + identity.chain_pem)
        context.load_cert_chain(both)
    return context


async def greeted(running: Running, context: ssl.SSLContext) -> bool:
    """Whether a client gets as far as the server's SETTINGS."""
    try:
        async with asyncio.timeout(5), RawPeer.connect(running.port, context) as peer:
            peer.greet()
            return await peer.next_of(SettingsFrame) is not None
    except OSError:
        return False


async def certificate_of(running: Running, context: ssl.SSLContext) -> bytes | None:
    """What a new connection is shown, DER."""
    _, writer = await asyncio.open_connection("127.0.0.1", running.port, ssl=context, server_hostname="localhost")
    shown: bytes | None = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    writer.transport.abort()
    return shown


def der(identity: Identity) -> bytes:
    return ssl.PEM_cert_to_DER_cert(identity.chain_pem.decode())


async def test_a_client_of_the_right_authority_gets_in_and_its_names_are_known(
    transport_name: str, files: TlsFiles, ca: trustme.CA
) -> None:
    async with (
        serving(transport_name, tls=files) as running,
        connected(running, issue(ca, N1, N1_URI).client(ca)) as channel,
    ):
        names = orjson.loads(await call(channel, "Who"))
    assert names == {"peer_dns": ["n1"], "peer_uri": ["spiffe://laura/node/n1"]}


BAD_CLIENTS: dict[str, Callable[[trustme.CA, trustme.CA], Identity]] = {
    "of another authority": lambda _ca, other: issue(other, N1),
    "signed by itself": lambda _ca, _other: issue(None, N1),
    "expired": lambda ca, _other: issue(ca, N1, starts=-3 * DAY),
    "not yet valid": lambda ca, _other: issue(ca, N1, starts=DAY),
    "for servers only": lambda ca, _other: issue(ca, N1, usage=SERVER),
}


@pytest.mark.parametrize("kind", BAD_CLIENTS)
async def test_a_client_with_a_bad_certificate_never_reaches_a_handler(
    transport_name: str, files: TlsFiles, ca: trustme.CA, other_ca: trustme.CA, kind: str
) -> None:
    identity = BAD_CLIENTS[kind](ca, other_ca)
    async with serving(transport_name, tls=files) as running, connected(running, identity.client(ca)) as channel:
        assert await call(channel, "Echo") is grpc.StatusCode.UNAVAILABLE
        assert running.recorder.started == []


async def test_a_client_without_a_certificate_never_reaches_a_handler(
    transport_name: str, files: TlsFiles, ca: trustme.CA
) -> None:
    without = grpc.ssl_channel_credentials(ca.cert_pem.bytes())
    async with serving(transport_name, tls=files) as running, connected(running, without) as channel:
        assert await call(channel, "Echo") is grpc.StatusCode.UNAVAILABLE
        assert running.recorder.started == []


async def test_without_a_client_ca_any_client_gets_in_over_tls_only(
    transport_name: str, tmp_path: Path, ca: trustme.CA
) -> None:
    files = write(tmp_path, server_identity(ca), None)
    async with (
        serving(transport_name, tls=files) as running,
        connected(running, grpc.ssl_channel_credentials(ca.cert_pem.bytes())) as channel,
        running.channel() as plain,
    ):
        assert await call(channel, "Echo") == b"x"
        assert orjson.loads(await call(channel, "Who")) == {"peer_dns": [], "peer_uri": []}
        assert await call(plain, "Echo") is grpc.StatusCode.UNAVAILABLE


async def test_plain_http2_on_a_tls_port_gets_no_http2_answer(transport_name: str, files: TlsFiles) -> None:
    async with serving(transport_name, tls=files) as running, RawPeer.connect(running.port) as peer:
        peer.greet()
        async with asyncio.timeout(5):
            assert SettingsFrame not in map(type, await peer.frames_until_closed())


async def test_tls_on_a_plain_port_fails(transport_name: str, ca: trustme.CA, tmp_path: Path) -> None:
    async with serving(transport_name) as running:
        assert not await greeted(running, python_client(ca, None, tmp_path))


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_both_current_versions_get_in(
    transport_name: str, files: TlsFiles, ca: trustme.CA, tmp_path: Path, version: ssl.TLSVersion
) -> None:
    context = python_client(ca, issue(ca, N1), tmp_path)
    context.minimum_version = context.maximum_version = version
    async with serving(transport_name, tls=files) as running:
        assert await greeted(running, context)


@pytest.mark.parametrize("version", ["TLSv1", "TLSv1_1"])
async def test_older_versions_are_refused(
    transport_name: str, files: TlsFiles, ca: trustme.CA, tmp_path: Path, version: str
) -> None:
    context = python_client(ca, issue(ca, N1), tmp_path)
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = context.maximum_version = ssl.TLSVersion[version]
    async with serving(transport_name, tls=files) as running:
        assert not await greeted(running, context)


@pytest.mark.parametrize(
    ("ciphers", "welcome"),
    [
        ("ECDHE-ECDSA-AES128-GCM-SHA256", True),
        ("ECDHE-ECDSA-AES256-GCM-SHA384", True),
        ("ECDHE-ECDSA-AES128-SHA:ECDHE-ECDSA-AES256-SHA:ECDHE-ECDSA-AES128-SHA256", False),
        ("AES128-GCM-SHA256:AES256-GCM-SHA384:AES128-SHA:DHE-RSA-AES128-GCM-SHA256", False),
    ],
    ids=["aes128-gcm", "aes256-gcm", "cbc", "no forward secrecy"],
)
async def test_only_aead_with_forward_secrecy_gets_in(
    transport_name: str, files: TlsFiles, ca: trustme.CA, tmp_path: Path, ciphers: str, *, welcome: bool
) -> None:
    context = python_client(ca, issue(ca, N1), tmp_path)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(ciphers + ":@SECLEVEL=0")
    async with serving(transport_name, tls=files) as running:
        assert await greeted(running, context) is welcome


@pytest.mark.parametrize("protocols", [[], ["http/1.1"]], ids=["none", "http/1.1"])
async def test_a_client_that_does_not_ask_for_h2_is_closed(
    transport_name: str, files: TlsFiles, ca: trustme.CA, tmp_path: Path, protocols: list[str]
) -> None:
    context = python_client(ca, issue(ca, N1), tmp_path)
    if not protocols:
        context = ssl.create_default_context(cadata=ca.cert_pem.bytes().decode())
        context.load_cert_chain(tmp_path / "client.pem")
    else:
        context.set_alpn_protocols(protocols)
    async with serving(transport_name, tls=files) as running:
        assert not await greeted(running, context)


@pytest.mark.parametrize("said", [b"", b"\x16\x03\x01\x02\x00\x01"], ids=["nothing", "half a ClientHello"])
async def test_a_handshake_that_stalls_is_closed(transport_name: str, files: TlsFiles, said: bytes) -> None:
    async with (
        serving(transport_name, tls=files, connection_timeout_ms=300) as running,
        RawPeer.connect(running.port) as peer,
        asyncio.timeout(5),
    ):
        peer.send(said)
        await peer.closed()


async def test_new_connections_see_new_files_and_no_call_fails(
    transport_name: str, files: TlsFiles, ca: trustme.CA, tmp_path: Path
) -> None:
    client = issue(ca, N1)
    material = TlsMaterial(files)
    stop = asyncio.Event()

    async def traffic(channel: Any) -> list[Any]:
        return [await call(channel, "Echo") for _ in iter(stop.is_set, True)]

    async with serving(transport_name, tls=material) as running, connected(running, client.client(ca)) as channel:
        answers = asyncio.create_task(traffic(channel))
        for _ in range(3):
            renewed = server_identity(ca)
            write(files.cert_file.parent, renewed, ca)
            assert await certificate_of(running, python_client(ca, client, tmp_path)) == der(renewed)
            async with connected(running, client.client(ca)) as fresh:
                assert await call(fresh, "Echo") == b"x"
        stop.set()
        assert set(await answers) == {b"x"}
    assert (material.reloads, material.reload_failures) == (3, 0)


async def test_bad_files_keep_the_old_ones_in_use(
    transport_name: str, files: TlsFiles, ca: trustme.CA, tmp_path: Path
) -> None:
    client = issue(ca, N1)
    material = TlsMaterial(files)
    async with serving(transport_name, tls=material) as running, connected(running, client.client(ca)) as channel:
        shown = await certificate_of(running, python_client(ca, client, tmp_path))
        files.cert_file.write_bytes(server_identity(ca).chain_pem)  # of another key
        for _ in range(2):
            assert await certificate_of(running, python_client(ca, client, tmp_path)) == shown
        assert await call(channel, "Echo") == b"x"
    assert (material.reloads, material.reload_failures) == (0, 1)


async def test_a_new_client_ca_binds_new_connections_and_leaves_open_ones(
    transport_name: str, files: TlsFiles, ca: trustme.CA, other_ca: trustme.CA
) -> None:
    old, new = issue(ca, N1).client(ca), issue(other_ca, N1).client(ca)
    async with serving(transport_name, tls=files) as running, connected(running, old) as open_channel:
        assert await call(open_channel, "Echo") == b"x"
        write(files.cert_file.parent, server_identity(ca), other_ca)
        async with connected(running, new) as channel:
            assert await call(channel, "Echo") == b"x"
        async with connected(running, old) as channel:
            assert await call(channel, "Echo") is grpc.StatusCode.UNAVAILABLE
        assert await call(open_channel, "Echo") == b"x"


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_a_session_from_before_does_not_outlive_its_authority(
    transport_name: str, files: TlsFiles, ca: trustme.CA, other_ca: trustme.CA, version: ssl.TLSVersion
) -> None:
    """Resumption skips the certificate: a client of a removed authority must not get in that way."""
    context = python_client(ca, issue(ca, N1), files.cert_file.parent)
    context.minimum_version = context.maximum_version = version
    async with serving(transport_name, tls=files) as running:
        session = await asyncio.to_thread(_visit, context, running.port, None)
        assert session is not None
        write(files.cert_file.parent, server_identity(ca), other_ca)
        assert await asyncio.to_thread(_visit, context, running.port, session) is None


def _visit(context: ssl.SSLContext, port: int, session: ssl.SSLSession | None) -> ssl.SSLSession | None:
    """A connection up to the server's first bytes; its session, or None if refused."""
    try:
        with (
            socket.create_connection(("127.0.0.1", port), timeout=5) as raw,
            context.wrap_socket(raw, server_hostname="localhost", session=session) as secured,
        ):
            secured.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0")
            return secured.session if secured.recv(9) else None
    except OSError:
        return None


@pytest.mark.parametrize("name", ["cert_file", "key_file", "client_ca_file"])
async def test_bad_files_stop_the_start(transport_name: str, files: TlsFiles, name: str) -> None:
    getattr(files, name).write_bytes(b"garbage")
    server = FACTORIES[transport_name](TransportSettings(), Recorder())
    with pytest.raises(TlsMaterialError):
        server.add_tls_port("127.0.0.1:0", files)
    await server.stop(None)


async def test_a_failed_handshake_disturbs_nobody(
    transport_name: str, files: TlsFiles, ca: trustme.CA, other_ca: trustme.CA
) -> None:
    async with (
        serving(transport_name, tls=files, max_connections=2) as running,
        connected(running, issue(ca, N1).client(ca)) as channel,
    ):
        for _ in range(5):
            async with connected(running, issue(other_ca, N1).client(ca)) as intruder:
                assert await call(intruder, "Echo") is grpc.StatusCode.UNAVAILABLE
            assert await call(channel, "Echo") == b"x"
        await until(lambda: len(running.recorder.codes) == 5)
