"""What every channel guarantees."""

from __future__ import annotations

from pathlib import Path

import grpc
import pytest
import trustme

from laura_fast.client import ClientTls, ClusterClient, RetryPolicy
from laura_fast.client.channel import KEEPALIVE_INTERVAL_MS
from laura_fast.errors import ConfigError, TlsMaterialError, UnreachableError
from laura_fast.limits.units import MIB
from laura_fast.pb.lauradb.cluster import cluster_pb2 as pb
from laura_fast.transport.settings import TransportSettings
from tests.unit.client.fake_cluster import FakeCluster

ONE_PASS = RetryPolicy(max_passes=1)


async def test_messages_far_above_grpcs_default_of_4_mib_pass_both_ways(cluster: FakeCluster) -> None:
    tag = "x" * (10 * MIB)
    async with ClusterClient(cluster.address) as client:
        await client.register(pb.Node(id="n1", host="h", port=1, tags={"big": tag}))
        assert (await client.topology()).nodes["n1"].tags["big"] == tag


async def test_the_proxy_of_the_shell_is_not_used(cluster: FakeCluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    async with ClusterClient(cluster.address.replace("127.0.0.1", "localhost"), policy=ONE_PASS) as client:
        assert (await client.topology()).version == 1


def test_pings_stay_within_what_servers_allow_by_default() -> None:
    assert 2 * TransportSettings().min_ping_interval_ms <= KEEPALIVE_INTERVAL_MS


def test_a_certificate_needs_its_key() -> None:
    with pytest.raises(ConfigError, match="both or neither"):
        ClientTls(cert_file=Path("cert.pem"))


def test_any_tls_flag_turns_tls_on() -> None:
    nothing = {"tls": False, "ca_file": None, "cert_file": None, "key_file": None, "server_name": ""}
    assert ClientTls.from_flags(**nothing) is None  # type: ignore[arg-type]
    assert ClientTls.from_flags(**{**nothing, "tls": True}) == ClientTls()  # type: ignore[arg-type]
    assert ClientTls.from_flags(**{**nothing, "server_name": "db"}) == ClientTls(server_name="db")  # type: ignore[arg-type]


def test_unusable_files_stop_the_client(tmp_path: Path) -> None:
    missing, garbage = tmp_path / "missing.pem", tmp_path / "garbage.pem"
    garbage.write_text("not a certificate")
    for path in (missing, garbage):
        with pytest.raises(TlsMaterialError, match=path.name):
            ClusterClient("db1", tls=ClientTls(ca_file=path))


class Authority:
    """A private authority with a certificate for 127.0.0.1 and one for a client, as files."""

    def __init__(self, folder: Path) -> None:
        self.ca = trustme.CA()
        self.server = self.ca.issue_cert("127.0.0.1", "db.example")
        self.ca_file, self.cert_file, self.key_file = folder / "ca.pem", folder / "cert.pem", folder / "key.pem"
        self.ca.cert_pem.write_to_path(self.ca_file)
        client = self.ca.issue_cert("n1")
        client.cert_chain_pems[0].write_to_path(self.cert_file)
        client.private_key_pem.write_to_path(self.key_file)

    def credentials(self) -> grpc.ServerCredentials:
        """For a server that asks for a client certificate."""
        key, chain = self.server.private_key_pem.bytes(), self.server.cert_chain_pems[0].bytes()
        return grpc.ssl_server_credentials([(key, chain)], self.ca.cert_pem.bytes(), require_client_auth=True)


async def test_both_sides_prove_who_they_are(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    server = await FakeCluster().start(authority.credentials())
    trusted = ClientTls(authority.ca_file, authority.cert_file, authority.key_file)
    async with ClusterClient(server.address, tls=trusted, policy=ONE_PASS) as client:
        assert (await client.topology()).version == 1
    for stranger in (None, ClientTls(authority.ca_file), ClientTls()):
        async with ClusterClient(server.address, tls=stranger, policy=ONE_PASS) as client:
            with pytest.raises(UnreachableError):
                await client.topology()
    await server.stop()


async def test_a_certificate_for_another_name_is_refused_unless_that_name_is_expected(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    server = await FakeCluster().start(authority.credentials())
    files = (authority.ca_file, authority.cert_file, authority.key_file)
    for name, accepted in (("db.example", True), ("other.example", False)):
        async with ClusterClient(server.address, tls=ClientTls(*files, name), policy=ONE_PASS) as client:
            if accepted:
                await client.topology()
            else:
                with pytest.raises(UnreachableError):
                    await client.topology()
    await server.stop()


async def test_replaced_files_are_taken_into_use_without_a_restart(tmp_path: Path) -> None:
    """The server and the authority both change; a file that is half written changes nothing."""
    (tmp_path / "next").mkdir()
    authority, following = Authority(tmp_path), Authority(tmp_path / "next")
    server = await FakeCluster().start(authority.credentials())
    ours = ClientTls(authority.ca_file, authority.cert_file, authority.key_file)
    async with ClusterClient(server.address, tls=ours, policy=ONE_PASS) as client:
        await client.topology()
        await server.stop()
        await server.start(following.credentials())
        authority.ca_file.write_text("half a file")
        for _ in range(2):
            with pytest.raises(UnreachableError):
                await client.topology()
        for new, old in ((following.ca_file, authority.ca_file), (following.cert_file, authority.cert_file)):
            old.write_bytes(new.read_bytes())
        authority.key_file.write_bytes(following.key_file.read_bytes())
        with pytest.raises(UnreachableError):
            await client.topology()
        assert (await client.topology()).version == 1
    await server.stop()
