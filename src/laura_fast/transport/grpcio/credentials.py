"""`TlsMaterial` as server credentials of gRPC C-core."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import grpc

from laura_fast.errors import TlsMaterialError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from laura_fast.transport.tls import KeyPair, TlsMaterial

_CIPHERS_VARIABLE = "GRPC_SSL_CIPHER_SUITES"


def server_credentials(material: TlsMaterial) -> grpc.ServerCredentials:
    """Credentials that ask `material` at each handshake.

    C-core's defaults are what we want (TLS 1.2 and 1.3, AEAD suites with ephemeral keys, ALPN h2), unless the
    environment loosens them.

    Raises:
        TlsMaterialError: The environment allows C-core a weak cipher suite.
    """
    refuse_weak_ciphers(os.environ)
    used = material.current()

    def fetch() -> grpc.ServerCertificateConfiguration | None:
        nonlocal used
        newest = material.current()
        if newest is used:
            return None  # unchanged: C-core keeps its context
        used = newest
        return _configuration(newest)

    return grpc.dynamic_ssl_server_credentials(
        _configuration(used),
        fetch,  # type: ignore[arg-type]  # None is right (grpc.dynamic_ssl_server_credentials), the stubs lack it
        require_client_authentication=material.verifies_clients,
    )


def _configuration(pair: KeyPair) -> grpc.ServerCertificateConfiguration:
    return grpc.ssl_server_certificate_configuration([(pair.key_pem, pair.cert_pem)], pair.client_ca_pem)


def refuse_weak_ciphers(environ: Mapping[str, str]) -> None:
    """C-core reads its suites from the environment of the process, once, before any of our code could set them.

    Raises:
        TlsMaterialError: A suite there lacks forward secrecy or authenticated encryption.
    """
    for suite in environ.get(_CIPHERS_VARIABLE, "").split(":"):
        if suite and not _is_strong(suite):
            raise TlsMaterialError(
                f"{_CIPHERS_VARIABLE} allows {suite}, which lacks forward secrecy or authenticated encryption: unset it"
            )


def _is_strong(suite: str) -> bool:
    """Suite names of TLS 1.3, and ECDHE with an AEAD of TLS 1.2. Group names like HIGH are no."""
    return suite.startswith(("TLS_AES_", "TLS_CHACHA20_")) or (
        suite.startswith("ECDHE-") and ("-GCM-" in suite or "CHACHA20" in suite)
    )
