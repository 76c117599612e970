"""Where and how a server listens: TLS is on or off as configured, never silently off."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from laura_fast.errors import TlsMaterialError
from laura_fast.transport.settings import TlsFiles
from laura_fast.transport.tls import TlsMaterial

if TYPE_CHECKING:
    import ssl

    from laura_fast.app.transports import Transport
    from laura_fast.config import Config


class Listening(NamedTuple):
    """The result of `listen`.

    Attributes:
        address: `host:port` as bound.
        material: The key material in use, where this server reads it.
    """

    address: str
    material: TlsMaterial | None


def listen(transport: Transport, config: Config, ssl_context: ssl.SSLContext | None) -> Listening:
    """Binds the configured address.

    Raises:
        AddressInUseError: It can't be bound.
        TlsMaterialError: The key files can't be used, or the transport can't use a ready context.
    """
    wanted = join(config.host, config.port)
    if ssl_context is not None:
        if config.transport == "grpcio":
            raise TlsMaterialError("the grpcio transport takes key files, not an SSLContext; use the native one")
        return Listening(join(config.host, transport.add_tls_port(wanted, ssl_context)), None)
    if config.tls_cert_file:
        material = TlsMaterial(_files(config))
        return Listening(join(config.host, transport.add_tls_port(wanted, material)), material)
    return Listening(join(config.host, transport.add_insecure_port(wanted)), None)


def join(host: str, port: int) -> str:
    """`host:port`, with brackets around an IPv6 address."""
    return f"[{host}]:{port}" if ":" in host and not host.startswith("[") else f"{host}:{port}"


def _files(config: Config) -> TlsFiles:
    client_ca = Path(config.tls_client_ca_file) if config.tls_client_ca_file else None
    return TlsFiles(Path(config.tls_cert_file), Path(config.tls_key_file), client_ca)
