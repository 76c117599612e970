"""Why an address can't be bound, in words. C-core says only that binding failed."""

from __future__ import annotations

import os
import socket
from pathlib import Path

from laura_fast.errors import AddressInUseError

_UNIX = "unix:"


def check_bindable(address: str) -> None:
    """Tries the address before C-core does, whose own error says nothing and adds a line to standard error.

    Raises:
        AddressInUseError: In use, not ours, unknown, or no permission: the message says which.
    """
    try:
        _try_bind(address)
    except OSError as error:
        raise AddressInUseError(f"cannot listen on {address}: {error.strerror or error}") from None
    except ValueError as error:
        raise AddressInUseError(f"cannot listen on {address}: {error}") from None


def _try_bind(address: str) -> None:
    if address.startswith(_UNIX):
        _check_socket_path(_socket_path(address))
        return
    host, _, port = address.rpartition(":")
    for family, kind, protocol, _, where in socket.getaddrinfo(
        host.strip("[]"), int(port), type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    ):
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(where)
            probe.listen(1)


def _check_socket_path(path: Path) -> None:
    """C-core unlinks an existing Unix socket before it binds, which would silently rob a running server."""
    if not path.parent.is_dir():
        raise ValueError(f"the directory {path.parent} does not exist")
    if path.exists() and not path.is_socket():
        raise ValueError("the path exists and is not a socket")
    if not os.access(path.parent, os.W_OK):
        raise ValueError(f"the directory {path.parent} is not writable")
    if _is_served(path):
        raise ValueError("another process serves on this socket; stop it or choose another path")


def _is_served(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1.0)
        return probe.connect_ex(str(path)) == 0


def _socket_path(address: str) -> Path:
    return Path(address.removeprefix(_UNIX).removeprefix("//"))
