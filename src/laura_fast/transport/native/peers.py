"""Who is at the other end of a connection."""

from __future__ import annotations

from typing import TYPE_CHECKING

from laura_fast.transport import tls_peer

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Mapping


def peer_name(transport: asyncio.BaseTransport) -> str:
    """The address as gRPC writes it: `ipv4:127.0.0.1:50000`, `ipv6:%5B::1%5D:50000`, `unix:`."""
    address = transport.get_extra_info("peername")
    if not isinstance(address, tuple):
        return "unix:"
    host, port = address[:2]
    return f"ipv6:%5B{host}%5D:{port}" if ":" in host else f"ipv4:{host}:{port}"


def speaks_h2(transport: asyncio.BaseTransport) -> bool:
    """Over TLS the client must have agreed to HTTP/2 (RFC 9113 §3.2); without TLS it knows beforehand."""
    ssl_object = transport.get_extra_info("ssl_object")
    return ssl_object is None or ssl_object.selected_alpn_protocol() == "h2"


def auth_context(transport: asyncio.BaseTransport) -> Mapping[str, list[bytes]]:
    """What TLS proved about the peer."""
    ssl_object = transport.get_extra_info("ssl_object")
    return tls_peer.PLAINTEXT if ssl_object is None else tls_peer.auth_context(ssl_object.getpeercert())


def is_certified(transport: asyncio.BaseTransport) -> bool:
    """TLS verified a certificate of the client."""
    ssl_object = transport.get_extra_info("ssl_object")
    return ssl_object is not None and bool(ssl_object.getpeercert())
