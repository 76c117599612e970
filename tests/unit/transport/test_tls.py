"""Bad key material stops the start, and never replaces good material later."""

from __future__ import annotations

import datetime as dt
import os
import ssl
import time
from typing import TYPE_CHECKING

import pytest
import trustme
from cryptography.hazmat.primitives import serialization

from laura_fast.errors import TlsMaterialError
from laura_fast.transport.grpcio.credentials import refuse_weak_ciphers
from laura_fast.transport.settings import TlsFiles
from laura_fast.transport.tls import TlsMaterial
from laura_fast.transport.tls_peer import auth_context, identity_key

if TYPE_CHECKING:
    from io import StringIO
    from pathlib import Path

ONE_DAY = dt.timedelta(days=1)


@pytest.fixture(scope="module")
def ca() -> trustme.CA:
    return trustme.CA()


def write(directory: Path, leaf: trustme.LeafCert, ca: trustme.CA | None = None) -> TlsFiles:
    """The three files of a server, as an operator would lay them out."""
    cert, key, client_ca = directory / "server.crt", directory / "server.key", directory / "ca.crt"
    cert.write_bytes(b"".join(pem.bytes() for pem in leaf.cert_chain_pems))
    key.touch(mode=0o600)
    key.write_bytes(leaf.private_key_pem.bytes())
    if ca is None:
        return TlsFiles(cert, key)
    ca.cert_pem.write_to_path(client_ca)
    return TlsFiles(cert, key, client_ca)


@pytest.fixture
def files(tmp_path: Path, ca: trustme.CA) -> TlsFiles:
    return write(tmp_path, ca.issue_cert("localhost"), ca)


def touch_later(path: Path) -> None:
    """Another time stamp even on file systems with coarse ones."""
    status = path.stat()
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns + 1_000_000_000))


@pytest.mark.parametrize("key_type", list(trustme.KeyType))
def test_a_good_pair_is_taken(tmp_path: Path, ca: trustme.CA, key_type: trustme.KeyType) -> None:
    pair = TlsMaterial(write(tmp_path, ca.issue_cert("localhost", key_type=key_type), ca)).current()
    assert pair.context.verify_mode is ssl.CERT_REQUIRED
    assert pair.context.minimum_version is ssl.TLSVersion.TLSv1_2
    assert pair.not_after_s > time.time()


def test_without_a_ca_file_clients_need_no_certificate(tmp_path: Path, ca: trustme.CA) -> None:
    material = TlsMaterial(write(tmp_path, ca.issue_cert("localhost")))
    assert not material.verifies_clients
    assert material.current().context.verify_mode is ssl.CERT_NONE


def test_only_aead_with_forward_secrecy_is_offered(files: TlsFiles) -> None:
    for cipher in TlsMaterial(files).current().context.get_ciphers():
        assert cipher["aead"], cipher["name"]
        assert cipher["name"].startswith(("ECDHE-", "TLS_")), cipher["name"]


def test_the_key_is_not_in_the_repr(files: TlsFiles) -> None:
    assert "PRIVATE KEY" not in repr(TlsMaterial(files).current())


@pytest.mark.parametrize("name", ["cert_file", "key_file", "client_ca_file"])
def test_a_missing_file_stops_the_start(files: TlsFiles, name: str) -> None:
    path: Path = getattr(files, name)
    path.unlink()
    with pytest.raises(TlsMaterialError, match=f"cannot read {path}: No such file"):
        TlsMaterial(files)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("cert_file", "the certificate file holds no certificate"),
        ("key_file", "the key or the certificate is malformed"),
        ("client_ca_file", "the client CA file holds no certificate"),
    ],
)
@pytest.mark.parametrize("content", [b"", b"garbage", b"\xff\x00", b"-----BEGIN CERTIFICATE-----\nAAAA\n"])
def test_a_malformed_file_stops_the_start(files: TlsFiles, name: str, text: str, content: bytes) -> None:
    getattr(files, name).write_bytes(content)
    with pytest.raises(TlsMaterialError, match=text):
        TlsMaterial(files)


def test_a_certificate_with_rubbish_inside_stops_the_start(files: TlsFiles) -> None:
    files.cert_file.write_bytes(b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    with pytest.raises(TlsMaterialError, match="malformed"):
        TlsMaterial(files)


def test_the_key_of_another_certificate_stops_the_start(files: TlsFiles, ca: trustme.CA) -> None:
    files.key_file.write_bytes(ca.issue_cert("localhost").private_key_pem.bytes())
    with pytest.raises(TlsMaterialError, match="the key does not belong to the certificate"):
        TlsMaterial(files)


@pytest.mark.parametrize("mode", [0o604, 0o640, 0o602, 0o777])
def test_a_key_that_others_may_touch_stops_the_start_and_the_way_out_is_told(files: TlsFiles, mode: int) -> None:
    files.key_file.chmod(mode)
    with pytest.raises(TlsMaterialError, match=f"mode {mode:04o}.: chmod 600 {files.key_file}"):
        TlsMaterial(files)


def test_a_stricter_mode_is_fine(files: TlsFiles) -> None:
    files.key_file.chmod(0o400)
    TlsMaterial(files)


def test_an_encrypted_key_stops_the_start_without_asking(files: TlsFiles) -> None:
    key = serialization.load_pem_private_key(files.key_file.read_bytes(), None)
    files.key_file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"word"),
        )
    )
    with pytest.raises(TlsMaterialError, match="the key is encrypted"):
        TlsMaterial(files)


def test_a_ca_file_without_an_authority_stops_the_start(files: TlsFiles, ca: trustme.CA) -> None:
    assert files.client_ca_file
    files.client_ca_file.write_bytes(ca.issue_cert("leaf").cert_chain_pems[0].bytes())
    with pytest.raises(TlsMaterialError, match="no certificate of an authority"):
        TlsMaterial(files)


@pytest.mark.parametrize(("begins", "text"), [(-2, "expired on"), (1, "not valid before")])
def test_a_certificate_out_of_its_time_is_a_warning(
    tmp_path: Path, ca: trustme.CA, log_lines: StringIO, begins: int, text: str
) -> None:
    """The clock may be the one that is wrong, and clients check anyway."""
    begin = dt.datetime.now(dt.UTC) + begins * ONE_DAY
    leaf = ca.issue_cert("localhost", not_before=begin, not_after=begin + ONE_DAY)
    TlsMaterial(write(tmp_path, leaf))
    assert "tls_certificate_not_valid_now" in log_lines.getvalue()
    assert text in log_lines.getvalue()


def test_unchanged_files_are_not_read_again(files: TlsFiles) -> None:
    material = TlsMaterial(files)
    assert material.current() is material.current()
    assert material.reloads == 0


def test_changed_files_are_taken_over_once(files: TlsFiles, ca: trustme.CA, log_lines: StringIO) -> None:
    material = TlsMaterial(files)
    before = material.current()
    write(files.cert_file.parent, ca.issue_cert("localhost"), ca)
    after = material.current()
    assert after.cert_pem != before.cert_pem
    assert material.current() is after
    assert (material.reloads, material.reload_failures) == (1, 0)
    assert log_lines.getvalue().count("tls_reloaded") == 1


def test_a_bad_change_keeps_the_old_pair_and_is_logged_and_counted_once(
    files: TlsFiles, ca: trustme.CA, log_lines: StringIO
) -> None:
    material = TlsMaterial(files)
    before = material.current()
    files.key_file.write_bytes(b"half a fi")
    for _ in range(3):
        assert material.current() is before
    assert (material.reloads, material.reload_failures) == (0, 1)
    assert log_lines.getvalue().count("tls_reload_failed") == 1
    write(files.cert_file.parent, ca.issue_cert("localhost"), ca)
    assert material.current().cert_pem != before.cert_pem


def test_a_file_that_vanishes_keeps_the_old_pair(files: TlsFiles, log_lines: StringIO) -> None:
    material = TlsMaterial(files)
    before = material.current()
    files.cert_file.unlink()
    assert material.current() is before
    assert material.current() is before
    assert material.reload_failures == 1


def test_a_link_swapped_to_another_directory_is_a_change(tmp_path: Path, ca: trustme.CA) -> None:
    """How Kubernetes rotates secrets."""
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        write(tmp_path / name, ca.issue_cert(name))
    link = tmp_path / "current"
    link.symlink_to("one")
    material = TlsMaterial(TlsFiles(link / "server.crt", link / "server.key"))
    before = material.current()
    (tmp_path / "next").symlink_to("two")
    (tmp_path / "next").rename(link)
    assert material.current().cert_pem != before.cert_pem


def test_reload_reads_even_without_a_change_and_tells_the_outcome(files: TlsFiles, log_lines: StringIO) -> None:
    material = TlsMaterial(files)
    assert material.reload()
    touch_later(files.cert_file)
    files.key_file.chmod(0o644)
    assert not material.reload()
    assert (material.reloads, material.reload_failures) == (1, 1)


@pytest.mark.parametrize(
    "suites", ["", "TLS_AES_128_GCM_SHA256:ECDHE-RSA-AES256-GCM-SHA384", "ECDHE-RSA-CHACHA20-POLY1305"]
)
def test_strong_suites_in_the_environment_pass(suites: str) -> None:
    refuse_weak_ciphers({"GRPC_SSL_CIPHER_SUITES": suites})
    refuse_weak_ciphers({})


@pytest.mark.parametrize(
    "suite", ["AES128-GCM-SHA256", "ECDHE-RSA-AES128-SHA", "HIGH", "ALL", "DHE-RSA-AES128-GCM-SHA256"]
)
def test_a_weak_suite_in_the_environment_stops_the_start(suite: str) -> None:
    with pytest.raises(TlsMaterialError, match=f"GRPC_SSL_CIPHER_SUITES allows {suite}"):
        refuse_weak_ciphers({"GRPC_SSL_CIPHER_SUITES": f"TLS_AES_128_GCM_SHA256:{suite}"})


def test_a_certificate_is_worded_as_the_core_of_grpc_does() -> None:
    certificate = {
        "subject": ((("organizationName", "o"),), (("commonName", "n9"),)),
        "subjectAltName": (("DNS", "n1"), ("URI", "spiffe://laura/node/n1"), ("IP Address", "10.0.0.1")),
    }
    properties = auth_context(certificate)
    assert properties == {
        "transport_security_type": [b"ssl"],
        "x509_subject_alternative_name": [b"n1", b"spiffe://laura/node/n1", b"10.0.0.1"],
        "peer_dns": [b"n1"],
        "peer_uri": [b"spiffe://laura/node/n1"],
        "peer_ip": [b"10.0.0.1"],
        "x509_common_name": [b"n9"],
    }
    assert identity_key(properties) == "x509_subject_alternative_name"


def test_no_certificate_has_no_identity() -> None:
    assert identity_key(auth_context({})) is None
    assert identity_key(auth_context(None)) is None
