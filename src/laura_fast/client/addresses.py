"""Addresses of servers as people write them: ``host:port``, ``host``, ``[::1]:port``, several joined by commas."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from laura_fast.errors import ConfigError
from laura_fast.limits.membership import MAX_HOST_BYTES, MAX_SEED_NODES

if TYPE_CHECKING:
    from collections.abc import Iterable

DEFAULT_PORT: Final = 27018
_LAST_PORT: Final = 65535


def parse_seeds(written: str | Iterable[str]) -> tuple[str, ...]:
    """Reads a list of servers; each is answered once, as ``host:port``, in the order written.

    Raises:
        ConfigError: No address, too many, or one that can't be read.
    """
    parts = written.split(",") if isinstance(written, str) else [part for each in written for part in each.split(",")]
    seeds = tuple(dict.fromkeys(parse_address(part) for part in parts if part.strip()))
    if not 1 <= len(seeds) <= MAX_SEED_NODES:
        raise ConfigError(
            f"{len(seeds)} server addresses given; 1 to {MAX_SEED_NODES} are needed (host:port,host:port)"
        )
    return seeds


def parse_address(written: str) -> str:
    """One address with its port filled in (27018).

    Raises:
        ConfigError: Empty or over-long host, or a port outside 1..65535.
    """
    text = written.strip()
    host, port = _split(text)
    if not host or len(host.encode()) > MAX_HOST_BYTES or set(host) & set(" /@"):
        raise ConfigError(f"address {text!r}: not a host name or IP address; write host:port")
    if not (port.isascii() and port.isdigit() and 1 <= int(port) <= _LAST_PORT):
        raise ConfigError(f"address {text!r}: port {port!r} is not a number from 1 to {_LAST_PORT}")
    return join(host, int(port))


def join(host: str, port: int) -> str:
    """``host:port``, an IPv6 address in brackets (RFC 3986 §3.2.2)."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _split(text: str) -> tuple[str, str]:
    if text.startswith("["):
        host, _, rest = text[1:].partition("]")
        return host, rest.removeprefix(":") or str(DEFAULT_PORT)
    if text.count(":") > 1:  # an IPv6 address without brackets has no place for a port
        return text, str(DEFAULT_PORT)
    host, _, port = text.partition(":")
    return host, port or str(DEFAULT_PORT)
