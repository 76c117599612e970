"""Where a channel leads: gRPC's naming of targets (gRPC naming.md)."""

from __future__ import annotations

from typing import Final, NamedTuple

from laura_fast.errors import ConfigError

_UNIX: Final = ("unix:///", "unix:")
_NAMED: Final = ("dns:///", "dns:", "ipv4:", "ipv6:", "passthrough:///")
_DEFAULT_PORT: Final = 443
"""gRPC's, where a target names none."""


class Target(NamedTuple):
    """A parsed target.

    Attributes:
        host: Name or address without brackets; empty for a Unix socket.
        port: Its port.
        path: Of a Unix socket.
        authority: What the calls say about whom they mean.
    """

    host: str
    port: int
    path: str
    authority: str


def parse_target(target: str) -> Target:
    """Reads ``host:port`` and `unix:path`, with or without a scheme.

    Raises:
        ConfigError: It is none of these.
    """
    for scheme in _UNIX:
        if target.startswith(scheme):
            slash = "/" if scheme.endswith("///") else ""
            return Target("", 0, slash + target.removeprefix(scheme), "localhost")
    address = next((target.removeprefix(scheme) for scheme in _NAMED if target.startswith(scheme)), target)
    host, port = _split(address)
    if not host or not port.isdigit():
        raise ConfigError(f"a channel's target is host:port or unix:path, not {target!r}")
    return Target(host, int(port), "", address)


def _split(address: str) -> tuple[str, str]:
    if address.startswith("["):
        host, _, port = address[1:].partition("]")
        return host, port.removeprefix(":") or str(_DEFAULT_PORT)
    host, _, port = address.rpartition(":")
    return (host, port) if host else (address, str(_DEFAULT_PORT))
