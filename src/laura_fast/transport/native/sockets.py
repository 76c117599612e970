"""Listening sockets: from gRPC's address syntax to bound sockets, with errors that say what is wrong."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any, Final

from laura_fast.errors import AddressInUseError
from laura_fast.limits import transport as limits

_UNIX: Final = "unix:"


def bind(address: str) -> list[socket.socket]:
    """Listening sockets for `host:port`, `[::]:port` or `unix:path`; a free port where it is 0.

    Raises:
        AddressInUseError: The address can't be bound; the message says why.
    """
    try:
        return [_bind_unix(_path(address))] if address.startswith(_UNIX) else _bind_tcp(address)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise AddressInUseError(f"cannot listen on {address}: {reason}") from None


def port_of(sockets: list[socket.socket]) -> int:
    """What `add_insecure_port` answers: the port, 1 for a Unix socket."""
    name = sockets[0].getsockname()
    return int(name[1]) if isinstance(name, tuple) else 1


def _bind_tcp(address: str) -> list[socket.socket]:
    host, colon, port = address.rpartition(":")
    if not colon:
        host, port = address, "0"
    found = socket.getaddrinfo(host.strip("[]") or None, int(port), type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    listeners: list[socket.socket] = []
    try:
        for family, kind, protocol, _, where in found:
            # A name may stand for several addresses (localhost): all get the port that the first one got.
            chosen = listeners[0].getsockname()[1] if listeners else where[1]
            listeners.append(_bind_one(socket.socket(family, kind, protocol), (where[0], chosen, *where[2:])))
    except BaseException:
        for listener in listeners:
            listener.close()
        raise
    return listeners


def _bind_one(listener: socket.socket, where: tuple[Any, ...]) -> socket.socket:
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if listener.family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, int(where[0] != "::"))
        listener.bind(where)
        return _listen(listener)
    except BaseException:
        listener.close()
        raise


def _bind_unix(path: Path) -> socket.socket:
    if path.is_socket() and not _is_served(path):
        path.unlink()  # left behind by a server that was killed
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        listener.bind(str(path))
        return _listen(listener)
    except BaseException:
        listener.close()
        raise


def _listen(listener: socket.socket) -> socket.socket:
    listener.setblocking(False)  # the name of the method says what it sets
    listener.listen(limits.LISTEN_BACKLOG)
    return listener


def _is_served(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1.0)
        return probe.connect_ex(str(path)) == 0


def _path(address: str) -> Path:
    return Path(address.removeprefix(_UNIX).removeprefix("//"))
