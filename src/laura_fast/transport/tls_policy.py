"""What counts as TLS here: version, ciphers, and the checks a key pair must pass before it is used."""

from __future__ import annotations

import os
import re
import ssl
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from laura_fast.errors import TlsMaterialError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20"
"""TLS 1.2 suites in OpenSSL's language: forward secrecy and AEAD only. All of TLS 1.3's are."""

_X509_V_FLAG_NO_CHECK_TIME = 0x200000
"""Not in Python's `ssl`: expiry is reported with its date below, not as a bare verification error."""

_FIRST_CERTIFICATE = re.compile(rb"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)


def server_context(cert_pem: bytes, key_pem: bytes, client_ca_pem: bytes | None) -> ssl.SSLContext:
    """A context for accepting HTTP/2 connections.

    No session can be resumed by ticket: a client certificate that a newer CA file no longer covers would live on.

    Raises:
        TlsMaterialError: Malformed PEM, an encrypted key, or a key of another certificate.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_TICKET
    context.num_tickets = 0
    context.set_ciphers(CIPHERS)
    context.set_alpn_protocols(["h2"])
    _load_pair(context, cert_pem, key_pem)
    if client_ca_pem is not None:
        _load_client_ca(context, client_ca_pem)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def client_context(ca_file: Path | None, cert_file: Path | None, key_file: Path | None) -> ssl.SSLContext:
    """A context for connecting: the server is verified, and its certificate must name whom we mean.

    Args:
        ca_file: Authorities that may have signed the server's certificate; None = those of the system.
        cert_file: Our chain, for servers that ask for one.
        key_file: Its key.

    Raises:
        OSError: A file can't be read.
        ssl.SSLError: A file is malformed, or the key is another certificate's.
    """
    context = ssl.create_default_context(cafile=ca_file)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
    context.set_ciphers(CIPHERS)
    context.set_alpn_protocols(["h2"])
    if cert_file is not None:
        context.load_cert_chain(cert_file, key_file, _no_client_password)
    return context


def validity(context: ssl.SSLContext, cert_pem: bytes) -> tuple[float, float]:
    """Begin and end of the certificate's life, seconds since 1970, learnt from a handshake in memory.

    The handshake also proves that key and certificate work together and that a client may take it for a server's.

    Raises:
        TlsMaterialError: No client would accept the certificate: wrong purpose, key too weak and the like.
    """
    certificate = _handshake(context, _trusting(cert_pem))
    return ssl.cert_time_to_seconds(certificate["notBefore"]), ssl.cert_time_to_seconds(certificate["notAfter"])


def expiry_problem(not_before_s: float, not_after_s: float) -> str | None:
    """What a client's clock would object to now; None if nothing."""
    now_s = time.time()
    if now_s < not_before_s:
        return f"the certificate is not valid before {_date(not_before_s)}"
    if now_s > not_after_s:
        return f"the certificate expired on {_date(not_after_s)}"
    return None


def _date(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(seconds))


def _load_pair(context: ssl.SSLContext, cert_pem: bytes, key_pem: bytes) -> None:
    _first_certificate(cert_pem)
    try:
        with _as_path(cert_pem) as cert_path, _as_path(key_pem) as key_path:
            context.load_cert_chain(cert_path, key_path, password=_no_password)
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            raise TlsMaterialError("the key does not belong to the certificate") from None
        raise TlsMaterialError(f"the key or the certificate is malformed ({error.reason or error})") from None


def _load_client_ca(context: ssl.SSLContext, client_ca_pem: bytes) -> None:
    try:
        context.load_verify_locations(cadata=client_ca_pem.decode("ascii"))
    except (ssl.SSLError, UnicodeDecodeError, ValueError):
        raise TlsMaterialError("the client CA file holds no certificate in PEM form") from None
    if not context.get_ca_certs():
        raise TlsMaterialError("the client CA file holds no certificate of an authority (basicConstraints CA:TRUE)")


def _first_certificate(cert_pem: bytes) -> str:
    found = _FIRST_CERTIFICATE.search(cert_pem)
    if found is None:
        raise TlsMaterialError("the certificate file holds no certificate in PEM form")
    return found[0].decode("latin-1")


def _no_password() -> str:
    raise TlsMaterialError("the key is encrypted; a server can't ask for its password: store it decrypted, mode 0600")


def _no_client_password() -> str:
    raise TlsMaterialError("the key is encrypted; nobody is there to ask for its password")


@contextmanager
def _as_path(pem: bytes) -> Iterator[str]:
    """A path for OpenSSL to exactly these bytes, in memory: what is checked is what is used, whatever the disk does."""
    descriptor = os.memfd_create("pem", os.MFD_CLOEXEC)
    try:
        os.write(descriptor, pem)
        yield f"/proc/self/fd/{descriptor}"
    finally:
        os.close(descriptor)


def _trusting(cert_pem: bytes) -> ssl.SSLContext:
    """A client that trusts this one certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False  # a handshake in memory, with ourselves
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN | ssl.VerifyFlags(_X509_V_FLAG_NO_CHECK_TIME)
    context.load_verify_locations(cadata=_first_certificate(cert_pem))
    return context


def _handshake(server_side: ssl.SSLContext, client_side: ssl.SSLContext) -> dict[str, Any]:
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = server_side.wrap_bio(to_server, to_client, server_side=True)
    client = client_side.wrap_bio(to_client, to_server)
    for _ in range(2):  # TLS 1.3: ClientHello; the server's flight, with which the client is done
        try:
            client.do_handshake()
        except ssl.SSLWantReadError:
            _advance(server)
        except ssl.SSLError as error:
            why = getattr(error, "verify_message", error.reason)
            raise TlsMaterialError(f"clients would refuse the certificate: {why}") from None
    return client.getpeercert() or {}


def _advance(server: ssl.SSLObject) -> None:
    try:
        server.do_handshake()
    except ssl.SSLWantReadError:
        return
    except ssl.SSLError as error:
        raise TlsMaterialError(f"a handshake with the certificate failed ({error.reason})") from None
