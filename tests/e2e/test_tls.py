"""Key files of a real process: what stops its start, what SIGHUP does, and that no secret reaches its logs."""

from __future__ import annotations

import signal
import socket
import ssl
from typing import TYPE_CHECKING, Any

import grpc
import orjson
import pytest
import trustme
from cryptography import x509

from laura_fast.pb.lauradb.cluster import cluster_pb2, cluster_pb2_grpc
from tests.contract.certificates import Identity, issue, server_identity, write

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from laura_fast.transport.settings import TlsFiles
    from tests.e2e.processes import ServerProcess

CANARY = "canary-7d1c"


@pytest.fixture(scope="module")
def ca() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def files(tmp_path: Path, ca: trustme.CA) -> TlsFiles:
    return write(tmp_path, server_identity(ca), ca)


def flags(files: TlsFiles) -> tuple[str, ...]:
    return (
        *("--tls-cert-file", str(files.cert_file), "--tls-key-file", str(files.key_file)),
        *("--tls-client-ca-file", str(files.client_ca_file)),
    )


def shown(server: ServerProcess, ca: trustme.CA) -> bytes | None:
    """The certificate that a new connection sees."""
    context = ssl.create_default_context(cadata=ca.cert_pem.bytes().decode())
    context.set_alpn_protocols(["h2"])
    with (
        socket.create_connection(("127.0.0.1", server.port), timeout=5) as raw,
        context.wrap_socket(raw, server_hostname="localhost") as secured,
    ):
        return secured.getpeercert(binary_form=True)


def der(identity: Identity) -> bytes:
    return ssl.PEM_cert_to_DER_cert(identity.chain_pem.decode())


@pytest.mark.parametrize("transport", ["grpcio", "native"])
def test_sighup_takes_over_good_files_and_keeps_the_old_ones_for_bad(
    serve: Callable[..., ServerProcess], files: TlsFiles, ca: trustme.CA, transport: str
) -> None:
    server = serve(*flags(files), "--transport", transport)
    assert server.port
    renewed = server_identity(ca)
    write(files.cert_file.parent, renewed, ca)
    server.signal(signal.SIGHUP)
    server.await_log("tls_reloaded")
    assert shown(server, ca) == der(renewed)
    files.key_file.write_bytes(b"garbage")
    server.signal(signal.SIGHUP)
    server.await_log("tls_reload_failed")
    assert shown(server, ca) == der(renewed)
    assert server.terminate() == 0


def test_a_key_that_others_may_read_stops_the_start_with_the_way_out(
    serve: Callable[..., ServerProcess], files: TlsFiles
) -> None:
    files.key_file.chmod(0o644)
    process = serve(*flags(files))
    assert process.wait() == 1
    assert f"chmod 600 {files.key_file}" in process.log
    assert "Traceback" not in process.log


@pytest.mark.parametrize("transport", ["grpcio", "native"])
def test_no_secret_reaches_the_logs(
    serve: Callable[..., ServerProcess], files: TlsFiles, ca: trustme.CA, transport: str
) -> None:
    server = serve(*flags(files), "--transport", transport, "--log-level", "debug")
    n1 = issue(ca, x509.DNSName("n1"))
    metadata: Any = (("authorization", f"Bearer {CANARY}"), ("trace-bin", CANARY.encode()))
    with grpc.secure_channel(server.address.replace("127.0.0.1", "localhost"), n1.client(ca)) as channel:
        stub: Any = cluster_pb2_grpc.ClusterServiceStub(channel)
        stub.GetTopology(cluster_pb2.GetTopologyRequest(), metadata=metadata, timeout=10)
        with pytest.raises(grpc.RpcError):
            stub.Heartbeat(cluster_pb2.HeartbeatRequest(node_id="n1"), metadata=metadata, timeout=10)
    assert server.terminate() == 0
    told = server.log + server.output
    assert "GetTopology" in told
    for secret in (CANARY, "PRIVATE KEY", *files.key_file.read_text().splitlines()[1:-1]):
        assert secret not in told


@pytest.mark.parametrize("transport", ["grpcio", "native"])
def test_strangers_who_fail_the_handshake_can_not_fill_the_log(
    serve: Callable[..., ServerProcess], files: TlsFiles, transport: str
) -> None:
    server = serve(*flags(files), "--transport", transport)
    for _ in range(5):
        with socket.create_connection(("127.0.0.1", server.port), timeout=5) as stranger:
            stranger.sendall(b"GET / HTTP/1.1\r\n\r\n")
            while stranger.recv(1024):
                pass
    assert server.terminate() == 0
    events = [orjson.loads(line)["event"] for line in server.log.splitlines()]
    assert events == ["server_ready", "server_stopping", "server_stopped"]
