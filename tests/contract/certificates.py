"""Certificates of every kind that a server must take or refuse."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

import grpc
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from laura_fast.transport.settings import TlsFiles

if TYPE_CHECKING:
    from pathlib import Path

    import trustme

DAY = dt.timedelta(days=1)
CLIENT, SERVER = ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH


@dataclass(frozen=True)
class Identity:
    """A key and its certificate chain, PEM."""

    key_pem: bytes
    chain_pem: bytes

    def client(self, trusted: trustme.CA) -> grpc.ChannelCredentials:
        return grpc.ssl_channel_credentials(trusted.cert_pem.bytes(), self.key_pem, self.chain_pem)


def issue(
    ca: trustme.CA | None,
    *names: x509.GeneralName,
    usage: x509.ObjectIdentifier = CLIENT,
    starts: dt.timedelta = -DAY,
    life: dt.timedelta = 2 * DAY,
) -> Identity:
    """A certificate signed by `ca`; by itself if None."""
    key = ec.generate_private_key(ec.SECP256R1())
    own = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "the common name counts for nothing")])
    begin = dt.datetime.now(dt.UTC) + starts
    builder = (
        x509.CertificateBuilder(own if ca is None else _load(ca).subject, own, key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(begin + life)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([usage]), critical=True)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
    )
    signer = key if ca is None else _key(ca)
    issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key())  # strict clients ask for it
    certificate = builder.add_extension(issuer, critical=False).sign(signer, hashes.SHA256())
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return Identity(private, certificate.public_bytes(serialization.Encoding.PEM))


def server_identity(ca: trustme.CA) -> Identity:
    return issue(ca, x509.DNSName("localhost"), usage=SERVER)


def write(directory: Path, identity: Identity, client_ca: trustme.CA | None) -> TlsFiles:
    """Replaces each file in one step, as tools that renew certificates do."""
    files = TlsFiles(directory / "server.crt", directory / "server.key", directory / "ca.crt" if client_ca else None)
    _replace(files.key_file, identity.key_pem)
    _replace(files.cert_file, identity.chain_pem)
    if client_ca is not None and files.client_ca_file is not None:
        _replace(files.client_ca_file, client_ca.cert_pem.bytes())
    return files


def _replace(path: Path, content: bytes) -> None:
    fresh = path.with_suffix(".new")
    fresh.touch(mode=0o600)
    fresh.write_bytes(content)
    fresh.rename(path)


def _load(ca: trustme.CA) -> x509.Certificate:
    return x509.load_pem_x509_certificate(ca.cert_pem.bytes())


def _key(ca: trustme.CA) -> ec.EllipticCurvePrivateKey:
    key = serialization.load_pem_private_key(ca.private_key_pem.bytes(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return key
